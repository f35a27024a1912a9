//! The manifests that come with the product.

use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "catalog/"]
struct Files;

/// The ids of all entries, in alphabetical order.
pub fn ids() -> Vec<String> {
    let mut ids: Vec<_> = Files::iter().filter_map(|file| Some(file.strip_suffix(".yaml")?.to_owned())).collect();
    ids.sort();
    ids
}

/// An entry's manifest, as YAML.
pub fn get(id: &str) -> Option<String> {
    let file = Files::get(&format!("{id}.yaml"))?;
    String::from_utf8(file.data.into_owned()).ok()
}
