//! What people paste: the entry's credentials, and inputs that are secrets.

use super::super::entry::text;
use super::super::template::ours;
use super::{Fields, is, line};
use serde_json::{Map, Value, json};

impl Fields {
    /// People paste these, and the secrets among the inputs.
    pub(in crate::import) fn asks_for(&mut self, credentials: Map<String, Value>) {
        let secrets = self.config.iter().filter(|(_, schema)| is(schema, "secret"));
        let secrets: Vec<_> = secrets.map(|(name, schema)| (name.clone(), schema.clone())).collect();
        self.credentials = credentials;
        for (name, schema) in secrets {
            self.credentials.entry(name).or_insert(schema);
        }
    }

    /// What they paste is changed for a token, by so many requests.
    pub(in crate::import) fn changes_them(&self, steps: usize) {
        self.mints.set(true);
        self.steps.set(steps);
    }

    /// Our name for what the reply with the token tells at a path.
    pub(in crate::import) fn take_last(&self, path: &str) -> String {
        self.take(&format!("step{}", self.steps.get()), path)
    }

    pub(in crate::import) fn mints(&self) -> bool {
        self.mints.get()
    }

    pub(in crate::import) fn has_credential(&self, theirs: &str) -> bool {
        self.credentials.contains_key(theirs)
    }

    pub(super) fn has_credential_of_ours(&self, name: &str) -> bool {
        self.credentials.keys().any(|theirs| pasted(theirs) == name)
    }

    /// What stands in a field that people do not see.
    pub(in crate::import) fn fixed(&self, theirs: &str) -> Option<String> {
        let schema = self.credentials.get(theirs).filter(|schema| is(schema, "hidden"))?;
        schema.get("default_value").and_then(text)
    }

    /// The form: every credential that people see. One of them at least is a secret.
    pub(in crate::import) fn form(&self) -> Map<String, Value> {
        let seen = self.credentials.iter().filter(|(theirs, _)| self.fixed(theirs).is_none());
        let mut form: Map<_, _> = seen
            .map(|(theirs, schema)| {
                let secret = is(schema, "secret") || sounds_secret(theirs);
                (pasted(theirs), credential(Some(schema), &super::spoken(theirs), secret))
            })
            .collect();
        if !form.values().any(|one| one["type"] == "secret")
            && let Some(last) = form.values_mut().next_back()
        {
            last["type"] = "secret".into();
        }
        form
    }

    /// Our name for what a step's reply tells at a path.
    pub(in crate::import) fn take(&self, step: &str, path: &str) -> String {
        let name = ours(&format!("{step}_{}", path.replace('.', "_")));
        self.taken.borrow_mut().insert(name.clone(), (step.to_owned(), path.to_owned()));
        name
    }

    /// What is taken of the reply to the step of this number, from 1: our names with paths.
    pub(in crate::import) fn taken_of(&self, number: usize) -> Vec<(String, String)> {
        let (taken, step) = (self.taken.borrow(), format!("step{number}"));
        let of_step = taken.iter().filter(|(_, (of, _))| *of == step);
        of_step.map(|(name, (_, path))| (name.clone(), path.clone())).collect()
    }
}

/// Our name for something that people paste. Some names mean what the provider gives.
pub(in crate::import) fn pasted(theirs: &str) -> String {
    let name = ours(theirs);
    if ["access_token", "refresh_token", "expires_at", "scopes"].contains(&name.as_str()) {
        format!("own_{name}")
    } else {
        name
    }
}

/// Many entries do not say which of their fields are secret.
fn sounds_secret(theirs: &str) -> bool {
    let name = ours(theirs);
    ["password", "secret", "token", "private_key", "api_key", "hmac", "jwt", "assertion"]
        .iter()
        .any(|word| name.contains(word))
}

/// A field to paste into.
pub(in crate::import) fn credential(schema: Option<&Value>, usual: &str, secret: bool) -> Value {
    let said = |member: &str| {
        schema.and_then(|schema| schema.get(member)).and_then(text).filter(|text| !text.trim().is_empty())
    };
    let title = said("title").unwrap_or_else(|| usual.to_owned());
    let mut credential = json!({"type": if secret { "secret" } else { "text" }, "title": line(&title, 80)});
    if let Some(description) = said("description") {
        credential["description"] = line(&description, 300).into();
    }
    if let Some(pattern) = said("pattern") {
        credential["pattern"] = pattern.trim_start_matches('^').trim_end_matches('$').into();
    }
    credential
}
