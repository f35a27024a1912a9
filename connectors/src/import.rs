//! Manifests out of another broker's list of providers, as far as they can be said in this language.
//!
//! Invariant: whatever of an entry does not go into its manifest is listed, and every manifest that comes out lints without
//! an error. Deliberately absent: code that the other broker keeps for single providers beside its list.

mod assertion;
mod entry;
mod fields;
mod list;
mod oauth1;
mod oauth2;
mod pasted;
mod repair;
mod signed_jwt;
mod template;
mod two_step;
mod urls;

use serde_json::{Map, Value};

/// An entry of the list, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Its name in the list.
    pub name: String,
    /// Where it begins, from 1.
    pub line: u32,
    /// The manifest as YAML, and its id; `None` where it cannot be said.
    pub manifest: Option<(String, String)>,
    /// What is not in the manifest, or why there is none.
    pub lost: Vec<Loss>,
}

/// Something that could not be expressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The member of the entry, with dots.
    pub member: String,
    /// Why.
    pub why: String,
}

impl Loss {
    fn new(member: impl Into<String>, why: impl Into<String>) -> Self {
        Self { member: member.into(), why: why.into() }
    }
}

/// Why a list cannot be read at all.
#[derive(Debug, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct ImportError {
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
    /// What is wrong.
    pub message: String,
}

/// Reads a `providers.yaml` of Nango: entries by name, some of which are aliases of others.
///
/// # Errors
/// A text that is not YAML, or holds anything but entries by name.
pub fn from_nango(text: &str) -> Result<Vec<Imported>, ImportError> {
    let sources = list::read(text)?;
    let mut entries: Vec<_> = sources.iter().map(|(name, source)| imported(name, source, &sources)).collect();
    entries.sort_by_key(|entry| entry.line);
    Ok(entries)
}

fn imported(name: &str, source: &list::Source, all: &list::Sources) -> Imported {
    let mut entry = match list::resolved(source, all) {
        Ok(members) => entry::Entry::new(members),
        Err(why) => return Imported { name: name.to_owned(), line: source.line, manifest: None, lost: vec![why] },
    };
    let (manifest, lost) = match manifest(name, &mut entry) {
        Ok(manifest) => match repair::sound(manifest) {
            Ok((manifest, more)) => (Some(manifest), [entry.finish(), more].concat()),
            Err(why) => (None, vec![why]),
        },
        Err(why) => (None, vec![why]),
    };
    Imported { name: name.to_owned(), line: source.line, manifest, lost }
}

/// The manifest of an entry; the loss without which there is none otherwise.
fn manifest(name: &str, entry: &mut entry::Entry) -> Result<Map<String, Value>, Loss> {
    let mode = entry.text("auth_mode").unwrap_or_default();
    let mut fields = fields::Fields::new(entry.object("connection_config"));
    let (auth, api) = match mode.as_str() {
        "OAUTH2" => oauth2::with_codes(entry, &mut fields)?,
        "OAUTH2_CC" => oauth2::for_the_client(entry, &mut fields)?,
        "MCP_OAUTH2" => oauth2::of_mcp_server(entry, &mut fields)?,
        "OAUTH1" => oauth1::oauth1(entry, &mut fields)?,
        "TWO_STEP" => match assertion::asserts(entry) {
            Some(kind) => assertion::oauth2(kind, entry, &mut fields)?,
            None => two_step::two_step(entry, &mut fields)?,
        },
        "API_KEY" => pasted::api_key(entry, &mut fields)?,
        "BILL" => two_step::bill(entry, &mut fields)?,
        "BASIC" => pasted::basic(entry, &mut fields)?,
        "JWT" => signed_jwt::signed_jwt(entry, &mut fields)?,
        other => return Err(Loss::new("auth_mode", why_not(other))),
    };
    let mut manifest = Map::new();
    manifest.insert("id".to_owned(), Value::from(kebab(name)));
    let shown = entry.text("display_name").unwrap_or_else(|| name.to_owned());
    manifest.insert("name".to_owned(), Value::from(fields::line(&shown, 80)));
    let categories = entry.texts("categories");
    if !categories.is_empty() {
        manifest.insert("categories".to_owned(), categories.iter().map(|word| kebab(word)).collect());
    }
    manifest.insert("auth".to_owned(), Value::Object(auth));
    let variables = fields.variables(&mut entry.lost);
    if !variables.is_empty() {
        manifest.insert("variables".to_owned(), Value::Object(variables));
    }
    if !api.is_empty() {
        manifest.insert("api".to_owned(), Value::Object(api));
    }
    Ok(manifest)
}

/// Why a mode has no manifest, and what to do instead where there is something.
fn why_not(mode: &str) -> String {
    let instead = match mode {
        "MCP_OAUTH2_GENERIC" => "a connector is one server: register each by its URL (POST /v1/connectors with `mcp`)",
        "NONE" => "there is nothing to connect: calls carry no credential",
        "SIGNATURE" => "calls carry something that is signed for each of them anew, and keys are not handed out",
        "APP" | "CUSTOM" | "INSTALL_PLUGIN" => {
            "the provider installs an app and tells about it elsewhere than in the callback"
        }
        "AWS_SIGV4" | "TBA" => "each call is signed with a key that the caller would have to have",
        _ => return format!("no mode does what `{mode}` does"),
    };
    format!("no mode does what `{mode}` does: {instead}")
}

/// The name as an id: lower case, everything but letters and digits as single hyphens.
fn kebab(name: &str) -> String {
    let spaced: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { ' ' }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests;
