//! From text to a manifest, with every violation at once.
//!
//! Three passes: the text as a tree with places, the tree against the members and their types, the manifest against the
//! rules. The rules run even where members are broken, on what is left; findings that rest on a broken member are held
//! back, so that none of them is an echo of another.

use crate::diagnostic::Code;
use crate::discovered::{self, Filling};
use crate::shape;
use crate::tree::{self, Fault, Kind, Node, Place};
use crate::validate::{Finding, Spot, validate};
use crate::{Diagnostic, Manifest, Severity};
use serde_json::Value;

/// No manifest is longer (bytes).
const LONGEST: usize = 256 * 1024;
/// More findings than anybody reads in one go are counted and not listed.
const MOST_FINDINGS: usize = 100;

/// Reads a manifest in YAML or JSON (which is read as the YAML that it also is), of at most 256 KiB.
///
/// # Errors
/// Everything that is wrong, in the order of the text; warnings are among it if there is an error too.
pub fn parse(text: &str) -> Result<Manifest, Vec<Diagnostic>> {
    accepted(examine(text, &Filling::StandIns, Severity::Error))
}

/// The same with what discovery found for the members of `auth` that the author left out.
///
/// # Errors
/// As above. What was found is reported at `discovery`.
pub fn parse_discovered(text: &str, members: &[(&'static str, Value)]) -> Result<Manifest, Vec<Diagnostic>> {
    accepted(examine(text, &Filling::Found(members), Severity::Error))
}

fn accepted((manifest, found): (Option<Manifest>, Vec<Diagnostic>)) -> Result<Manifest, Vec<Diagnostic>> {
    match manifest {
        Some(manifest) if found.iter().all(|d| d.severity != Severity::Error) => Ok(manifest),
        Some(_) | None => Err(found),
    }
}

/// Everything that is wrong or doubtful about a manifest, in the order of the text; empty if it is fine.
/// What is left to discovery is no fault: registering finds it.
pub fn lint(text: &str) -> Vec<Diagnostic> {
    examine(text, &Filling::StandIns, Severity::Warning).1
}

/// The manifest as JSON with its members in a fixed order: equal manifests give equal text.
pub fn canonical_json(manifest: &Manifest) -> String {
    // A manifest holds nothing that JSON cannot: maps have text keys and there are no floating-point numbers.
    serde_json::to_string(manifest).unwrap_or_default()
}

/// Line and column (from 1) of the value that a JSON pointer names in a manifest's text, or of the nearest member around
/// it; `None` where the text cannot be read.
pub fn locate(text: &str, path: &str) -> Option<(u32, u32)> {
    if text.len() > LONGEST {
        return None;
    }
    let root = tree::read(text).0?;
    let Place { line, column } = find(&root, path, Spot::Value);
    Some((line, column))
}

/// Reads a text. `unspoken` says how bad it is that stand-ins had to be filled in.
fn examine(text: &str, filling: &Filling<'_>, unspoken: Severity) -> (Option<Manifest>, Vec<Diagnostic>) {
    if text.len() > LONGEST {
        let message = format!("the manifest is {} bytes long: use at most {LONGEST}", text.len());
        return (None, vec![diagnostic(Severity::Error, Code::TooLong, message, String::new(), None)]);
    }
    let (root, faults) = tree::read(text);
    let mut found: Vec<_> = faults.into_iter().map(of_fault).collect();
    let manifest = root.and_then(|mut root| {
        let left_out = discovered::fill(&mut root, filling);
        if let (Some(place), Filling::StandIns, Severity::Error) = (left_out, filling, unspoken) {
            let message = "the provider's addresses are left to discovery, which takes a connection to it: register the manifest, or let `mortise connectors discover` write them out";
            let path = "/auth/discovery".to_owned();
            found.push(diagnostic(Severity::Error, Code::Undiscovered, message.to_owned(), path, Some(place)));
        }
        let read = shape::read(&root);
        let shaped = read.findings.into_iter().map(|(finding, place)| of_finding(finding, place));
        found.extend(shaped);
        match serde_json::from_value::<Manifest>(read.value) {
            Ok(manifest) => {
                let sound = validate(&manifest).into_iter().filter(|finding| !finding.rests_on(&read.broken));
                found.extend(sound.map(|finding| {
                    let place = find(&root, &finding.path, finding.spot);
                    of_finding(finding, place)
                }));
                Some(manifest)
            }
            Err(error) => {
                let message = error.to_string();
                found.push(diagnostic(Severity::Error, Code::WrongType, message, String::new(), Some(root.place)));
                None
            }
        }
    });
    found.sort_by_key(|d| (d.line, d.column));
    (manifest, shortened(found))
}

fn of_fault(fault: Fault) -> Diagnostic {
    diagnostic(Severity::Error, fault.code, fault.message, String::new(), Some(fault.place))
}

fn of_finding(finding: Finding, place: Place) -> Diagnostic {
    diagnostic(finding.severity, finding.code, finding.message, finding.path, Some(place))
}

fn diagnostic(severity: Severity, code: Code, message: String, path: String, place: Option<Place>) -> Diagnostic {
    let (line, column) = place.map(|place| (place.line, place.column)).unzip();
    Diagnostic { severity, code: code.as_str(), message, path, line, column }
}

fn shortened(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    if found.len() > MOST_FINDINGS {
        // Errors first, so that no number of warnings pushes one out of sight.
        found.sort_by_key(|d| d.severity == Severity::Warning);
        let severity = found.get(MOST_FINDINGS).map_or(Severity::Warning, |d| d.severity);
        let message = format!("{} more findings: mend these first", found.len() - MOST_FINDINGS);
        found.truncate(MOST_FINDINGS);
        found.push(diagnostic(severity, Code::TooMany, message, String::new(), None));
    }
    found
}

/// The place that a JSON pointer names, or of the nearest member around it.
fn find(root: &Node, path: &str, spot: Spot) -> Place {
    let (mut node, mut place) = (root, root.place);
    for segment in path.split('/').skip(1) {
        let name = segment.replace("~1", "/").replace("~0", "~");
        let inner = match &node.kind {
            Kind::Map(members) => members.iter().find(|m| m.name == name).map(|m| (&m.value, m.place)),
            Kind::List(items) => name.parse::<usize>().ok().and_then(|i| items.get(i)).map(|item| (item, item.place)),
            Kind::Null | Kind::Flag(_) | Kind::Number(_) | Kind::Text(_) | Kind::Refused => None,
        };
        match inner {
            Some(inner) => (node, place) = inner,
            None => return place,
        }
    }
    match spot {
        Spot::Name => place,
        Spot::Value => node.place,
    }
}

#[cfg(test)]
mod tests;
