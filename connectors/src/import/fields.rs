//! What the other broker asks customers for, as variables: each gets the narrowest type that its places allow.

mod asked;
mod hosts;

pub(super) use asked::pasted;

use super::Loss;
use super::entry::text;
use super::template::ours;
use serde_json::{Map, Value, json};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

/// Where a variable stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Position {
    /// In a parameter or a header.
    Text,
    /// As a segment of a path.
    Path,
    /// As a part of a host.
    Host,
    /// As the whole host, with an end that is known.
    WholeHost,
    /// As the whole host, which may be any.
    OwnHost,
}

/// What is being read, which decides who may have said what stands in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Reading {
    /// A parameter or a header.
    #[default]
    Value,
    /// A URL without which there is no connection.
    Endpoint,
    /// The base of the API of a provider that tells things with the token.
    Base,
}

/// The inputs of an entry, and where they are used.
#[derive(Default)]
pub(super) struct Fields {
    config: Map<String, Value>,
    used: BTreeMap<String, Used>,
    /// What people paste.
    credentials: Map<String, Value>,
    /// Whether what they paste is changed for a token.
    mints: Cell<bool>,
    steps: Cell<usize>,
    /// What the provider tells, by their names.
    told: BTreeSet<String>,
    reading: Cell<Reading>,
    /// What of it the base of the API is made of, by our names, with its types.
    described: RefCell<BTreeMap<String, (String, &'static str)>>,
    /// What later requests use of the replies to earlier ones: our names with step and path.
    taken: RefCell<BTreeMap<String, (String, String)>>,
    /// Whole hosts that stand for ones with inputs where none may: the host as it was, and our name.
    hosts: Vec<(String, String, Value)>,
    replaced: BTreeSet<String>,
}

struct Used {
    theirs: String,
    position: Position,
    default: Option<String>,
}

impl Fields {
    pub(super) fn new(config: Map<String, Value>) -> Self {
        Self { config, ..Default::default() }
    }

    /// Our name for one of their inputs, if people fill it in.
    pub(super) fn known(&self, theirs: &str) -> Result<String, String> {
        if self.told.contains(theirs) && self.reading.get() == Reading::Base {
            return Ok(ours(theirs));
        }
        let Some(schema) = self.config.get(theirs) else {
            return Err(format!("`{theirs}` is no input of the entry: it comes back from the provider"));
        };
        if is(schema, "secret") {
            if self.has_credential(theirs) {
                return Ok(ours(theirs));
            }
            return Err(format!("`{theirs}` is a secret, and variables are shown"));
        }
        // Where there is no connection without it, it is better asked for than missing.
        if is(schema, "automated") && self.reading.get() != Reading::Endpoint {
            return Err(format!("`{theirs}` is not filled in by people: it comes back from the provider"));
        }
        if self.has_credential_of_ours(&ours(theirs)) && !self.has_credential(theirs) {
            return Err(format!("`{theirs}` is the name of a credential, too"));
        }
        Ok(ours(theirs))
    }

    /// What replies and callbacks tell.
    pub(super) fn tells(&mut self, names: &[String]) {
        self.told.extend(names.iter().cloned());
    }

    /// Says what is read next; what was read before comes back.
    pub(super) fn read(&self, next: Reading) -> Reading {
        self.reading.replace(next)
    }

    /// Whether a name of ours is told by the provider, where that is allowed.
    pub(super) fn is_told(&self, name: &str) -> bool {
        self.reading.get() == Reading::Base && self.told.iter().any(|theirs| ours(theirs) == name)
    }

    /// Notes what a told field has to look like.
    pub(super) fn describe(&self, name: &str, kind: &'static str) {
        if let Some(theirs) = self.told.iter().find(|theirs| ours(theirs) == name) {
            self.described.borrow_mut().insert(name.to_owned(), (theirs.clone(), kind));
        }
    }

    /// Told fields of the base: our name, theirs, and the type.
    pub(super) fn described(&self) -> Vec<(String, String, &'static str)> {
        let described = self.described.borrow();
        described.iter().map(|(name, (theirs, kind))| (name.clone(), theirs.clone(), *kind)).collect()
    }

    /// Notes where a variable stands.
    pub(super) fn stands(&mut self, name: &str, position: Position) {
        if self.has_credential_of_ours(name) {
            return;
        }
        let Some(theirs) = self.config.keys().find(|theirs| ours(theirs) == name).cloned() else { return };
        let used = self.used.entry(name.to_owned()).or_insert(Used { theirs, position, default: None });
        used.position = used.position.max(position);
    }

    /// Notes what stands for a variable where nobody filled it in.
    pub(super) fn default(&mut self, name: &str, value: &str) {
        if let Some(used) = self.used.get_mut(name) {
            used.default = Some(value.to_owned());
        }
    }

    /// The values to choose from; empty where any is allowed.
    pub(super) fn values(&self, name: &str) -> Vec<String> {
        let list = self.schema(name).and_then(|schema| schema.get("enum")).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(text).collect()
    }

    /// The end that every value has by its pattern, such as `my.acme.example` in `^[a-z]+\.my\.acme\.example$`.
    pub(super) fn suffix(&self, name: &str) -> Option<String> {
        let pattern = self.schema(name)?.get("pattern")?.as_str()?;
        let (_, end) = pattern.strip_suffix('$').unwrap_or(pattern).split_once("]+\\.")?;
        let end = end.replace("\\.", ".");
        let label = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        (end.contains('.') && end.split('.').all(label)).then_some(end)
    }

    fn schema(&self, name: &str) -> Option<&Value> {
        self.config.iter().find(|(theirs, _)| ours(theirs) == name).map(|(_, schema)| schema)
    }

    /// The variables that are used. Inputs that nothing uses are lost, unless the provider fills them in.
    pub(super) fn variables(&self, lost: &mut Vec<Loss>) -> Map<String, Value> {
        for (theirs, schema) in &self.config {
            let member = format!("connection_config.{theirs}");
            let used = self.used.values().any(|used| used.theirs == *theirs) || self.replaced.contains(&ours(theirs));
            if !used && !is(schema, "automated") && !is(schema, "hidden") && !self.has_credential(theirs) {
                lost.push(Loss::new(member, "customers would be asked for it, and nothing in the manifest uses it"));
            }
        }
        let hosts = self.hosts.iter().map(|(_, name, variable)| (name.clone(), variable.clone()));
        self.used.iter().map(|(name, used)| (name.clone(), self.variable(name, used, lost))).chain(hosts).collect()
    }

    fn variable(&self, name: &str, used: &Used, lost: &mut Vec<Loss>) -> Value {
        let empty = Value::Null;
        let schema = self.config.get(&used.theirs).unwrap_or(&empty);
        let said = |member: &str| schema.get(member).and_then(text).filter(|text| !text.trim().is_empty());
        let title = said("title").unwrap_or_else(|| spoken(&used.theirs));
        let values = self.values(name);
        let kind = match used.position {
            _ if !values.is_empty() => "enum",
            Position::Text => "text",
            Position::Path => "path_segment",
            Position::Host => "host_label",
            Position::WholeHost => "domain",
            Position::OwnHost => "host",
        };
        let mut variable = json!({"type": kind, "title": line(&title, 80)});
        if let Some(description) = said("description") {
            variable["description"] = line(&description, 300).into();
        }
        if kind == "enum" {
            variable["values"] = values.into();
        }
        if kind == "domain" {
            variable["suffix"] = self.suffix(name).into();
        }
        if let Some(default) = used.default.clone().or_else(|| said("default_value")) {
            variable["default"] = default.into();
        } else if is(schema, "optional") {
            let member = format!("connection_config.{}.optional", used.theirs);
            lost.push(Loss::new(member, "a variable without a default has to be filled in"));
        } else if is(schema, "automated") {
            let member = format!("connection_config.{}.automated", used.theirs);
            lost.push(Loss::new(member, "the other broker finds it out, and here people fill it in"));
        }
        if matches!(kind, "text" | "path_segment") && said("pattern").is_some() {
            let member = format!("connection_config.{}.pattern", used.theirs);
            lost.push(Loss::new(member, format!("a variable is checked by its type, here `{kind}`")));
        }
        variable
    }
}

fn is(schema: &Value, member: &str) -> bool {
    schema.get(member) == Some(&Value::Bool(true))
}

/// A name as people would say it: `accountId` as `Account id`.
fn spoken(theirs: &str) -> String {
    let words = ours(theirs).replace('_', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

/// One line of at most so many characters, without what people would not see.
pub(super) fn line(text: &str, most: usize) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let clean: String = text.chars().map(|c| if hidden(c) { ' ' } else { c }).collect();
    let line = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= most {
        return line;
    }
    let cut: String = line.chars().take(most - 1).collect();
    format!("{}…", cut.trim_end())
}
