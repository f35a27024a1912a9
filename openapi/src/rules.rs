//! What every operation and every schema of the contract must have. One function a rule; each names what breaks it.

use serde_json::{Map, Value};
use std::collections::BTreeSet;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Everything about the document that breaks a rule, in words. Empty: the contract holds.
pub fn violations(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if document["openapi"].as_str().is_none_or(|version| !version.starts_with("3.1")) {
        found.push("the document is not OpenAPI 3.1".to_owned());
    }
    let tags: BTreeSet<_> = items(&document["tags"]).filter_map(|tag| tag["name"].as_str()).collect();
    let mut ids = BTreeSet::new();
    for (path, item) in members(&document["paths"]) {
        for (method, operation) in members(item).filter(|(method, _)| METHODS.contains(&method.as_str())) {
            let operation =
                Operation { name: format!("{} {path}", method.to_uppercase()), path, method, value: operation };
            operation.check(document, &tags, &mut found);
            let id = operation.value["operationId"].as_str().unwrap_or_default();
            if !ids.insert(id) {
                found.push(format!("{}: the operationId `{id}` is taken", operation.name));
            }
        }
    }
    references(document, document, &mut found);
    for (name, schema) in members(&document["components"]["schemas"]) {
        described(&format!("schema {name}"), schema, &mut found);
    }
    found
}

struct Operation<'a> {
    name: String,
    path: &'a str,
    method: &'a str,
    value: &'a Value,
}

impl Operation<'_> {
    fn check(&self, document: &Value, tags: &BTreeSet<&str>, found: &mut Vec<String>) {
        let mut rule = |holds: bool, what: &str| {
            if !holds {
                found.push(format!("{}: {what}", self.name));
            }
        };
        let public = !self.path.starts_with("/v1/");
        let id = self.value["operationId"].as_str().unwrap_or_default();
        rule(!id.is_empty() && id.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "no snake_case operationId");
        rule(
            self.value["summary"].as_str().is_some_and(|s| !s.is_empty() && !s.ends_with('.')),
            "no summary, or one with a stop",
        );
        rule(
            items(&self.value["tags"]).all(|tag| tag.as_str().is_some_and(|tag| tags.contains(tag))),
            "an unknown tag",
        );
        rule(items(&self.value["tags"]).count() == 1, "not exactly one tag");
        rule(well_formed(self.path), "the path is not kebab-case");
        let security: Vec<_> = items(&self.value["security"]).collect();
        let scoped = security.iter().any(|entry| items(&entry["api_key"]).count() == 1);
        rule(security.len() == 1 && scoped != public, "needs exactly one scope under /v1, and none elsewhere");
        rule(self.method != "get" || self.value["requestBody"].is_null(), "a GET with a body");
        self.parameters(&mut rule);
        self.responses(document, public, &mut rule);
    }

    fn parameters(&self, rule: &mut impl FnMut(bool, &str)) {
        let parameters: Vec<_> = items(&self.value["parameters"]).collect();
        rule(
            parameters.iter().all(|p| p["description"].as_str().is_some_and(|d| !d.is_empty())),
            "a parameter without description",
        );
        let of_path: BTreeSet<_> =
            parameters.iter().filter(|p| p["in"] == "path").filter_map(|p| p["name"].as_str()).collect();
        let in_path: BTreeSet<_> =
            self.path.split('/').filter_map(|s| s.strip_prefix('{')?.strip_suffix('}')).collect();
        rule(of_path == in_path, "path parameters and path differ");
        let created = !self.value["responses"]["201"].is_null();
        let keyed = parameters.iter().any(|p| p["name"] == "Idempotency-Key" && p["in"] == "header");
        rule(self.method != "post" || !created || keyed, "a creating POST without Idempotency-Key");
    }

    fn responses(&self, document: &Value, public: bool, rule: &mut impl FnMut(bool, &str)) {
        let responses = &self.value["responses"];
        let mut good = 0;
        for (status, response) in members(responses) {
            rule(response["description"].as_str().is_some_and(|d| !d.is_empty()), "a response without description");
            if status.starts_with('2') {
                good += 1;
                continue;
            }
            let schema = &response["content"]["application/problem+json"]["schema"]["$ref"];
            rule(schema == "#/components/schemas/Problem", &format!("{status} is no problem document"));
        }
        rule(good > 0, "no good answer");
        rule(!responses["500"].is_null(), "no 500");
        if !public {
            for status in ["401", "403", "422", "503"] {
                rule(!responses[status].is_null(), &format!("no {status}"));
            }
        }
        if !self.value["requestBody"].is_null() {
            for status in ["400", "413", "415"] {
                rule(!responses[status].is_null(), &format!("a body and no {status}"));
            }
            for (_, content) in members(&self.value["requestBody"]["content"]) {
                let schema = resolved(document, &content["schema"]);
                let open = schema["type"] == "object" && !schema["properties"].is_null();
                rule(!open || schema["additionalProperties"] == false, "a request that takes unknown members");
            }
        }
        let list = resolved(document, &responses["200"]["content"]["application/json"]["schema"]);
        if self.value["operationId"].as_str().is_some_and(|id| id.starts_with("list_")) {
            let shape: BTreeSet<_> = members(&list["properties"]).map(|(name, _)| name.as_str()).collect();
            rule(shape == BTreeSet::from(["items", "next_cursor"]), "a list that is not `items` and `next_cursor`");
        }
    }
}

/// `/v1/connect-sessions/{id}/complete`.
fn well_formed(path: &str) -> bool {
    path.split('/').skip(1).all(|segment| {
        let plain = segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')).unwrap_or(segment);
        !plain.is_empty() && plain.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    })
}

/// Every member of every object has a description, or leads to a schema.
fn described(place: &str, schema: &Value, found: &mut Vec<String>) {
    for (name, member) in members(&schema["properties"]) {
        // Beside a reference that may be null, the description stands at the reference.
        let says = |value: &Value| value["description"].as_str().is_some_and(|text| !text.is_empty());
        if !says(member) && !items(&member["oneOf"]).any(says) {
            found.push(format!("{place}: `{name}` has no description"));
        }
        described(&format!("{place}.{name}"), member, found);
    }
    for part in ["allOf", "oneOf", "anyOf"].iter().flat_map(|part| items(&schema[*part])) {
        described(place, part, found);
    }
}

/// Every reference leads somewhere.
fn references(document: &Value, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            if let Some(reference) = object.get("$ref").and_then(Value::as_str)
                && resolve(document, reference).is_none()
            {
                found.push(format!("`{reference}` leads nowhere"));
            }
            object.values().for_each(|value| references(document, value, found));
        }
        Value::Array(array) => array.iter().for_each(|value| references(document, value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn resolve<'a>(document: &'a Value, reference: &str) -> Option<&'a Value> {
    document.pointer(reference.strip_prefix('#')?)
}

/// The schema itself, through references and `null` alternatives.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(found) = schema["$ref"].as_str().and_then(|reference| resolve(document, reference)) {
        return found;
    }
    let alternative = items(&schema["oneOf"]).find(|part| part["type"] != "null");
    alternative.map_or(schema, |part| resolved(document, part))
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests;
