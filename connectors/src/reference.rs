//! The reference that people read (`docs/manifests-reference.md`), read by the program: what a member is, and what a finding means.
//!
//! Invariant: said once. The JSON Schema and the SARIF rules repeat the reference's own words; tests hold its rows against
//! the table of members and the list of codes.

use std::collections::BTreeMap;
use std::sync::LazyLock;

const REFERENCE: &str = include_str!("../../docs/manifests-reference.md");

/// What the reference says of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    /// What stands there where the member is left out, as written: with back quotes where it is a literal value.
    pub(crate) default: String,
    /// What it is.
    pub(crate) text: String,
}

/// The row of a member, by its JSON pointer with `*` for names of the author's choice.
pub(crate) fn member(path: &str) -> Option<Member> {
    let cells = row(&shown(path), 4)?;
    match cells.as_slice() {
        [_, _, default, text] => Some(Member { default: default.clone(), text: text.clone() }),
        _ => None,
    }
}

/// What a finding's code means.
pub(crate) fn code(word: &str) -> Option<String> {
    row(word, 2)?.pop()
}

/// A member's pointer as the reference writes it: `/variables/*/type` is `variables.NAME.type`.
pub(crate) fn shown(path: &str) -> String {
    path.trim_start_matches('/').replace('/', ".").replace(".*", ".NAME")
}

/// The rows of all tables whose first cell is a name in back quotes, by that name and the number of cells. Of two, the
/// first counts.
static ROWS: LazyLock<BTreeMap<(String, usize), Vec<String>>> = LazyLock::new(|| {
    let mut rows = BTreeMap::new();
    for cells in REFERENCE.lines().filter(|line| line.starts_with("| `")).map(cells) {
        let name = cells.first().and_then(|cell| cell.strip_prefix('`')?.strip_suffix('`')).map(str::to_owned);
        if let Some(name) = name {
            rows.entry((name, cells.len())).or_insert(cells);
        }
    }
    rows
});

/// The cells of the row that begins with `name`, in a table of so many columns.
fn row(name: &str, columns: usize) -> Option<Vec<String>> {
    ROWS.get(&(name.to_owned(), columns)).cloned()
}

/// The cells of a row; a pipe behind a backslash is part of its cell.
fn cells(line: &str) -> Vec<String> {
    const ESCAPED: char = '\u{e000}';
    let line = line.replace("\\|", &ESCAPED.to_string());
    let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
    inner.split('|').map(|cell| cell.trim().replace(ESCAPED, "|")).collect()
}

#[cfg(test)]
mod tests;
