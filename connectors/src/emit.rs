//! JSON values as YAML that this crate's own reader, and any other, reads back as the same values.
//!
//! Invariant: a text stands bare only where no reader of YAML 1.1 or 1.2 takes it for anything but a text; otherwise it
//! stands in JSON's quotes, which YAML has too. Deliberately absent: comments, block texts, anchors.

use serde_json::Value;

/// A value, one member a line, lists of single values in one line.
pub fn yaml(value: &Value) -> String {
    let mut text = String::new();
    write(value, 0, &mut text);
    text
}

fn write(value: &Value, indent: usize, text: &mut String) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, value) in members {
                text.push_str(&" ".repeat(indent));
                text.push_str(&scalar(name));
                text.push(':');
                if is_block(value) {
                    text.push('\n');
                    write(value, indent + 2, text);
                } else {
                    text.push(' ');
                    text.push_str(&flow(value));
                    text.push('\n');
                }
            }
        }
        other => {
            text.push_str(&flow(other));
            text.push('\n');
        }
    }
}

fn is_block(value: &Value) -> bool {
    value.as_object().is_some_and(|members| !members.is_empty())
}

fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| format!("{}: {}", scalar(name), flow(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn scalar(text: &str) -> String {
    if is_bare(text) {
        return text.to_owned();
    }
    let quoted = Value::from(text).to_string();
    quoted.chars().map(|c| if is_seen(c) { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) }).collect()
}

/// Whether YAML lets a character stand as itself (1.2 section 5.1); all that it does not let has four digits.
fn is_seen(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Words that YAML 1.1 reads as truth values or as nothing, in any spelling.
const TAKEN: &[&str] = &["true", "false", "yes", "no", "on", "off", "y", "n", "null"];

/// A letter or a slash first, then letters, digits and what has no meaning inside a word; spaces only between words.
fn is_bare(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || "_-./ ".contains(c);
    let url =
        text.starts_with("https://") && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-./:?=&%~+".contains(c));
    let word = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') && text.chars().all(inner);
    (word || url) && !text.ends_with([' ', ':']) && !TAKEN.contains(&text.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{shape, tree};
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn members_stand_one_a_line() {
        let value =
            json!({"id": "acme", "name": "Acme: 1", "list": ["a b", "true", "1"], "in": {"x": {}, "n": 7, "t": "{a}"}});
        let expected =
            "id: acme\nname: \"Acme: 1\"\nlist: [a b, \"true\", \"1\"]\nin:\n  x: {}\n  \"n\": 7\n  t: \"{a}\"\n";
        assert_eq!(yaml(&value), expected);
        assert_eq!(yaml(&json!({"u": "https://a.example/b"})), "u: https://a.example/b\n");
    }

    proptest! {
        /// Whatever a text holds, the reader reads it back.
        #[test]
        fn texts_come_back_as_they_were(text in any::<String>(), name in "[a-z]{1,5}|yes|1|~|.*") {
            let value = json!({"scopes": {name: text}});
            let written = yaml(&value);
            let (root, faults) = tree::read(&written);
            prop_assert!(faults.is_empty(), "{faults:?}\n{written}");
            let read = shape::read(&root.expect("a tree")).value;
            prop_assert_eq!(&read["scopes"], &value["scopes"], "{}", written);
        }
    }
}
