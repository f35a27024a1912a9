//! The documents that are made from the service's own registration and committed: `openapi/openapi.json`,
//! `docs/errors.md`, `docs/catalog.md` and `docs/connector.schema.json`, and the rules that every operation of the API keeps.
//!
//! Invariant: the committed files are what the service says; a test compares them.

mod rules;

pub use rules::violations;

use std::path::{Path, PathBuf};

/// A document and where it is committed.
#[derive(Debug)]
pub struct Generated {
    /// The file.
    pub path: PathBuf,
    /// What has to stand in it.
    pub text: String,
}

/// Every generated document.
pub fn generated() -> serde_json::Result<Vec<Generated>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.parent().unwrap_or(here);
    let schema = serde_json::to_string_pretty(&mortise_server::connector_schema())? + "\n";
    let openapi = serde_json::to_string_pretty(&mortise_server::document())? + "\n";
    Ok(vec![
        Generated { path: here.join("openapi.json"), text: openapi },
        Generated { path: root.join("docs/errors.md"), text: mortise_server::errors_markdown() },
        Generated { path: root.join("docs/catalog.md"), text: mortise_server::catalog_markdown() },
        Generated { path: root.join("docs/connector.schema.json"), text: schema },
    ])
}
