//! The other broker's templates: `${connectionConfig.name}`, what is computed, and `a || b` for whichever has a value.

use super::fields::{Fields, pasted};

/// A part of a template between `||`.
pub(super) fn alternatives(text: &str) -> Vec<&str> {
    text.split("||").map(str::trim).collect()
}

/// The template in this language, with the names that stand in it.
pub(super) fn converted(text: &str, fields: &Fields) -> Result<(String, Vec<String>), String> {
    let (mut done, mut names, mut rest) = (String::with_capacity(text.len()), Vec::new(), text);
    while let Some((literal, after)) = rest.split_once("${") {
        let Some(end) = closing(after) else { return Err("a `${` has no end".to_owned()) };
        let (inner, behind) = after.split_at(end);
        push_literal(&mut done, literal)?;
        match named(inner, fields)? {
            Named::Literal(text) => push_literal(&mut done, &text)?,
            Named::Name(name) => {
                done.push_str(&format!("{{{name}}}"));
                names.push(name);
            }
        }
        rest = behind.get(1..).unwrap_or_default();
    }
    push_literal(&mut done, rest)?;
    Ok((done, names))
}

/// User name and password out of `Basic ${base64(…:…)}`, each still a template of theirs.
pub(super) fn basic(text: &str) -> Option<(&str, &str)> {
    encoded(text).filter(|(word, ..)| *word == "Basic").map(|(_, username, password)| (username, password))
}

/// The same under any word, which comes first.
pub(super) fn encoded(text: &str) -> Option<(&str, &str, &str)> {
    let (word, inner) = text.trim().split_once(" ${base64(")?;
    let inner = inner.strip_suffix(")}")?;
    let mut depth = 0_usize;
    for (index, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => return Some((word, inner.get(..index)?, inner.get(index + 1..)?)),
            _ => {}
        }
    }
    None
}

/// What stands for an expression.
enum Named {
    Name(String),
    /// A value that nobody is asked for.
    Literal(String),
}

fn push_literal(done: &mut String, literal: &str) -> Result<(), String> {
    if literal.contains(['{', '}']) {
        return Err("a brace stands for itself, which it cannot here".to_owned());
    }
    done.push_str(literal);
    Ok(())
}

/// Where the brace closes that was opened before `text`.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1_usize;
    for (index, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return Some(index),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn named(inner: &str, fields: &Fields) -> Result<Named, String> {
    let name = match inner.split_once('.') {
        None if inner == "apiKey" && fields.has_credential(inner) => return fields.credential(inner),
        None if inner == "accessToken" && fields.mints() => "access_token".to_owned(),
        None if inner == "refresh_token" && fields.mints() => inner.to_owned(),
        Some(("connectionConfig", name)) => fields.known(name)?,
        Some(("credentials", name)) if fields.has_credential(name) => return fields.credential(name),
        Some(("credentials", name)) if fields.mints() && name.starts_with("raw.") => {
            fields.take_last(name.trim_start_matches("raw."))
        }
        Some((step, path)) if fields.mints() && is_step(step) => fields.take(step, path),
        _ => return Err(format!("`${{{inner}}}` is computed while the other broker runs")),
    };
    Ok(Named::Name(name))
}

fn is_step(word: &str) -> bool {
    word.strip_prefix("step").is_some_and(|number| number.len() == 1 && number.bytes().all(|b| b.is_ascii_digit()))
}

impl Fields {
    /// A field that people paste into, or what stands in it where they do not see it.
    fn credential(&self, theirs: &str) -> Result<Named, String> {
        Ok(self.fixed(theirs).map_or_else(|| Named::Name(pasted(theirs)), Named::Literal))
    }
}

/// A name in this language: lower case, with underscores between its words.
pub(super) fn ours(theirs: &str) -> String {
    let mut name = String::with_capacity(theirs.len() + 4);
    let mut small = false;
    for c in theirs.chars() {
        if c.is_ascii_uppercase() && small {
            name.push('_');
        }
        small = c.is_ascii_lowercase() || c.is_ascii_digit();
        name.push(if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' });
    }
    name
}
