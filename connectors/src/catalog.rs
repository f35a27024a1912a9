//! The manifests that come with the product.
//!
//! Invariant: each is accepted by [`crate::parse`], has its file's name as id, and states facts only. They are part of the
//! binary in release builds; debug builds read the source folder, so that an edit shows at once.

mod document;
mod summary;

pub use crate::Confidence;
pub use document::markdown;
pub use summary::{Summary, summaries};

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

/// An entry's manifest as YAML, with its comments; `None` where the id is not in the catalog.
pub fn get(id: &str) -> Option<String> {
    // Only what can be an id, because debug builds turn it into a path.
    id.parse::<mortise_domain::ConnectorId>().ok()?;
    let file = Files::get(&format!("{id}.yaml"))?;
    String::from_utf8(file.data.into_owned()).ok()
}
