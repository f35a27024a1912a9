//! A reply's body as a tree of values, whether it came as JSON or as a form.

use super::json;
use crate::Reply;
use mortise_domain::Timestamp;
use serde_json::{Map, Value};
use zeroize::Zeroize as _;

/// A body that was read. Its texts are wiped when it is dropped, because tokens are among them.
pub(crate) struct Document {
    root: Value,
    /// When the provider says that it answered.
    pub(super) date: Option<Timestamp>,
}

/// Why a body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// No body.
    Empty,
    /// A page for people.
    Html,
    /// Announced as JSON or beginning like it, and no JSON object of reasonable size.
    Json,
    /// Announced as a form, and none, or a name twice.
    Form,
    /// Not UTF-8, or with a byte order mark (RFC 8259 section 8.1).
    Encoding,
    /// None of what is known.
    Unknown,
}

impl Unreadable {
    /// What is wrong, for a person.
    pub(crate) fn detail(self) -> &'static str {
        match self {
            Self::Empty => "the reply is empty",
            Self::Html => "the reply is HTML, not JSON",
            Self::Json => "the reply is malformed JSON",
            Self::Form => "the reply is a malformed form",
            Self::Encoding => "the reply is not plain UTF-8",
            Self::Unknown => "the reply is neither JSON nor a form",
        }
    }
}

impl Document {
    /// Reads the body by its first byte, and where that tells nothing by its announced type: providers announce JSON as
    /// text and forms as HTML. `prefix` is what the provider puts before it all.
    pub(crate) fn read(reply: &Reply, prefix: Option<&str>) -> Result<Self, Unreadable> {
        Ok(Self { root: tree(reply, prefix)?, date: reply.date })
    }

    /// Reads JSON of any kind, a list among it: what an API answers, and not a token endpoint.
    pub(crate) fn read_json(reply: &Reply) -> Result<Self, Unreadable> {
        let text = std::str::from_utf8(&reply.body).map_err(|_| Unreadable::Encoding)?;
        Ok(Self { root: json::parse(text).ok_or(Unreadable::Json)?, date: reply.date })
    }

    /// The value at a JSON pointer (RFC 6901).
    pub(crate) fn get(&self, pointer: &str) -> Option<&Value> {
        self.root.pointer(pointer)
    }

    /// Moves the value at a JSON pointer out, so that no copy of it stays.
    pub(super) fn take(&mut self, pointer: &str) -> Option<Value> {
        self.root.pointer_mut(pointer).map(Value::take)
    }
}

fn tree(reply: &Reply, prefix: Option<&str>) -> Result<Value, Unreadable> {
    let text = std::str::from_utf8(&reply.body).map_err(|_| Unreadable::Encoding)?;
    let text = prefix.and_then(|prefix| text.trim_start().strip_prefix(prefix)).unwrap_or(text);
    let announced = reply.content_type.as_deref().map(essence).unwrap_or_default();
    match text.trim_start_matches([' ', '\t', '\r', '\n']).chars().next() {
        None => Err(Unreadable::Empty),
        Some('\u{feff}') => Err(Unreadable::Encoding),
        Some('{') => json::parse(text).ok_or(Unreadable::Json),
        Some('<') => Err(Unreadable::Html),
        Some(_) if announced == "application/x-www-form-urlencoded" => form(text),
        Some(_) if announced.is_empty() || announced.starts_with("text/") => {
            form(text).map_err(|_| Unreadable::Unknown)
        }
        Some(_) if announced.ends_with("json") => Err(Unreadable::Json),
        Some(_) => Err(Unreadable::Unknown),
    }
}

impl Drop for Document {
    fn drop(&mut self) {
        wipe(&mut self.root);
    }
}

/// The depth is bounded by the parser.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// A flat form with every name once. A replacement character is the trace of bytes that were no UTF-8.
fn form(text: &str) -> Result<Value, Unreadable> {
    let mut members = Map::new();
    let text = text.trim_end_matches(['\r', '\n']);
    for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
        let odd = name.is_empty() || name.contains('\u{fffd}') || value.contains('\u{fffd}');
        if odd
            || members.len() >= json::MOST_VALUES
            || members.insert(name.into_owned(), Value::String(value.into_owned())).is_some()
        {
            return Err(Unreadable::Form);
        }
    }
    if text.contains('=') && !text.contains(['\r', '\n', ' ', '<']) {
        Ok(Value::Object(members))
    } else {
        Err(Unreadable::Form)
    }
}
