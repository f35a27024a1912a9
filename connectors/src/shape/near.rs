//! Words for messages: what was probably meant, and lists of what is allowed.

use super::{Field, Shape, table};

/// At most this many single-character edits away is a slip of the pen.
const SLIP: usize = 2;

/// More members than this are not listed: nobody reads them.
const MOST: usize = 12;

/// What RFC 8414 and other tools call members, without underscores.
const ELSEWHERE: &[(&str, &str)] = &[
    ("authorizationendpoint", "authorization_url"),
    ("authorizeurl", "authorization_url"),
    ("authurl", "authorization_url"),
    ("accesstokenurl", "token_url"),
    ("tokenendpoint", "token_url"),
    ("refreshtokenurl", "refresh_url"),
    ("revocationendpoint", "revocation_url"),
    ("revokeurl", "revocation_url"),
    ("introspectionendpoint", "introspection_url"),
    ("deviceauthorizationendpoint", "device_authorization_url"),
    ("pushedauthorizationrequestendpoint", "pushed_authorization_request_url"),
    ("registrationendpoint", "registration_url"),
    ("tokenendpointauthmethod", "client_authentication"),
    ("clientauth", "client_authentication"),
    ("granttype", "grant"),
    ("scopedelimiter", "scope_separator"),
];

/// The one of a record's members that `name` was probably meant to be.
pub(super) fn slip(name: &str, fields: &'static [Field]) -> Option<&'static str> {
    let bare = bare(name);
    let called = ELSEWHERE.iter().find(|(other, _)| *other == bare).map(|(_, meant)| *meant);
    let is_meant = |meant: &&str| distance(meant, name) <= SLIP || self::bare(meant) == bare || called == Some(*meant);
    fields.iter().map(|field| field.name).find(is_meant)
}

/// A name without what only tells words apart: `tokenUrl` and `token-url` are `token_url`.
fn bare(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-')).map(|c| c.to_ascii_lowercase()).collect()
}

/// What to say about a member that the record at `parent`, which has `fields`, does not have.
pub(super) fn unknown(name: &str, fields: &'static [Field], parent: &str) -> String {
    let shown = short(name);
    if let Some(meant) = slip(name, fields) {
        return format!("`{shown}` is not a member: did you mean `{meant}`?");
    }
    let place = |fields: &[Field]| fields.iter().any(|field| field.name == name);
    if let Some(Shape::OneOf(modes)) = shape_at(parent) {
        let others: Vec<_> = modes.iter().filter(|mode| place(mode.fields)).map(|mode| mode.word).collect();
        if !others.is_empty() {
            return format!(
                "`{shown}` has no use with this `type`: it belongs to `type: {}`",
                others.join("` or `type: ")
            );
        }
    }
    let has = |shape: &Shape| match shape {
        Shape::Record(fields) => place(fields),
        Shape::OneOf(modes) => modes.iter().any(|mode| place(mode.fields)),
        _ => false,
    };
    let elsewhere = [
        ("", "the top level"),
        ("/auth", "`auth`"),
        ("/auth/token_response", "`auth.token_response`"),
        ("/auth/refresh_errors", "`auth.refresh_errors`"),
        ("/api", "`api`"),
    ];
    if let Some((_, home)) = elsewhere.iter().find(|(home, _)| *home != parent && shape_at(home).is_some_and(has)) {
        let into = if home.starts_with('`') { "in" } else { "at" };
        return format!("`{shown}` is not a member here: it belongs {into} {home}");
    }
    let names: Vec<_> = fields.iter().map(|field| field.name).collect();
    if names.len() <= MOST {
        return format!("`{shown}` is not a member: the members here are {}", all(&names));
    }
    let words: Vec<_> = name.split('_').filter(|word| word.len() > 2).collect();
    let akin: Vec<_> = names.into_iter().filter(|known| known.split('_').any(|word| words.contains(&word))).collect();
    match akin.len() {
        1..=MOST => format!("`{shown}` is not a member: similar ones are {}", all(&akin)),
        _ => format!("`{shown}` is not a member: docs/manifests-reference.md lists those that stand here"),
    }
}

/// `a`, `b` or `c`.
pub(super) fn listed(words: &[&str]) -> String {
    joined(words, "or")
}

/// `a`, `b` and `c`.
pub(super) fn all(words: &[&str]) -> String {
    joined(words, "and")
}

/// A text that came from outside, cut to what a message can carry.
pub(super) fn short(text: &str) -> String {
    let clean = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut short: String = text.chars().take(40).map(clean).collect();
    if text.chars().nth(40).is_some() {
        short.push('…');
    }
    short
}

fn joined(words: &[&str], last: &str) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((end, [])) => end.clone(),
        Some((end, start)) => format!("{} {last} {end}", start.join(", ")),
        None => String::new(),
    }
}

/// The shape at `path`, in whichever mode.
fn shape_at(path: &str) -> Option<&'static Shape> {
    path.split('/').skip(1).try_fold(&table::MANIFEST, |shape, name| {
        let named = |fields: &'static [Field]| fields.iter().find(|field| field.name == name).map(|field| field.shape);
        match shape {
            Shape::Record(fields) => named(fields),
            Shape::OneOf(modes) => modes.iter().find_map(|mode| named(mode.fields)),
            Shape::Map(inner) | Shape::List(inner) => Some(*inner),
            Shape::Id | Shape::Text | Shape::Flag | Shape::Whole | Shape::Count | Shape::Word(_) => None,
        }
    })
}

/// Single-character edits between two words (Levenshtein); far apart without counting where the lengths say so.
fn distance(left: &str, right: &str) -> usize {
    if left.len().abs_diff(right.len()) > SLIP {
        return usize::MAX;
    }
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut diagonal = i;
        let mut before = i + 1;
        for (b, cell) in right.iter().zip(row.iter_mut().skip(1)) {
            let above = *cell;
            before = (before + 1).min(above + 1).min(diagonal + usize::from(a != *b));
            diagonal = above;
            *cell = before;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}
