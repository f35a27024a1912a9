//! The tree against the members that a manifest has, and their types.
//!
//! Invariant: what comes out always reads as a [`crate::Manifest`]: a broken member is left out, or, if every manifest
//! needs it, replaced by a harmless stand-in, and listed as broken. Deliberately absent: rules between members.

mod near;
pub(crate) mod table;

use crate::Severity;
use crate::diagnostic::Code;
use crate::tree::{Kind, Member, Node, Place};
use crate::validate::{Finding, Spot, escape};
use mortise_domain::ConnectorId;
use serde_json::{Map, Value};
use std::cmp::Reverse;
use std::collections::HashSet;

/// The type of a member.
pub(crate) enum Shape {
    /// The connector's id.
    Id,
    Text,
    Flag,
    /// A whole number of seconds, of 32 bits.
    Whole,
    /// A whole number of things, of 32 bits.
    Count,
    /// One of some words.
    Word(&'static [&'static str]),
    List(&'static Shape),
    /// Names of the author's own choice, each with a value.
    Map(&'static Shape),
    Record(&'static [Field]),
    /// A record whose members depend on the word in its member `type`.
    OneOf(&'static [Mode]),
}

/// One of the records that a member may be.
pub(crate) struct Mode {
    pub(crate) word: &'static str,
    /// With `type` among them.
    pub(crate) fields: &'static [Field],
}

/// A member of a record.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) shape: &'static Shape,
    /// JSON that stands in where the member is missing or broken; none for members that may be left out.
    pub(crate) stand_in: Option<&'static str>,
}

/// What reading a tree gave.
pub(crate) struct Read {
    pub(crate) value: Value,
    pub(crate) findings: Vec<(Finding, Place)>,
    /// JSON pointers of what was left out or replaced.
    pub(crate) broken: Vec<String>,
}

/// Reads a manifest's tree.
pub(crate) fn read(root: &Node) -> Read {
    let mut reader = Reader { findings: Vec::new(), broken: Vec::new() };
    let value = reader.value(root, &table::MANIFEST, "").unwrap_or_else(|| {
        reader.broken.push(String::new());
        stand_in(table::STAND_IN)
    });
    Read { value, findings: reader.findings, broken: reader.broken }
}

fn stand_in(json: &str) -> Value {
    // The table's own texts, which a test reads.
    serde_json::from_str(json).unwrap_or_default()
}

/// Which members an object may have.
#[derive(Clone, Copy)]
enum Known {
    /// Names of the author's own choice.
    Any(&'static Shape),
    Listed(&'static [Field]),
}

/// The mode that a record names, or, where it names none, the one that knows most of its members and lacks the fewest: what
/// is said about the others then is not an echo of that one mistake.
fn mode_of(modes: &'static [Mode], members: &[Member]) -> Option<&'static Mode> {
    let word = members.iter().find(|member| member.name == "type").and_then(|member| match &member.value.kind {
        Kind::Text(word) => Some(word.as_str()),
        _ => None,
    });
    let known = |mode: &&Mode| {
        let has = |member: &&Member| mode.fields.iter().any(|field| field.name == member.name);
        let lacks =
            |field: &&Field| field.stand_in.is_some() && !members.iter().any(|member| member.name == field.name);
        (members.iter().filter(has).count(), Reverse(mode.fields.iter().filter(lacks).count()))
    };
    // The first of equals, which `max_by_key` would pass over.
    modes.iter().find(|mode| Some(mode.word) == word).or_else(|| modes.iter().rev().max_by_key(known))
}

struct Reader {
    findings: Vec<(Finding, Place)>,
    broken: Vec<String>,
}

impl Reader {
    /// The value if it is of the shape; what is wrong with it is reported here.
    fn value(&mut self, node: &Node, shape: &Shape, path: &str) -> Option<Value> {
        match (shape, &node.kind) {
            (_, Kind::Refused) => None,
            (Shape::Text, Kind::Text(text)) => Some(Value::from(text.as_str())),
            (Shape::Id, Kind::Text(text)) => match text.parse::<ConnectorId>() {
                Ok(_) => Some(Value::from(text.as_str())),
                Err(error) => self.refuse(Code::BadId, path, node.place, error.to_string()),
            },
            (Shape::Flag, Kind::Flag(flag)) => Some(Value::from(*flag)),
            (Shape::Whole | Shape::Count, Kind::Number(digits)) if digits.parse::<u32>().is_ok() => {
                digits.parse::<u32>().ok().map(Value::from)
            }
            (Shape::Word(words), Kind::Text(text)) if words.contains(&text.as_str()) => {
                Some(Value::from(text.as_str()))
            }
            (Shape::List(shape), Kind::List(items)) => {
                let items =
                    items.iter().enumerate().filter_map(|(i, item)| self.part(item, shape, format!("{path}/{i}")));
                Some(Value::Array(items.collect()))
            }
            (Shape::Map(shape), Kind::Map(_)) => Some(Value::Object(self.members(node, path, Known::Any(shape)))),
            (Shape::Record(fields), Kind::Map(_)) => Some(Value::Object(self.record(node, fields, path))),
            (Shape::OneOf(modes), Kind::Map(members)) => {
                let fields = mode_of(modes, members)?.fields;
                Some(Value::Object(self.record(node, fields, path)))
            }
            _ => self.refuse(Code::WrongType, path, node.place, shape.instead_of(&node.kind)),
        }
    }

    /// A value that may be left out: broken, it is.
    fn part(&mut self, node: &Node, shape: &Shape, path: String) -> Option<Value> {
        let value = self.value(node, shape, &path);
        if value.is_none() {
            self.broken.push(path);
        }
        value
    }

    fn record(&mut self, node: &Node, fields: &'static [Field], path: &str) -> Map<String, Value> {
        let mut members = self.members(node, path, Known::Listed(fields));
        for field in fields {
            let Some(json) = field.stand_in.filter(|_| !members.contains_key(field.name)) else { continue };
            members.insert(field.name.to_owned(), stand_in(json));
            let path = format!("{path}/{}", field.name);
            if !self.broken.contains(&path) {
                let message = match field.shape {
                    Shape::Id | Shape::Text => format!("`{}` is missing here: add it", field.name),
                    shape => format!("`{}` is missing here: add it, and {}", field.name, shape.wanted()),
                };
                self.refuse(Code::MissingMember, &path, node.place, message);
                self.broken.push(path);
            }
        }
        members
    }

    fn members(&mut self, node: &Node, path: &str, known: Known) -> Map<String, Value> {
        let mut read = Map::new();
        let Kind::Map(members) = &node.kind else { return read };
        let (mut seen, mut meant) = (HashSet::new(), Vec::new());
        for member in members {
            let place = format!("{path}/{}", escape(&member.name));
            let shape = match known {
                Known::Any(shape) => shape,
                Known::Listed(fields) => match fields.iter().find(|field| field.name == member.name) {
                    Some(field) => field.shape,
                    None => {
                        meant.extend(near::slip(&member.name, fields));
                        let message = near::unknown(&member.name, fields, path);
                        self.refuse(Code::UnknownMember, &place, member.place, message);
                        continue;
                    }
                },
            };
            if !seen.insert(member.name.as_str()) {
                let message = format!("`{}` is given twice: keep one", near::short(&member.name));
                self.refuse(Code::DuplicateMember, &place, member.place, message);
            } else if let Some(value) = self.part(&member.value, shape, place) {
                read.insert(member.name.clone(), value);
            }
        }
        // What was meant is not missing as well.
        let absent = meant.into_iter().filter(|name| !seen.contains(name));
        self.broken.extend(absent.map(|name| format!("{path}/{name}")));
        read
    }

    fn refuse(&mut self, code: Code, path: &str, place: Place, message: String) -> Option<Value> {
        let path = path.to_owned();
        let finding = Finding { severity: Severity::Error, code, path, spot: Spot::Value, message, about: Vec::new() };
        self.findings.push((finding, place));
        None
    }
}

impl Shape {
    /// What is wrong with a value of another type, and the way out.
    fn instead_of(&self, found: &Kind) -> String {
        let wanted = self.wanted();
        let text = matches!(self, Self::Text | Self::Id);
        match found {
            Kind::Null => format!("nothing stands here: {wanted}, or leave the member out"),
            Kind::Flag(flag) if text => format!("{wanted}, not a truth value: put it in quotes, as \"{flag}\""),
            Kind::Number(digits) if text => {
                format!("{wanted}, not a number: put it in quotes, as \"{}\"", near::short(digits))
            }
            Kind::Text(text) if matches!(self, Self::Word(_)) => format!("{wanted}, not `{}`", near::short(text)),
            Kind::Text(_) if matches!(self, Self::Whole) => format!("{wanted}, without quotes and unit"),
            Kind::Text(_) if matches!(self, Self::Count) => format!("{wanted}, without quotes"),
            Kind::Number(_) if matches!(self, Self::Whole | Self::Count) => format!("{wanted}, at most {}", u32::MAX),
            Kind::Flag(_) => format!("{wanted}, not a truth value"),
            Kind::Number(_) => format!("{wanted}, not a number"),
            Kind::Text(_) => format!("{wanted}, not a text"),
            Kind::List(_) => format!("{wanted}, not a list"),
            Kind::Map(_) | Kind::Refused => format!("{wanted}, not an object"),
        }
    }

    /// The way out.
    fn wanted(&self) -> String {
        match self {
            Self::Id | Self::Text => "give a text".to_owned(),
            Self::Flag => "use true or false".to_owned(),
            Self::Whole => "give a whole number of seconds".to_owned(),
            Self::Count => "give a whole number".to_owned(),
            Self::Word(words) => format!("use {}", near::listed(words)),
            Self::List(_) => "give a list, such as [one, two]".to_owned(),
            Self::Map(_) => "give names with values, such as {name: value}".to_owned(),
            Self::OneOf(_) => "give an object with `type`".to_owned(),
            Self::Record(fields) => {
                let names: Vec<_> = fields.iter().filter(|f| f.stand_in.is_some()).map(|f| f.name).collect();
                if names.is_empty() {
                    "give an object".to_owned()
                } else {
                    format!("give an object with {}", near::all(&names))
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
