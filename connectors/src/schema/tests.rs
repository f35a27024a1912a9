use super::*;
use crate::tree;
use crate::{catalog, shape};

const COMMITTED: &str = include_str!("../../../docs/connector.schema.json");

/// What the schema says of a value, by the keywords that it uses; any other keyword is a fault of this test.
fn accepts(schema: &Value, value: &Value) -> bool {
    let members = value.as_object();
    schema.as_object().expect("a schema").iter().all(|(keyword, rule)| match keyword.as_str() {
        "$schema" | "title" | "description" | "default" => true,
        "type" => match rule.as_str().expect("a type") {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_u64() || value.is_i64(),
            other => panic!("{other}"),
        },
        "enum" => rule.as_array().expect("values").contains(value),
        "const" => rule == value,
        "minimum" => value.as_i64().is_none_or(|number| number >= rule.as_i64().expect("a number")),
        "maximum" => value.as_u64().is_none_or(|number| number <= rule.as_u64().expect("a number")),
        "maxLength" => {
            value.as_str().is_none_or(|text| text.chars().count() as u64 <= rule.as_u64().expect("a number"))
        }
        "pattern" => value.as_str().is_none_or(|text| text.parse::<mortise_domain::ConnectorId>().is_ok()),
        "items" => value.as_array().is_none_or(|items| items.iter().all(|item| accepts(rule, item))),
        "properties" => members.is_none_or(|members| {
            let known = rule.as_object().expect("members");
            members.iter().all(|(name, value)| known.get(name).is_none_or(|schema| accepts(schema, value)))
        }),
        "required" => members.is_none_or(|members| {
            rule.as_array().expect("names").iter().all(|name| members.contains_key(name.as_str().expect("a name")))
        }),
        "additionalProperties" => members.is_none_or(|members| {
            let known = schema.get("properties").and_then(Value::as_object);
            let mut others = members.iter().filter(|(name, _)| known.is_none_or(|known| !known.contains_key(*name)));
            match rule {
                Value::Bool(allowed) => *allowed || others.next().is_none(),
                rule => others.all(|(_, value)| accepts(rule, value)),
            }
        }),
        "allOf" => rule.as_array().expect("schemas").iter().all(|schema| accepts(schema, value)),
        "if" => !accepts(rule, value) || accepts(&schema["then"], value),
        "then" => true,
        other => panic!("the test does not know `{other}`"),
    })
}

fn read(text: &str) -> shape::Read {
    shape::read(&tree::read(text).0.expect("a tree"))
}

#[test]
fn the_published_schema_is_the_one_that_the_table_gives() {
    let written = serde_json::to_string_pretty(&schema()).expect("JSON") + "\n";
    assert!(written == COMMITTED, "run `cargo run -p mortise-openapi -- write`");
}

#[test]
fn every_entry_of_the_catalog_fits() {
    let schema = schema();
    for id in catalog::ids() {
        let read = read(&catalog::get(&id).expect("an entry"));
        assert!(accepts(&schema, &read.value), "{id}");
    }
}

/// Each member of every record, put wrong in several ways: the schema and the reader agree on each.
#[test]
fn the_schema_refuses_what_the_reader_refuses_and_nothing_else() {
    let schema = schema();
    let entries = ["github", "slack", "zendesk", "microsoft", "spotify-client-credentials"];
    let (mut refused, mut accepted) = (0, 0);
    for id in entries {
        let whole = read(&catalog::get(id).expect("an entry")).value;
        for pointer in pointers(&whole, String::new()) {
            for wrong in
                [json!(true), json!(7), json!([]), json!({}), json!("?"), json!([1]), json!({"a": {}}), json!(null)]
            {
                let mut changed = whole.clone();
                *changed.pointer_mut(&pointer).expect("a member") = wrong;
                let ours = read(&changed.to_string()).findings.is_empty();
                assert_eq!(accepts(&schema, &changed), ours, "{id}{pointer}: {changed}");
                *(if ours { &mut accepted } else { &mut refused }) += 1;
            }
            let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
            let mut without = whole.clone();
            let parent = without.pointer_mut(parent).and_then(Value::as_object_mut);
            if let Some(members) = parent {
                members.remove(name);
                members.insert("nobody".to_owned(), json!("x"));
                assert_eq!(accepts(&schema, &without), read(&without.to_string()).findings.is_empty(), "{id}{pointer}");
            }
        }
    }
    assert!(refused > 500 && accepted > 20, "{refused} refused, {accepted} accepted");
}

/// Every place below the top whose name needs no escape.
fn pointers(value: &Value, path: String) -> Vec<String> {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect(),
        _ => Vec::new(),
    };
    let plain = inner.into_iter().filter(|(name, _)| !name.contains(['/', '~']));
    plain
        .flat_map(|(name, value)| {
            let path = format!("{path}/{name}");
            [vec![path.clone()], pointers(value, path)].concat()
        })
        .collect()
}

#[test]
fn members_carry_the_words_of_the_reference_and_their_defaults() {
    let schema = schema();
    let name = &schema["properties"]["name"];
    assert_eq!(name["description"], "the provider's name as customers know it, 1 to 80 characters");
    let oauth2 = &schema["properties"]["auth"]["allOf"][0]["then"]["properties"];
    assert_eq!(oauth2["recovery_class"]["default"], "F");
    assert_eq!(oauth2["reuse_penalty"]["default"], false);
    assert_eq!(oauth2["token_response"]["properties"]["access_token"]["default"], "/access_token");
    assert_eq!(oauth2["refresh_url"].get("default"), None);
}
