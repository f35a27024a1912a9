//! Bodies that only logins have: JSON with objects inside of each other, and XML.
//!
//! Invariant: buffers are large enough at once and wiped; a value is escaped for where it stands, so that none can end its
//! place.

use crate::ProtocolError;
use mortise_connectors::{Inner, Nested, Piece, TemplateError, pieces};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

type Params<'a> = [(&'a str, Zeroizing<String>)];

/// What stands somewhere in a JSON body.
enum Written<'a> {
    Text(&'a str),
    Literal(serde_json::Value),
}

/// The object, as it is written.
struct Object<'a, 'b>(&'b Nested<Written<'a>>);

impl Serialize for Object<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.members().len()))?;
        for (name, inner) in self.0.members() {
            match inner {
                Inner::Value(Written::Text(text)) => map.serialize_entry(name, text)?,
                Inner::Value(Written::Literal(value)) => map.serialize_entry(name, value)?,
                Inner::Object(object) => map.serialize_entry(name, &Object(object))?,
            }
        }
        map.end()
    }
}

pub(super) fn json(
    params: &Params<'_>,
    literals: &BTreeMap<String, String>,
) -> Result<Zeroizing<Vec<u8>>, ProtocolError> {
    let twice = |name: &str| ProtocolError::ReservedParameter { name: name.to_owned() };
    let mut written = Nested::default();
    for (name, value) in params {
        written.put(name, Written::Text(value)).map_err(|_| twice(name))?;
    }
    for (name, literal) in literals {
        written.put(name, Written::Literal(serde_json::from_str(literal)?)).map_err(|_| twice(name))?;
    }
    let texts = params.iter().map(|(name, value)| 6 * (name.len() + value.len()) + 16).sum::<usize>();
    let most = texts + literals.iter().map(|(name, value)| 6 * name.len() + value.len() + 16).sum::<usize>() + 2;
    let mut body = Zeroizing::new(Vec::with_capacity(most));
    serde_json::to_writer(&mut *body, &Object(&written))?;
    Ok(body)
}

/// The template with `value`s in its places: as text or as what stands between the quotes of an attribute.
pub(super) fn xml<'a>(
    template: &str,
    value: impl Fn(&str) -> Option<&'a str>,
) -> Result<Zeroizing<Vec<u8>>, ProtocolError> {
    let mut parts = Vec::new();
    for piece in pieces(template)? {
        parts.push(match piece {
            Piece::Literal(text) => Zeroizing::new(text.to_owned()),
            Piece::Name(name) => escaped(value(name).ok_or_else(|| TemplateError::NoValue(name.to_owned()))?)?,
        });
    }
    let mut body = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len()).sum()));
    parts.iter().for_each(|part| body.extend_from_slice(part.as_bytes()));
    Ok(body)
}

/// XML 1.0 sections 2.2 and 2.4.
fn escaped(value: &str) -> Result<Zeroizing<String>, ProtocolError> {
    let mut text = Zeroizing::new(String::with_capacity(6 * value.len()));
    for c in value.chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\'' => text.push_str("&apos;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => return Err(TemplateError::Control.into()),
            c => text.push(c),
        }
    }
    Ok(text)
}
