//! From text to a manifest, with every violation at once.

use crate::locate::{Tree, locate};
use crate::validate::{Finding, validate};
use crate::{Diagnostic, Manifest, Severity};

/// No manifest is longer (bytes).
const LONGEST: usize = 256 * 1024;

/// Reads a manifest in YAML or JSON, which is read as the YAML that it also is. Unknown members, wrong types and broken
/// rules are refused, each with its place.
pub fn parse(text: &str) -> Result<Manifest, Vec<Diagnostic>> {
    let (manifest, found) = examine(text);
    match manifest {
        Some(manifest) if found.iter().all(|d| d.severity != Severity::Error) => Ok(manifest),
        Some(_) | None => Err(found),
    }
}

/// Everything that is wrong or doubtful about a manifest; empty if it is fine.
pub fn lint(text: &str) -> Vec<Diagnostic> {
    examine(text).1
}

/// The manifest as JSON with its members in a fixed order: equal manifests give equal text.
pub fn canonical_json(manifest: &Manifest) -> String {
    // A manifest holds nothing that JSON cannot: maps have text keys and there are no floating-point numbers.
    serde_json::to_string(manifest).unwrap_or_default()
}

fn examine(text: &str) -> (Option<Manifest>, Vec<Diagnostic>) {
    if text.len() > LONGEST {
        let message = format!("the manifest is {} bytes long: use at most {LONGEST}", text.len());
        return (None, vec![whole("too_long", message)]);
    }
    match serde_saphyr::from_str::<Manifest>(text) {
        Ok(manifest) => {
            let tree = Tree::read(text);
            let place = |finding: Finding| placed(finding, tree.as_ref().map(|tree| tree as &_));
            let found = validate(&manifest).into_iter().map(place).collect();
            (Some(manifest), found)
        }
        Err(error) => (None, vec![unread(&error)]),
    }
}

fn placed(finding: Finding, tree: Option<&serde_saphyr::Spanned<Tree>>) -> Diagnostic {
    let Finding { severity, code, path, message } = finding;
    let (line, column) = tree.map(|tree| locate(tree, &path)).unzip();
    Diagnostic { severity, code, message, path, line, column }
}

/// A text that is not even of a manifest's shape. The parser's own excerpt is left out: [`crate::render`] shows one.
fn unread(error: &serde_saphyr::Error) -> Diagnostic {
    let place = error.location();
    let number = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    let message = error.without_snippet().to_string();
    let message = message.lines().next().unwrap_or_default().to_owned();
    Diagnostic {
        line: place.as_ref().map(|place| number(place.line())),
        column: place.as_ref().map(|place| number(place.column())),
        ..whole("malformed", message)
    }
}

fn whole(code: &'static str, message: String) -> Diagnostic {
    Diagnostic { severity: Severity::Error, code, message, path: String::new(), line: None, column: None }
}
