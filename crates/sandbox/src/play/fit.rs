//! How a request compares with what is expected of it: every departure in words, and the values that are judged later.
//!
//! Invariant: words name parameters and headers, never their values.

use super::Arrived;
use super::arrived::Body;
use super::wanted::{Authorization, Place, Said, Want, Wanted};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::collections::BTreeMap;
use url::Url;

/// Header lines that say how the message travels, and not what it means.
const OF_TRANSPORT: &[&str] =
    &["host", "user-agent", "accept-encoding", "connection", "content-length", "content-type", "authorization"];

/// How well a request fits.
#[derive(Default)]
pub(super) struct Fit {
    pub(super) breaches: Vec<String>,
    /// What was pasted is written as described, and is not what the customer has.
    pub(super) not_theirs: bool,
    said: BTreeMap<Said, String>,
}

impl Fit {
    /// A value that was said.
    pub(super) fn said(&self, what: Said) -> Option<&str> {
        self.said.get(&what).map(String::as_str)
    }

    /// The smaller, the closer.
    pub(super) fn distance(&self) -> usize {
        self.breaches.len()
    }

    pub(super) fn breach(&mut self, what: impl Into<String>) {
        self.breaches.push(what.into());
    }

    fn value(&mut self, place: &str, value: &str, want: &Want) {
        match want {
            Want::Exactly(exact) if exact == value => {}
            Want::OneOf(allowed) if allowed.contains(&value) => {}
            Want::Exactly(_) | Want::OneOf(_) => self.breach(format!("{place} has another value than described")),
            Want::Value(_) if value.is_empty() => self.breach(format!("{place} is empty")),
            Want::Value(said) => self.say(place, *said, value),
            Want::Within { said, start, end } => {
                match value.strip_prefix(start.as_str()).and_then(|rest| rest.strip_suffix(end.as_str())) {
                    Some(inside) if !inside.is_empty() => self.say(place, *said, inside),
                    Some(_) | None => self.breach(format!("{place} is not built as described")),
                }
            }
            Want::Filled { whole, start, end } => match value == whole {
                true => {}
                false if value.starts_with(start.as_str()) && value.ends_with(end.as_str()) => self.not_theirs = true,
                false => self.breach(format!("{place} is not built as described")),
            },
        }
    }

    /// The same thing said in two places has to be the same.
    fn say(&mut self, place: &str, said: Said, value: &str) {
        match self.said.insert(said, value.to_owned()) {
            Some(before) if before != value => self.breach(format!("{place} contradicts what is said elsewhere")),
            Some(_) | None => {}
        }
    }
}

/// Compares a request with what the endpoint at `url` wants.
pub(super) fn judge(arrived: &Arrived, url: &Url, wanted: &Wanted) -> Fit {
    let mut fit = Fit::default();
    if arrived.method != wanted.method {
        fit.breach(format!("the method is {} and not {}", arrived.method, wanted.method));
    }
    let fixed: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let query = without(arrived.query(), &fixed, &mut fit);
    let given = match (&wanted.place, arrived.body()) {
        (Place::Query, Body::Nothing) => query,
        (Place::Query, _) => {
            fit.breach("there is a body, where everything belongs into the query");
            query
        }
        (Place::Form, Body::Form(params)) | (Place::Json, Body::Json(params)) => {
            for (name, _) in query {
                fit.breach(format!("the parameter `{name}` is in the query"));
            }
            params
        }
        (Place::Form, Body::Nothing) if wanted.params.is_empty() => Vec::new(),
        (Place::Tree(tree), _) => {
            whole_tree(arrived, tree, &mut fit);
            query
        }
        (Place::Xml(xml), _) => {
            if arrived.header("content-type") != Some("application/xml") {
                fit.breach("the body is no XML (application/xml)");
            }
            fit.value("the body", &String::from_utf8_lossy(&arrived.body), xml);
            query
        }
        (Place::Form, _) => {
            fit.breach("the body is no form (application/x-www-form-urlencoded)");
            Vec::new()
        }
        (Place::Json, _) => {
            fit.breach("the body is no JSON object (application/json)");
            Vec::new()
        }
    };
    params(&given, &wanted.params, &mut fit);
    headers(arrived, wanted, &mut fit);
    authorization(arrived, wanted, &mut fit);
    fit
}

/// The whole body: the same values in the same places, or at least something in each.
fn whole_tree(arrived: &Arrived, tree: &Value, fit: &mut Fit) {
    let announced = arrived.header("content-type") == Some("application/json");
    match serde_json::from_slice::<Value>(&arrived.body) {
        Ok(body) if announced && body == *tree => {}
        Ok(body) if announced && shape(&body) == shape(tree) => fit.not_theirs = true,
        Ok(_) if announced => fit.breach("the body has other members than described"),
        Ok(_) | Err(_) => fit.breach("the body is no JSON (application/json)"),
    }
}

/// What a value looks like, whatever its texts say.
fn shape(value: &Value) -> Value {
    match value {
        Value::String(_) => Value::from("text"),
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// The query without what the URL of the manifest has in it, each of which has to be there once.
pub(super) fn without(
    mut query: Vec<(String, String)>,
    fixed: &[(String, String)],
    fit: &mut Fit,
) -> Vec<(String, String)> {
    for pair in fixed {
        match query.iter().position(|given| given == pair) {
            Some(at) => {
                query.remove(at);
            }
            None => fit.breach(format!("the query lacks `{}` of the manifest's URL", pair.0)),
        }
    }
    query
}

pub(super) fn params(given: &[(String, String)], wanted: &[(String, Want)], fit: &mut Fit) {
    for (name, want) in wanted {
        let mut values = given.iter().filter(|(known, _)| known == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => fit.value(&format!("the parameter `{name}`"), value, want),
            (Some(_), Some(_)) => fit.breach(format!("the parameter `{name}` stands there twice")),
            (None, _) => fit.breach(format!("the parameter `{name}` is missing")),
        }
    }
    for (name, _) in given.iter().filter(|(name, _)| !wanted.iter().any(|(known, _)| known == name)) {
        fit.breach(format!("the parameter `{name}` is not described"));
    }
}

fn headers(arrived: &Arrived, wanted: &Wanted, fit: &mut Fit) {
    for (name, want) in &wanted.headers {
        match arrived.header(name) {
            Some(value) => fit.value(&format!("the header `{name}`"), value, want),
            None => fit.breach(format!("the header `{name}` is missing, or there twice")),
        }
    }
    let known = |name: &str| OF_TRANSPORT.contains(&name) || wanted.headers.iter().any(|(known, _)| known == name);
    for (name, _) in arrived.headers.iter().filter(|(name, _)| !known(name)) {
        fit.breach(format!("the header `{name}` is not described"));
    }
}

fn authorization(arrived: &Arrived, wanted: &Wanted, fit: &mut Fit) {
    const PLACE: &str = "the header `authorization`";
    let given = arrived.headers.iter().filter(|(name, _)| name == "authorization").count();
    let header = arrived.header("authorization");
    match (wanted.authorization, header) {
        (Authorization::AmongHeaders, _) => {}
        (Authorization::Absent, _) if given == 0 => {}
        (Authorization::Absent, _) => fit.breach(format!("{PLACE} is not described")),
        (_, None) => fit.breach(format!("{PLACE} is missing, or there twice")),
        (Authorization::Bearer | Authorization::Dpop, Some(header)) => {
            let scheme = if wanted.authorization == Authorization::Dpop { "DPoP" } else { "Bearer" };
            match header.strip_prefix(scheme).and_then(|rest| rest.strip_prefix(' ')) {
                Some(token) => fit.say(PLACE, Said::Token, token),
                None => fit.breach(format!("{PLACE} is not `{scheme}`")),
            }
        }
        (Authorization::Basic, Some(header)) => match basic(header) {
            Some((id, secret)) => {
                let decoded = (form_decoded(&id), form_decoded(&secret));
                if let (Some(id), Some(secret)) = decoded {
                    fit.say(PLACE, Said::ClientId, &id);
                    fit.say(PLACE, Said::ClientSecret, &secret);
                } else {
                    fit.breach(format!("{PLACE} holds parts that are not form-encoded"));
                }
            }
            None => fit.breach(format!("{PLACE} is not HTTP Basic")),
        },
        (Authorization::SecretAsUser, Some(header)) => match basic(header) {
            Some((secret, nothing)) if nothing.is_empty() => fit.say(PLACE, Said::ClientSecret, &secret),
            Some(_) => fit.breach(format!("{PLACE} has something behind the secret")),
            None => fit.breach(format!("{PLACE} is not HTTP Basic")),
        },
    }
}

/// The two parts of HTTP Basic (RFC 7617).
pub(super) fn basic(header: &str) -> Option<(String, String)> {
    let decoded = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
    let (user, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// One part of RFC 6749 section 2.3.1.
fn form_decoded(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}
