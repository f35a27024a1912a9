//! The list of the catalogue as a document (`docs/catalog.md`).

use super::{Summary, summaries};
use crate::Confidence;
use std::collections::BTreeMap;

const HEAD: &str = "# Catalogue

The manifests that come with Mortise, made from them by `cargo run -p mortise-openapi -- write`. Register one with
`POST /v1/connectors` and `{\"catalog\": \"github\"}`, look at one with `mortise connectors show github`, and see what it would
send with `mortise connectors simulate github`.

What stands behind the endpoints of an entry:

- **by hand**: written and looked through one by one, lifetimes and limits included.
- **documented**: the endpoints were compared with the provider's documentation.
- **agreed**: so many independent sources state the same endpoints.
- **single**: one source states them; compare them with the linked documentation before you rely on them.

What happens to a refresh token when it is used (`recovery_class`) is left out of an entry where it is not known for sure,
and gets the careful treatment.
";

/// The whole document.
pub fn markdown() -> String {
    let all = summaries();
    let mut text = HEAD.to_owned();
    counts(&mut text, all);
    entries(&mut text, all);
    text
}

/// How many entries there are of each mode, by what stands behind them.
fn counts(text: &mut String, all: &[Summary]) {
    let mut modes = BTreeMap::<&str, [usize; 4]>::new();
    for entry in all {
        let column = match entry.confidence {
            None => 0,
            Some(Confidence::Documented) => 1,
            Some(Confidence::Agreed) => 2,
            Some(Confidence::Single) => 3,
        };
        if let Some(count) = modes.entry(entry.mode).or_default().get_mut(column) {
            *count += 1;
        }
    }
    text.push_str("\n| mode | by hand | documented | agreed | single | together |\n|---|---|---|---|---|---|\n");
    for (mode, counts) in &modes {
        row(text, mode, counts);
    }
    let total = modes.values().fold([0; 4], |sum, counts| std::array::from_fn(|i| sum[i] + counts[i]));
    row(text, "all", &total);
}

fn row(text: &mut String, head: &str, counts: &[usize; 4]) {
    let [hand, documented, agreed, single] = counts;
    let together: usize = counts.iter().sum();
    text.push_str(&format!("| {head} | {hand} | {documented} | {agreed} | {single} | {together} |\n"));
}

fn entries(text: &mut String, all: &[Summary]) {
    text.push_str("\n| id | provider | mode | categories | evidence |\n|---|---|---|---|---|\n");
    for entry in all {
        let name = entry.name.replace('|', "\\|");
        let name = entry.docs_url.as_ref().map_or_else(|| name.clone(), |docs| format!("[{name}]({})", address(docs)));
        let evidence = match entry.confidence {
            None => "by hand".to_owned(),
            Some(Confidence::Documented) => "documented".to_owned(),
            Some(Confidence::Agreed) => format!("agreed, {} sources", entry.sources),
            Some(Confidence::Single) => "single".to_owned(),
        };
        let categories = entry.categories.join(", ");
        text.push_str(&format!("| `{}` | {name} | {} | {categories} | {evidence} |\n", entry.id, entry.mode));
    }
}

/// An address inside a link and a table.
fn address(url: &str) -> String {
    url.replace('(', "%28").replace(')', "%29").replace('|', "%7C")
}
