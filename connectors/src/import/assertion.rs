//! Entries that sign, or are given, an assertion: of the customer for a token, or of the client for itself.

use super::Loss;
use super::entry::{Entry, text};
use super::fields::Fields;
use super::oauth2::{self, Parts, word};
use super::urls;
use serde_json::{Map, Value, json};

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const SAML: &str = "urn:ietf:params:oauth:grant-type:saml2-bearer";
/// RFC 7523 sets no limit; a copy of what is good for longer is worth stealing.
const LONGEST: u64 = 3600;
const LONGEST_OF_CLIENT: u64 = 300;

/// What kind of assertion an entry of several steps has, if it is one of OAuth's own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asserts {
    /// RFC 7523 section 2.1.
    ForACustomer,
    /// RFC 7523 section 2.2.
    ForTheClient,
    /// RFC 7522.
    Saml,
}

/// Which it is.
pub(super) fn asserts(entry: &Entry) -> Option<Asserts> {
    if entry.has("additional_steps") {
        return None;
    }
    let params = entry.peek("token_params")?;
    let grant = params.get("grant_type").and_then(Value::as_str);
    match grant {
        Some(JWT_BEARER) if entry.has("token") || entry.has("assertion") => Some(Asserts::ForACustomer),
        Some(SAML) => Some(Asserts::Saml),
        Some("client_credentials") if entry.has("assertion") => Some(Asserts::ForTheClient),
        _ => None,
    }
}

/// The manifest of such an entry.
pub(super) fn oauth2(kind: Asserts, entry: &mut Entry, fields: &mut Fields) -> Result<Parts, Loss> {
    let grant = match kind {
        Asserts::ForACustomer => "jwt_bearer",
        Asserts::ForTheClient => "client_credentials",
        Asserts::Saml => "saml2_bearer",
    };
    let mut auth = Map::from_iter([word("type", "oauth2"), word("grant", grant)]);
    let url = entry.text("token_url").ok_or_else(|| Loss::new("token_url", "the entry has none"))?;
    auth.insert("token_url".to_owned(), urls::url("token_url", &url, fields, &mut entry.lost)?.into());
    let signed = signed(entry, kind);
    let mut params = entry.object("token_params");
    let with_secret = params.contains_key("client_secret");
    let ours = ["grant_type", "assertion", "client_assertion", "client_assertion_type", "client_id", "client_secret"];
    params.retain(|name, _| !ours.contains(&name.as_str()));
    let mut form = entry.object("credentials");
    // The client's id and secret are the app's, and what is signed is put together here.
    let client = client_id(kind, &signed, &form);
    form.retain(|name, _| {
        let signs = name == "assertion" && kind != Asserts::Saml;
        Some(name) != client.as_ref()
            && name != "clientSecret"
            && !signs
            && (kind != Asserts::ForTheClient || name == "keyId" || name == "certificateId")
    });
    for (name, schema) in entry.object("assertion_option") {
        if kind == Asserts::ForACustomer {
            form.entry(name).or_insert(schema);
        }
    }
    entry.lose("credentials", "each customer has a client there; here the app has it: register an app for each");
    match kind {
        Asserts::ForACustomer => {
            let key = signed.key.clone();
            fields.asks_for(form);
            let assertion = for_a_customer(&signed, entry, fields)?;
            let mut form = fields.form();
            if let Some(key) = form.get_mut(&super::template::ours(&key)) {
                key["type"] = "document".into();
            }
            form.retain(|name, _| *name == super::template::ours(&key) || names(&assertion, name));
            auth.insert("credentials".to_owned(), form.into());
            auth.insert("assertion".to_owned(), assertion);
            auth.extend([word("client_authentication", if with_secret { "client_secret_post" } else { "none" })]);
        }
        Asserts::ForTheClient => {
            auth.extend([word("client_authentication", "private_key_jwt")]);
            auth.insert("client_assertion".to_owned(), for_the_client(&signed, entry, fields));
        }
        Asserts::Saml => {
            entry.lose("assertion", "the assertion is made and signed elsewhere, and pasted here");
            auth.extend([word("client_authentication", "none")]);
        }
    }
    entry.put("token_params", Value::Object(params));
    // Where the reply keeps what is as OAuth has it, or the entry cannot be said.
    let reply = entry.object("token_response");
    if reply.get("token").and_then(text).is_some_and(|path| path != "access_token") {
        return Err(Loss::new("token_response.token", "a reply of this grant has its token in `access_token`"));
    }
    oauth2::token_endpoint(entry, fields, &mut auth)?;
    for member in ["authorization_url", "authorization_params", "signature"] {
        entry.object(member);
    }
    let usual = auth.get("token_response") == Some(&json!({"token_type_optional": true}));
    if usual && kind == Asserts::ForTheClient {
        auth.shift_remove("token_response");
    }
    let api = oauth2::api(entry, fields);
    Ok((auth, api))
}

/// What is signed, in the words of either member of the list.
#[derive(Default)]
struct Signed {
    /// The credential that is the key.
    key: String,
    lifetime: Option<u64>,
    header: Map<String, Value>,
    payload: Map<String, Value>,
}

fn signed(entry: &mut Entry, kind: Asserts) -> Signed {
    if kind == Asserts::Saml {
        entry.object("assertion");
        return Signed::default();
    }
    let mut said = entry.object("token");
    said.extend(entry.object("assertion"));
    let object = |member: &str| said.get(member).and_then(Value::as_object).cloned().unwrap_or_default();
    let key = said.get("signing_key").or_else(|| said.get("key")).and_then(text).unwrap_or_default();
    let lifetime = said.get("expires_in_ms").and_then(Value::as_u64).map(|ms| ms / 1000);
    Signed {
        key: key.trim_end_matches('}').rsplit('.').next().unwrap_or_default().to_owned(),
        lifetime: lifetime.or_else(|| said.get("lifetimeInSeconds").and_then(Value::as_u64)),
        header: object("header"),
        payload: object("payload"),
    }
}

/// The credential that is the client's id.
fn client_id(kind: Asserts, signed: &Signed, form: &Map<String, Value>) -> Option<String> {
    let issuer = signed.payload.get("iss").and_then(text).unwrap_or_default();
    let name = issuer.strip_prefix("${credentials.")?.strip_suffix('}')?.to_owned();
    let is_client = kind == Asserts::ForTheClient || name.eq_ignore_ascii_case("clientId");
    (is_client && form.contains_key(&name)).then_some(name)
}

fn for_a_customer(signed: &Signed, entry: &mut Entry, fields: &mut Fields) -> Result<Value, Loss> {
    let mut assertion = Map::new();
    let mut claims = Map::new();
    for (claim, value) in &signed.payload {
        let member = format!("token.payload.{claim}");
        let said = text(value).unwrap_or_default().replace("${credentials.clientId}", "\u{1}");
        let ours = match claim.as_str() {
            "iss" => "issuer",
            "sub" => "subject",
            "aud" => "audience",
            // Each assertion has an id of its own here.
            "jti" => continue,
            "scope" => {
                assertion.insert("scope_claim".to_owned(), "scope".into());
                entry.lose(member, "the scopes are the app's");
                continue;
            }
            _ => "",
        };
        let value = urls::value(&member, &said, fields, &mut entry.lost)?.replace('\u{1}', "{client_id}");
        if ours.is_empty() {
            claims.insert(claim.clone(), value.into())
        } else {
            assertion.insert(ours.to_owned(), value.into())
        };
    }
    if !claims.is_empty() {
        assertion.insert("claims".to_owned(), claims.into());
    }
    if let Some(lifetime) = signed.lifetime {
        assertion.insert("lifetime".to_owned(), lifetime.min(LONGEST).into());
    }
    header(signed, &mut assertion, "token.header", entry, fields)?;
    assertion.insert("key".to_owned(), super::template::ours(&signed.key).into());
    Ok(assertion.into())
}

fn for_the_client(signed: &Signed, entry: &mut Entry, fields: &mut Fields) -> Value {
    let mut assertion = Map::new();
    if let Some(audience) = signed.payload.get("aud").and_then(text)
        && let Ok(audience) = urls::value("assertion.payload.aud", &audience, fields, &mut entry.lost)
    {
        assertion.insert("audience".to_owned(), audience.into());
    }
    if let Some(lifetime) = signed.lifetime {
        assertion.insert("lifetime".to_owned(), lifetime.min(LONGEST_OF_CLIENT).into());
    }
    if let Err(why) = header(signed, &mut assertion, "assertion.header", entry, fields) {
        // A key that is stored as a JWK says its id itself.
        entry.lost.push(why);
    }
    assertion.into()
}

fn header(
    signed: &Signed,
    assertion: &mut Map<String, Value>,
    base: &str,
    entry: &mut Entry,
    fields: &mut Fields,
) -> Result<(), Loss> {
    for (name, value) in &signed.header {
        let (member, value) = (format!("{base}.{name}"), text(value).unwrap_or_default());
        match name.as_str() {
            "typ" => {}
            "alg" => {
                assertion.insert("algorithm".to_owned(), value.into());
            }
            "kid" => {
                let value = urls::value(&member, &value, fields, &mut entry.lost)?;
                assertion.insert("key_id".to_owned(), value.into());
            }
            _ => entry.lose(member, "no member says this"),
        }
    }
    Ok(())
}

/// Whether a template in `value` names it.
fn names(value: &Value, name: &str) -> bool {
    value.to_string().contains(&format!("{{{name}}}"))
}
