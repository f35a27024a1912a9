//! Members of a metadata document, each of its type and of a sensible length.

use super::fault::MetadataFault;
use crate::response::parse_json;
use serde_json::{Map, Value};

const LONGEST_LINE: usize = 2000;
const MOST_ITEMS: usize = 500;

/// The object that a document is.
pub(super) fn object(bytes: &[u8]) -> Result<Map<String, Value>, MetadataFault> {
    let text = std::str::from_utf8(bytes).map_err(|_| MetadataFault::NotJson)?;
    match parse_json(text) {
        Some(Value::Object(members)) => Ok(members),
        _ => Err(MetadataFault::NotJson),
    }
}

/// Its members. `null` is as good as left out.
pub(super) struct Members<'a>(pub(super) &'a Map<String, Value>);

impl Members<'_> {
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A line of ASCII, as every URL is.
    pub(super) fn line(&self, name: &'static str) -> Result<Option<String>, MetadataFault> {
        self.get(name).map(|value| line(value).ok_or(MetadataFault::Member(name))).transpose()
    }

    /// A list of such lines.
    pub(super) fn list(&self, name: &'static str) -> Result<Option<Vec<String>>, MetadataFault> {
        let read = |value: &Value| {
            let items = value.as_array().filter(|items| items.len() <= MOST_ITEMS)?;
            items.iter().map(line).collect::<Option<Vec<_>>>()
        };
        self.get(name).map(|value| read(value).ok_or(MetadataFault::Member(name))).transpose()
    }

    pub(super) fn flag(&self, name: &'static str) -> Result<bool, MetadataFault> {
        self.get(name).map_or(Ok(false), |value| value.as_bool().ok_or(MetadataFault::Member(name)))
    }
}

fn line(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let plain = (1..=LONGEST_LINE).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    plain.then(|| text.to_owned())
}
