//! What the played provider answers: values at the places where the manifest says that they are.

use super::book::REFRESH_LIFETIME;
use super::{Issued, Played};
use mortise_connectors::{Auth, LifetimeUnit, TokenResponse};
use serde_json::{Map, Value, json};

/// A reply.
pub struct Answered {
    /// The status code.
    pub status: u16,
    /// Header lines beside those that say how it travels.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answered {
    /// Nothing but a status.
    pub(super) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// JSON.
    pub(super) fn json(status: u16, value: &Value) -> Self {
        Self::text(status, "application/json", value.to_string())
    }

    /// Anything.
    pub(super) fn text(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("content-type".to_owned(), content_type.to_owned())], body: body.into() }
    }
}

impl Played {
    /// A success of the token endpoint. What was told is noted with what was issued.
    pub(super) fn told(&mut self, mut issued: Issued, now: i64) -> Answered {
        let Some(shape) = self.shape() else { return Answered::empty(500) };
        let mut document = Value::Null;
        self.told_for_later(&mut document);
        let mut fields: Vec<_> = shape.extra.iter().collect();
        // A field may hold another.
        fields.sort_by_key(|(_, pointer)| pointer.len());
        for (name, pointer) in fields {
            put(&mut document, pointer, json!(format!("the {name}")));
        }
        let separator = self.auth().map_or(" ", |auth| auth.scope_separator.as_str()).to_owned();
        self.tokens(&mut document, &shape, &mut issued, &separator, now);
        if let Some(ok) = &shape.ok {
            put(&mut document, ok, flag(&shape, true));
        }
        let lifted = |pointer: &String| document.pointer(pointer).cloned();
        issued.extra =
            shape.extra.iter().filter_map(|(name, pointer)| Some((name.clone(), lifted(pointer)?))).collect();
        self.book.issued = Some(issued);
        if let Some(spoil) = &self.spoil {
            spoil(&mut document);
        }
        let body = format!("{}{document}", shape.strip_prefix.as_deref().unwrap_or_default());
        Answered::text(200, "application/json", body)
    }

    fn tokens(&self, document: &mut Value, shape: &TokenResponse, issued: &mut Issued, separator: &str, now: i64) {
        let unit = match shape.expires_in_unit {
            LifetimeUnit::Seconds => 1,
            LifetimeUnit::Milliseconds => 1000,
        };
        match &shape.expires_at {
            Some(pointer) => put(document, pointer, json!(now + issued.lifetime)),
            None => put(document, &shape.expires_in, json!(issued.lifetime * unit)),
        }
        if issued.refresh_token.is_some() {
            issued.refresh_lifetime = Some(REFRESH_LIFETIME);
            put(document, &shape.refresh_expires_in, json!(REFRESH_LIFETIME * unit));
        }
        if !issued.scopes.is_empty() {
            put(document, &shape.scope, json!(issued.scopes.join(separator)));
        }
        if !shape.token_type_optional {
            let bound = self.auth().is_some_and(|auth| auth.dpop);
            put(document, &shape.token_type, json!(if bound { "DPoP" } else { "Bearer" }));
        }
        if let Some(refresh) = &issued.refresh_token {
            put(document, &shape.refresh_token, json!(refresh));
        }
        put(document, &shape.access_token, json!(issued.access_token));
        for (name, token) in &issued.further {
            let Some(place) = shape.further.get(name) else { continue };
            let told = [
                (place.expires_in.as_ref(), json!(token.lifetime * unit)),
                (place.scope.as_ref(), json!(token.scopes.join(separator))),
                (place.refresh_token.as_ref().filter(|_| token.refresh_token.is_some()), json!(token.refresh_token)),
                (Some(&place.access_token), json!(token.access_token)),
            ];
            for (pointer, value) in told {
                if let Some(pointer) = pointer {
                    put(document, pointer, value);
                }
            }
        }
    }

    /// Where the reply keeps what.
    pub(super) fn shape(&self) -> Option<TokenResponse> {
        match &self.manifest.auth {
            Auth::Oauth2(auth) => Some(auth.token_response.clone()),
            Auth::TwoStep(auth) => Some(auth.reply()),
            _ => None,
        }
    }

    /// An error in the provider's own words: with status 200 where a member tells success from failure.
    pub(super) fn refusal(&self, code: &str, status: u16, _now: i64) -> Answered {
        let Some(shape) = self.shape() else { return Answered::empty(status) };
        let mut document = json!({});
        put(&mut document, &shape.error, json!(code));
        match &shape.ok {
            Some(ok) => {
                put(&mut document, ok, flag(&shape, false));
                Answered::json(200, &document)
            }
            None => Answered::json(status, &document),
        }
    }
}

/// What tells success from failure: a truth value, or the provider's own word or number.
fn flag(shape: &TokenResponse, good: bool) -> Value {
    match shape.ok_value.as_deref().map(|word| (word, word.parse::<i64>())) {
        None => json!(good),
        Some((_, Ok(number))) => json!(if good { number } else { number.wrapping_add(1) }),
        Some((word, Err(_))) => json!(if good { word.to_owned() } else { format!("not {word}") }),
    }
}

/// Puts a value at a JSON pointer (RFC 6901) and makes what leads there.
pub(super) fn put(document: &mut Value, pointer: &str, value: Value) {
    let mut place = document;
    for segment in pointer.split('/').skip(1) {
        let name = segment.replace("~1", "/").replace("~0", "~");
        place = match name.parse::<usize>() {
            Ok(index) if index < 100 && !place.is_object() => {
                if !place.is_array() {
                    *place = json!([]);
                }
                let Value::Array(items) = place else { return };
                if items.len() <= index {
                    items.resize(index + 1, Value::Null);
                }
                &mut items[index]
            }
            _ => {
                if !place.is_object() {
                    *place = Value::Object(Map::new());
                }
                let Value::Object(members) = place else { return };
                members.entry(name).or_insert(Value::Null)
            }
        };
    }
    *place = value;
}
