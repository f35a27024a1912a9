//! One entry, member by member: what nobody took is lost, and said to be.

use super::Loss;
use serde_json::{Map, Value};

/// Members that say nothing about how access is obtained and kept.
const ASIDE: &[&str] = &[
    "docs",
    "docs_connect",
    "logo",
    "setup_guide_url",
    "webhook_allowed_query_params",
    "webhook_routing_script",
    "webhook_user_defined_secret",
];

/// An entry's members, which go as they are taken.
pub(super) struct Entry {
    members: Map<String, Value>,
    /// What is known not to go into the manifest.
    pub(super) lost: Vec<Loss>,
    /// A header that is HTTP Basic, until somebody takes it apart.
    pub(super) basic: Option<String>,
}

impl Entry {
    pub(super) fn new(members: Map<String, Value>) -> Self {
        Self { members, lost: Vec::new(), basic: None }
    }

    /// Notes something that does not go into the manifest.
    pub(super) fn lose(&mut self, member: impl Into<String>, why: impl Into<String>) {
        self.lost.push(Loss::new(member, why));
    }

    /// Takes a text, or a number or truth value as a text.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        text(&self.members.shift_remove(name)?)
    }

    /// Takes anything.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.members.shift_remove(name)
    }

    /// Looks at a member and leaves it.
    pub(super) fn peek(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    /// Whether there is such a member.
    pub(super) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// Puts a member back for whoever reads it next.
    pub(super) fn put(&mut self, name: &str, value: Value) {
        self.members.insert(name.to_owned(), value);
    }

    /// Takes a truth value.
    pub(super) fn flag(&mut self, name: &str) -> bool {
        self.members.shift_remove(name).is_some_and(|value| value == Value::Bool(true))
    }

    /// Takes a whole number.
    pub(super) fn number(&mut self, name: &str) -> Option<u64> {
        self.members.shift_remove(name)?.as_u64()
    }

    /// Takes a list of texts.
    pub(super) fn texts(&mut self, name: &str) -> Vec<String> {
        let list = self.members.shift_remove(name);
        list.as_ref().and_then(Value::as_array).into_iter().flatten().filter_map(text).collect()
    }

    /// Takes an object; empty where there is none.
    pub(super) fn object(&mut self, name: &str) -> Map<String, Value> {
        match self.members.shift_remove(name) {
            Some(Value::Object(members)) => members,
            Some(_) | None => Map::new(),
        }
    }

    /// Takes names with texts; a value that is none is lost.
    pub(super) fn pairs(&mut self, name: &str) -> Vec<(String, String)> {
        let members = self.object(name);
        pairs(name, members, &mut self.lost)
    }

    /// What was lost, with what is left over.
    pub(super) fn finish(mut self) -> Vec<Loss> {
        for name in self.members.keys().filter(|name| !ASIDE.contains(&name.as_str())) {
            let code = name.ends_with("_script");
            let why = if code { "it names code of the other broker" } else { "no member says this" };
            self.lost.push(Loss::new(name, why));
        }
        self.lost
    }
}

/// Names with texts.
pub(super) fn pairs(member: &str, members: Map<String, Value>, lost: &mut Vec<Loss>) -> Vec<(String, String)> {
    let mut pairs = Vec::with_capacity(members.len());
    for (name, value) in members {
        match text(&value) {
            Some(value) => pairs.push((name, value)),
            None => lost.push(Loss::new(format!("{member}.{name}"), "only a single value can be sent")),
        }
    }
    pairs
}

/// A single value as a text.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
