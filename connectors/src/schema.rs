//! The members of a manifest as a JSON Schema (draft 7), for editors that complete and underline while somebody writes.
//!
//! Invariant: made from the table that the reader itself goes by, so it refuses nothing that the reader accepts. It says
//! less than the reader: members and their types, and not what has to fit together.

use crate::reference;
use crate::shape::{Field, Mode, Shape, table};
use serde_json::{Map, Value, json};

/// The schema of a manifest.
pub fn schema() -> Value {
    let mut schema = Map::from_iter([
        ("$schema".to_owned(), Value::from("http://json-schema.org/draft-07/schema#")),
        ("title".to_owned(), Value::from("A connector's manifest")),
    ]);
    if let Value::Object(members) = of(&table::MANIFEST, "") {
        schema.extend(members);
    }
    Value::Object(schema)
}

/// The schema of what stands at `path`, a JSON pointer with `*` for names of the author's choice.
fn of(shape: &Shape, path: &str) -> Value {
    match shape {
        Shape::Id => json!({"type": "string", "maxLength": 64, "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"}),
        Shape::Text => json!({"type": "string"}),
        Shape::Flag => json!({"type": "boolean"}),
        Shape::Whole | Shape::Count => json!({"type": "integer", "minimum": 0, "maximum": u32::MAX}),
        Shape::Word(words) => json!({"enum": words}),
        Shape::List(item) => json!({"type": "array", "items": of(item, path)}),
        Shape::Map(value) => json!({"type": "object", "additionalProperties": of(value, &format!("{path}/*"))}),
        Shape::Record(fields) => record(fields, path),
        Shape::OneOf(modes) => one_of(modes, path),
    }
}

fn record(fields: &[Field], path: &str) -> Value {
    let members = fields.iter().map(|field| (field.name.to_owned(), member(field, path)));
    let needed: Vec<_> = fields.iter().filter(|field| field.stand_in.is_some()).map(|field| field.name).collect();
    let mut record = json!({
        "type": "object",
        "properties": members.collect::<Map<_, _>>(),
        "additionalProperties": false,
    });
    if !needed.is_empty() {
        record["required"] = needed.into();
    }
    record
}

/// A record by its `type`: an editor then names the member that is wrong, and not every mode that it is not of.
fn one_of(modes: &[Mode], path: &str) -> Value {
    let words: Vec<_> = modes.iter().map(|mode| mode.word).collect();
    let cases = modes.iter().map(|mode| {
        json!({
            "if": {"properties": {"type": {"const": mode.word}}, "required": ["type"]},
            "then": record(mode.fields, path),
        })
    });
    let tag = described(json!({"enum": words}), &format!("{path}/type"));
    json!({"type": "object", "properties": {"type": tag}, "required": ["type"], "allOf": cases.collect::<Vec<_>>()})
}

fn member(field: &Field, parent: &str) -> Value {
    let path = format!("{parent}/{}", field.name);
    let mut schema = described(of(field.shape, &path), &path);
    if let Some(default) = reference::member(&path).and_then(|member| literal(&member.default, field.shape)) {
        schema["default"] = default;
    }
    schema
}

/// The schema with the reference's words on the member.
fn described(mut schema: Value, path: &str) -> Value {
    if let Some(member) = reference::member(path) {
        schema["description"] = member.text.into();
    }
    schema
}

/// The default where the reference gives a value of the member's own type, and not a sentence.
fn literal(cell: &str, shape: &Shape) -> Option<Value> {
    let text = cell.strip_prefix('`')?.strip_suffix('`')?;
    match shape {
        Shape::Flag => text.parse::<bool>().ok().map(Value::from),
        Shape::Word(words) => words.contains(&text).then(|| Value::from(text)),
        Shape::Text => text.starts_with('/').then(|| Value::from(text)),
        Shape::Id
        | Shape::Whole
        | Shape::Count
        | Shape::List(_)
        | Shape::Map(_)
        | Shape::Record(_)
        | Shape::OneOf(_) => None,
    }
}

#[cfg(test)]
mod tests;
