//! Entries whose customers sign tokens with their own key.

use super::Loss;
use super::entry::{Entry, text};
use super::fields::Fields;
use super::oauth2::{Parts, word};
use super::{pasted, urls};
use serde_json::{Map, Value, json};

/// What a token may live here, in seconds.
const LIVES: std::ops::RangeInclusive<u64> = 60..=3600;

/// JWT: what the token says, and with what it is signed.
pub(super) fn signed_jwt(entry: &mut Entry, fields: &mut Fields) -> Result<Parts, Loss> {
    let (mut said, signature) = (entry.object("token"), entry.object("signature"));
    let mut asked = entry.object("credentials");
    parted(&mut said, &mut asked, entry);
    shown_by_the_provider(&mut said, &mut asked, entry);
    fields.asks_for(asked);
    fields.changes_them(0);
    let object = |member: &str| said.get(member).and_then(Value::as_object).cloned().unwrap_or_default();
    let (header, payload) = (object("header"), object("payload"));
    let algorithm =
        header.get("alg").and_then(text).ok_or_else(|| Loss::new("token.header.alg", "the entry has none"))?;
    let shared = algorithm.starts_with("HS");
    let key = said.get("signing_key").and_then(text).unwrap_or_default();
    let key = urls::whole("token.signing_key", &key, fields)?;
    let mut jwt = Map::from_iter([word("algorithm", &algorithm)]);
    // Without a word about it, the letters of a shared key stand for bytes.
    if shared && signature.get("hmac_secret_encoding").and_then(text).is_none() {
        jwt.extend([word("key_encoding", "hex")]);
    }
    if let Some(key_id) = header.get("kid").and_then(text) {
        let key_id = urls::value("token.header.kid", &key_id, fields, &mut entry.lost)?;
        jwt.insert("key_id".to_owned(), key_id.into());
    }
    claims(&payload, entry, fields, &mut jwt)?;
    if let Some(lifetime) = said.get("expires_in_ms").and_then(Value::as_u64).map(|ms| ms / 1000) {
        jwt.insert("lifetime".to_owned(), lifetime.clamp(*LIVES.start(), *LIVES.end()).into());
    }
    let (mut api, verification) = pasted::calls(entry, fields)?;
    if !Value::Object(api.clone()).to_string().contains("{access_token}") {
        api.insert("headers".to_owned(), json!({"Authorization": "Bearer {access_token}"}));
    }
    let mut form = fields.form();
    let shown = Value::Object(jwt.clone()).to_string();
    for (name, one) in &mut form {
        let place = format!("{{{name}}}");
        if shown.contains(&place) {
            // Whoever sees a token reads it, whatever it is called.
            one["type"] = "text".into();
        } else if key == place && !shared {
            one["type"] = "document".into();
            one.as_object_mut().map(|one| one.shift_remove("pattern"));
        } else if key.contains(&place) {
            one["type"] = "secret".into();
        }
    }
    let secrets = form.iter().filter(|(_, one)| one["type"] != "text").map(|(name, _)| format!("{{{name}}}"));
    if secrets.collect::<Vec<_>>() != [key.as_str()] {
        jwt.insert("key".to_owned(), key.into());
    }
    let mut auth = Map::from_iter([word("type", "signed_jwt")]);
    auth.insert("credentials".to_owned(), form.into());
    auth.insert("jwt".to_owned(), jwt.into());
    auth.extend(verification.map(|call| ("verification".to_owned(), call)));
    Ok((auth, api))
}

/// What the token says beside when.
fn claims(
    payload: &Map<String, Value>,
    entry: &mut Entry,
    fields: &mut Fields,
    jwt: &mut Map<String, Value>,
) -> Result<(), Loss> {
    let mut claims = Map::new();
    for (claim, value) in payload {
        let member = format!("token.payload.{claim}");
        let Some(said) = text(value) else {
            entry.lose(member, "a claim is one text here");
            continue;
        };
        let said = urls::value(&member, &said, fields, &mut entry.lost)?;
        match claim.as_str() {
            "iss" => jwt.insert("issuer".to_owned(), said.into()),
            "sub" => jwt.insert("subject".to_owned(), said.into()),
            "aud" => jwt.insert("audience".to_owned(), said.into()),
            _ => claims.insert(claim.clone(), said.into()),
        };
    }
    if !claims.is_empty() {
        jwt.insert("claims".to_owned(), claims.into());
    }
    Ok(())
}

/// A credential that is taken apart at its colon is asked for in two fields.
fn parted(said: &mut Map<String, Value>, asked: &mut Map<String, Value>, entry: &mut Entry) {
    let written = Value::Object(said.clone()).to_string();
    let whole = |name: &&String| written.contains(&format!("${{credentials.{name}.id}}"));
    let Some(name) = asked.keys().find(whole).cloned() else { return };
    let schema = asked.shift_remove(&name).unwrap_or_default();
    let title = schema.get("title").and_then(text).unwrap_or_else(|| name.clone());
    asked.insert(format!("{name}Id"), json!({"title": format!("{title}: the part before the colon")}));
    asked.insert(
        format!("{name}Secret"),
        json!({"title": format!("{title}: the part after the colon"), "secret": true}),
    );
    for (part, field) in [("id", "Id"), ("secret", "Secret")] {
        replaced(said, &format!("${{credentials.{name}.{part}}}"), &format!("${{credentials.{name}{field}}}"));
    }
    entry.lose(format!("credentials.{name}"), "it is asked for in two fields, before and after its colon");
}

/// A fingerprint of the key is asked for as the provider shows it.
fn shown_by_the_provider(said: &mut Map<String, Value>, asked: &mut Map<String, Value>, entry: &mut Entry) {
    let key = said.get("signing_key").and_then(text).unwrap_or_default();
    let computed = format!("${{fingerprint({key})}}");
    if replaced(said, &computed, "${credentials.publicKeyFingerprint}") {
        asked.insert("publicKeyFingerprint".to_owned(), json!({"title": "Fingerprint of the public key"}));
        entry.lose(
            "token.payload",
            "the key's fingerprint is computed there, and here asked for as the provider shows it",
        );
    }
}

/// Whether `from` stood in any text.
fn replaced(said: &mut Map<String, Value>, from: &str, to: &str) -> bool {
    let mut any = false;
    for value in said.values_mut() {
        match value {
            Value::String(text) if text.contains(from) => {
                *text = text.replace(from, to);
                any = true;
            }
            Value::Object(members) => any |= replaced(members, from, to),
            _ => {}
        }
    }
    any
}
