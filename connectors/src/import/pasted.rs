//! Pasted credentials as the list describes them.

use super::Loss;
use super::entry::{Entry, pairs, text};
use super::fields::Fields;
use super::{template, urls};
use serde_json::{Map, Value, json};

/// A manifest's `auth` and `api`.
type Parts = (Map<String, Value>, Map<String, Value>);

/// API_KEY: calls carry the key where the proxy's templates say.
pub(super) fn api_key(entry: &mut Entry, fields: &mut Fields) -> Result<Parts, Loss> {
    if entry.peek("integration_config").is_some_and(|config| config.get("baseUrl").is_some()) {
        let why = "it is no provider but a form for any API: write a manifest for each";
        return Err(Loss::new("integration_config", why));
    }
    let mut asked = entry.object("credentials");
    asked.entry("apiKey").or_insert_with(|| json!({"title": "API key"}));
    fields.asks_for(asked);
    let (mut api, mut verification) = calls(entry, fields)?;
    let mut form = fields.form();
    if let Some(key) = form.get_mut("api_key") {
        key["type"] = "secret".into();
    }
    let mut auth = Map::new();
    // A header that is HTTP Basic is said to be.
    match user_and_password(entry, fields) {
        Some((username, password)) => {
            auth.insert("type".to_owned(), "basic".into());
            auth.insert("username".to_owned(), username.into());
            auth.insert("password".to_owned(), password.into());
        }
        None => {
            auth.insert("type".to_owned(), "api_key".into());
            let carried = serde_json::to_string(&api).unwrap_or_default().contains("{api_key}");
            if !carried {
                // Whoever calls puts it where it belongs, so a call without it tells nothing.
                verification = None;
                entry.lose(
                    "proxy",
                    "the key goes into the body or the path of calls: it is handed out, and callers put it there",
                );
                auth.insert("key".to_owned(), "api_key".into());
            } else if form.values().filter(|one| one["type"] == "secret").count() > 1 {
                auth.insert("key".to_owned(), "api_key".into());
            }
        }
    }
    auth.insert("credentials".to_owned(), form.into());
    auth.extend(verification.map(|call| ("verification".to_owned(), call)));
    prune(&mut api);
    Ok((auth, api))
}

/// BASIC: RFC 7617. A field with a value of its own that people do not see is no field.
pub(super) fn basic(entry: &mut Entry, fields: &mut Fields) -> Result<Parts, Loss> {
    let mut asked = entry.object("credentials");
    for (name, title) in [("username", "User name"), ("password", "Password")] {
        asked.entry(name).or_insert_with(|| json!({"title": title}));
    }
    fields.asks_for(asked);
    let (mut api, verification) = calls(entry, fields)?;
    let (mut auth, form) = (Map::from_iter([("type".to_owned(), "basic".into())]), fields.form());
    let said = user_and_password(entry, fields);
    for (index, name) in ["username", "password"].into_iter().enumerate() {
        let template = match (&said, fields.fixed(name)) {
            (Some((username, password)), _) => Some(if index == 0 { username } else { password }.clone()),
            (None, fixed) => fixed,
        };
        if let Some(template) = template.filter(|template| *template != format!("{{{name}}}")) {
            auth.insert(name.to_owned(), template.into());
        }
    }
    auth.insert("credentials".to_owned(), form.into());
    auth.extend(verification.map(|call| ("verification".to_owned(), call)));
    prune(&mut api);
    Ok((auth, api))
}

/// User name and password out of a header that is HTTP Basic.
fn user_and_password(entry: &mut Entry, fields: &mut Fields) -> Option<(String, String)> {
    let header = entry.basic.take()?;
    let (username, password) = template::basic(&header)?;
    let username = urls::value("proxy.headers.authorization", username, fields, &mut entry.lost).ok()?;
    let password = urls::value("proxy.headers.authorization", password, fields, &mut entry.lost).ok()?;
    Some((username, password))
}

/// Lists with nothing in them go.
fn prune(api: &mut Map<String, Value>) {
    api.retain(|_, value| *value != json!({}));
}

/// The base of the API, what calls carry, and the call that tries credentials out.
pub(super) fn calls(entry: &mut Entry, fields: &mut Fields) -> Result<(Map<String, Value>, Option<Value>), Loss> {
    let mut proxy = entry.object("proxy");
    let base = proxy.shift_remove("base_url").and_then(|base| text(&base)).unwrap_or_default();
    // What people paste stands in no URL of a manifest.
    let base = match base.find("${apiKey}").or_else(|| base.find("${credentials.")) {
        Some(at) => base
            .get(..at)
            .and_then(|front| front.rfind('/'))
            .and_then(|end| base.get(..end))
            .unwrap_or(&base)
            .to_owned(),
        None => base,
    };
    let mut api = Map::from_iter([(
        "base_url".to_owned(),
        Value::from(urls::url("proxy.base_url", &base, fields, &mut entry.lost)?),
    )]);
    for member in ["headers", "query"] {
        let Some(Value::Object(members)) = proxy.shift_remove(member) else { continue };
        let mut sent = Map::new();
        for (name, text) in pairs(&format!("proxy.{member}"), members, &mut entry.lost) {
            // What a body is written in is for whoever calls.
            if name.eq_ignore_ascii_case("content-type") {
                continue;
            }
            if name.eq_ignore_ascii_case("authorization") && template::basic(&text).is_some() {
                entry.basic = Some(text);
                continue;
            }
            match urls::value(&format!("proxy.{member}.{name}"), &text, fields, &mut entry.lost) {
                Ok(value) => {
                    sent.insert(name, value.into());
                }
                Err(why) if carries_credentials(&text) => return Err(why),
                Err(why) => entry.lost.push(why),
            }
        }
        if !sent.is_empty() {
            api.insert(member.to_owned(), sent.into());
        }
    }
    if proxy.contains_key("body") {
        entry.lose("proxy.body", "calls carry credentials in headers and in the query");
    }
    let verification = match proxy.shift_remove("verification") {
        Some(Value::Object(call)) => verification(call, &base, entry, fields),
        Some(_) | None => None,
    };
    Ok((api, verification))
}

/// Whether calls would be refused without this.
fn carries_credentials(text: &str) -> bool {
    text.contains("${credentials.") || text.contains("${apiKey}") || text.contains("${base64") || text.contains("${aws")
}

fn verification(mut call: Map<String, Value>, base: &str, entry: &mut Entry, fields: &mut Fields) -> Option<Value> {
    let base = call.shift_remove("base_url_override").and_then(|base| text(&base)).unwrap_or_else(|| base.to_owned());
    let endpoints = call.shift_remove("endpoints");
    let endpoints: Vec<String> =
        endpoints.as_ref().and_then(Value::as_array).into_iter().flatten().filter_map(text).collect();
    let (first, more) = endpoints.split_first()?;
    if !more.is_empty() {
        entry.lose("proxy.verification.endpoints", "one call is made, so only the first is");
    }
    if call.contains_key("data") {
        entry.lose("proxy.verification", "the call has a body, which a verification has not");
        return None;
    }
    let slash = if first.starts_with('/') || base.is_empty() { "" } else { "/" };
    let whole = format!("{}{slash}{first}", base.trim_end_matches('/'));
    match urls::url("proxy.verification", &whole, fields, &mut entry.lost) {
        Ok(url) => {
            let method = call.get("method").and_then(text).unwrap_or_else(|| "GET".to_owned());
            let mut verification = json!({"url": url});
            if method != "GET" {
                verification["method"] = method.into();
            }
            Some(verification)
        }
        Err(why) => {
            entry.lost.push(why);
            None
        }
    }
}
