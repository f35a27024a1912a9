//! Every value of a reply with its place and with what reads it: what a manifest overlooks shows.
//!
//! Invariant: of a text there is only its length.

use super::{SampleOf, pointers};
use crate::Reply;
use crate::response::Document;
use mortise_connectors::{Auth, Grant, Manifest};
use serde_json::Value;
use std::fmt;

/// More are not shown: whoever pasted such a reply looks for something near its top.
const MOST: usize = 200;

/// A value of a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Where it stands (RFC 6901).
    pub pointer: String,
    /// What it is, without what it says.
    pub kind: PlaceKind,
    /// The member of the manifest that points there, such as `access_token` or `extra.account`; `None`: nothing reads it.
    pub read_by: Option<String>,
}

/// What stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaceKind {
    /// A text of so many characters.
    Text(usize),
    /// A number.
    Number,
    /// `true` or `false`.
    Flag,
    /// Nothing.
    Null,
    /// A list or an object with nothing in it.
    Empty,
}

impl fmt::Display for PlaceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(1) => f.write_str("a text of 1 character"),
            Self::Text(length) => write!(f, "a text of {length} characters"),
            Self::Number => f.write_str("a number"),
            Self::Flag => f.write_str("true or false"),
            Self::Null => f.write_str("null"),
            Self::Empty => f.write_str("empty"),
        }
    }
}

pub(super) fn places(manifest: &Manifest, of: SampleOf, reply: &Reply) -> Vec<Place> {
    let fragment = manifest.oauth2().is_some_and(|auth| auth.grant == Grant::Implicit);
    let read = match &manifest.auth {
        _ if of == SampleOf::Identity => Document::read_json(reply),
        Auth::Oauth2(_) if fragment => {
            let text = String::from_utf8_lossy(&reply.body);
            let form = Reply::new(200, Some("application/x-www-form-urlencoded"), text.trim().trim_start_matches('#'));
            Document::read(&form, None)
        }
        Auth::Oauth2(auth) => Document::read(reply, auth.token_response.strip_prefix.as_deref()),
        Auth::TwoStep(auth) => Document::read(reply, auth.reply().strip_prefix.as_deref()),
        Auth::Oauth1(_) | Auth::ApiKey(_) | Auth::Basic(_) | Auth::SignedJwt(_) => Document::read(reply, None),
    };
    let mut places = Vec::new();
    if let Ok(document) = read
        && let Some(root) = document.get("")
    {
        walk(root, String::new(), &mut places);
    }
    places.sort_by(|one, other| one.pointer.cmp(&other.pointer));
    let pointers = pointers(manifest, of);
    for place in &mut places {
        let at_or_above = |pointer: &str| {
            place.pointer.strip_prefix(pointer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        place.read_by = pointers.iter().find(|(pointer, _)| at_or_above(pointer)).map(|(_, name)| name.clone());
    }
    places
}

/// The depth is bounded by the parser.
fn walk(value: &Value, pointer: String, places: &mut Vec<Place>) {
    if places.len() >= MOST {
        return;
    }
    let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
    let kind = match value {
        Value::Object(members) if !members.is_empty() => {
            return members
                .iter()
                .for_each(|(name, value)| walk(value, format!("{pointer}/{}", escaped(name)), places));
        }
        Value::Array(items) if !items.is_empty() => {
            return items.iter().enumerate().for_each(|(at, value)| walk(value, format!("{pointer}/{at}"), places));
        }
        Value::Object(_) | Value::Array(_) => PlaceKind::Empty,
        Value::String(text) => PlaceKind::Text(text.chars().count()),
        Value::Number(_) => PlaceKind::Number,
        Value::Bool(_) => PlaceKind::Flag,
        Value::Null => PlaceKind::Null,
    };
    places.push(Place { pointer, kind, read_by: None });
}
