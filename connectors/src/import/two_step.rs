//! TWO_STEP: requests of the provider's own that change credentials for a token.

use super::Loss;
use super::entry::{Entry, text};
use super::fields::{self, Fields};
use super::oauth2::{Parts, pointer};
use super::{template, urls};
use serde_json::{Map, Value, json};

/// How long a session of this mode lives (seconds): it ends when it is not used for 35 minutes.
const SESSION: u32 = 2100;
/// Headers that follow from how a body is written and a reply is read.
const OF_THE_BODY: [&str; 2] = ["content-type", "accept"];

/// The steps, and what calls carry.
pub(super) fn two_step(entry: &mut Entry, fields: &mut Fields) -> Result<Parts, Loss> {
    let mut asked = entry.object("credentials");
    for (name, schema) in entry.object("integration_config") {
        asked.entry(name).or_insert(schema);
    }
    fields.asks_for(asked);
    // What no request of the list changes is for browsers, and there is none.
    for member in ["authorization_url", "authorization_params", "default_scopes", "signature"] {
        entry.object(member);
    }
    let requests = requests(entry);
    fields.changes_them(requests.len());
    let mut steps = Vec::with_capacity(requests.len());
    for request in &requests {
        steps.push(step(request, entry, fields)?);
    }
    let (reply, tells) = reply(entry)?;
    fields.tells(&tells);
    let refresh = refresh(&requests, entry).map(|request| step(&request, entry, fields)).transpose()?;
    let api = api(entry, fields)?;
    for (index, step) in steps.iter_mut().enumerate() {
        let taken = fields.taken_of(index + 1);
        if !taken.is_empty() {
            step["take"] =
                taken.iter().map(|(name, path)| (name.clone(), pointer(path).into())).collect::<Map<_, _>>().into();
        }
    }
    let mut auth = Map::from_iter([("type".to_owned(), "two_step".into())]);
    auth.insert("credentials".to_owned(), fields.form().into());
    auth.insert("steps".to_owned(), steps.into());
    auth.extend(lifetimes(entry));
    let mut reply = reply;
    match refresh {
        Some(step) => {
            auth.insert("refresh".to_owned(), json!([step]));
        }
        None => {
            reply.shift_remove("refresh_token");
        }
    }
    if !reply.is_empty() {
        auth.insert("token_response".to_owned(), reply.into());
    }
    Ok((auth, api))
}

/// A request as the list has it.
struct Request {
    member: String,
    url: Option<String>,
    method: Option<String>,
    body: Option<String>,
    headers: Map<String, Value>,
    params: Map<String, Value>,
}

impl Request {
    fn of(member: String, mut from: impl FnMut(&str) -> Option<Value>) -> Self {
        let object = |value: Option<Value>| value.and_then(|value| value.as_object().cloned()).unwrap_or_default();
        Self {
            member,
            url: from("token_url").as_ref().and_then(text),
            method: from("token_request_method").as_ref().and_then(text),
            body: from("body_format").as_ref().and_then(text),
            headers: object(from("token_headers")),
            params: object(from("token_params")),
        }
    }
}

fn requests(entry: &mut Entry) -> Vec<Request> {
    let first = Request::of(String::new(), |member| entry.take(member));
    let more = entry.take("additional_steps").and_then(|steps| steps.as_array().cloned()).unwrap_or_default();
    let more = more
        .iter()
        .enumerate()
        .map(|(index, step)| Request::of(format!("additional_steps.{index}."), |member| step.get(member).cloned()));
    std::iter::once(first).chain(more).collect()
}

/// The request that renews a token, where there is one of its own.
fn refresh(steps: &[Request], entry: &mut Entry) -> Option<Request> {
    let (url, params, headers) =
        (entry.text("refresh_url"), entry.object("refresh_token_params"), entry.object("refresh_token_headers"));
    let first = steps.first()?;
    if url.is_none() && params.is_empty() && headers.is_empty() {
        return None;
    }
    let headers = if headers.is_empty() { first.headers.clone() } else { headers };
    let member = "refresh_token_".to_owned();
    Some(Request {
        member,
        url: url.or_else(|| first.url.clone()),
        params,
        headers,
        method: None,
        body: first.body.clone(),
    })
}

fn step(request: &Request, entry: &mut Entry, fields: &mut Fields) -> Result<Value, Loss> {
    let member = |name: &str| format!("{}{name}", request.member);
    let whole = request.url.clone().ok_or_else(|| Loss::new(member("token_url"), "the entry has none"))?;
    let get = request.method.as_deref() == Some("GET");
    // Parameters in the URL are parameters, unless the body has some already.
    let (url, query) = match whole.split_once('?') {
        Some((url, query)) if get || request.params.is_empty() => (url.to_owned(), Some(query.to_owned())),
        _ => (whole, None),
    };
    if url.contains("${step") {
        let why = "the request goes where an earlier reply says, and credentials go only where the manifest says";
        return Err(Loss::new(member("token_url"), why));
    }
    let url = urls::url(&member("token_url"), &url, fields, &mut entry.lost)?;
    let mut step = Map::new();
    if get {
        step.insert("method".to_owned(), "GET".into());
    }
    step.insert("url".to_owned(), url.into());
    headers(request, &mut step, entry, fields)?;
    let body = match request.body.as_deref() {
        _ if get || query.is_some() => None,
        Some("form") => None,
        None if request.params.is_empty() => None,
        Some("xml") => {
            return Err(Loss::new(member("body_format"), "the XML is put together by code of the other broker"));
        }
        body => Some(body.unwrap_or("json").to_owned()),
    };
    let (mut params, mut literals) = (Map::new(), Map::new());
    if let Some(query) = &query {
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            put(name.to_owned(), &Value::from(value), &member("token_url"), &mut params, &mut literals, entry, fields)?;
        }
        if !get {
            step.insert("body".to_owned(), "query".into());
        }
    }
    for (name, value) in &request.params {
        let nested = body.as_deref() == Some("json") && value.is_object();
        let name = if nested { format!("/{}", crate::validate::escape(name)) } else { name.clone() };
        put(name, value, &member("token_params"), &mut params, &mut literals, entry, fields)?;
    }
    if let Some(body) = body {
        step.insert("body".to_owned(), body.clone().into());
        if body == "json" && !literals.is_empty() {
            step.insert("literals".to_owned(), literals.into());
        }
    } else {
        // In a form everything is a text.
        params.extend(literals);
    }
    if !params.is_empty() {
        step.insert("params".to_owned(), params.into());
    }
    Ok(step.into())
}

fn headers(
    request: &Request,
    step: &mut Map<String, Value>,
    entry: &mut Entry,
    fields: &mut Fields,
) -> Result<(), Loss> {
    let mut sent = Map::new();
    for (name, value) in &request.headers {
        let member = format!("{}token_headers.{name}", request.member);
        let Some(value) = text(value).filter(|_| !OF_THE_BODY.contains(&name.to_ascii_lowercase().as_str())) else {
            continue;
        };
        let encoded = template::encoded(&value).filter(|_| name.eq_ignore_ascii_case("authorization"));
        if let Some((word, username, password)) = encoded {
            let username = urls::value(&member, username, fields, &mut entry.lost)?;
            let password = urls::value(&member, password, fields, &mut entry.lost)?;
            let mut basic = json!({"username": username, "password": password});
            if word != "Basic" {
                basic["scheme"] = word.into();
            }
            step.insert("basic".to_owned(), basic);
        } else {
            sent.insert(name.clone(), urls::value(&member, &value, fields, &mut entry.lost)?.into());
        }
    }
    if !sent.is_empty() {
        step.insert("headers".to_owned(), sent.into());
    }
    Ok(())
}

/// A parameter; inside objects by its pointer. What is no text stands as JSON.
fn put(
    name: String,
    value: &Value,
    member: &str,
    params: &mut Map<String, Value>,
    literals: &mut Map<String, Value>,
    entry: &mut Entry,
    fields: &mut Fields,
) -> Result<(), Loss> {
    match value {
        Value::Object(members) => {
            for (inner, value) in members {
                let name = format!("{name}/{}", crate::validate::escape(inner));
                put(name, value, member, params, literals, entry, fields)?;
            }
        }
        Value::String(text) if text.is_empty() => {
            literals.insert(name, "\"\"".into());
        }
        Value::String(text) if is_graphql(text) => graphql(name, text, params, literals, fields),
        Value::String(text) => {
            let value = urls::value(&format!("{member}.{name}"), text, fields, &mut entry.lost)?;
            params.insert(name, value.into());
        }
        other => {
            literals.insert(name, other.to_string().into());
        }
    }
    Ok(())
}

fn is_graphql(text: &str) -> bool {
    text.starts_with("mutation ") || text.starts_with("query ") || text.starts_with("mutation{")
}

/// A GraphQL document whose braces are its own: what people paste becomes its variables, which are no part of it.
fn graphql(
    name: String,
    document: &str,
    params: &mut Map<String, Value>,
    literals: &mut Map<String, Value>,
    fields: &Fields,
) {
    let (mut text, mut declared) = (String::new(), Vec::new());
    let mut rest = document;
    while let Some((before, after)) = rest.split_once("\"${credentials.") {
        let Some((theirs, behind)) = after.split_once("}\"") else { break };
        let variable = fields::pasted(theirs);
        text.push_str(before);
        text.push_str(&format!("${variable}"));
        declared.push(format!("${variable}: String!"));
        if fields.has_credential(theirs) {
            params.insert(format!("/variables/{variable}"), format!("{{{variable}}}").into());
        }
        rest = behind;
    }
    text.push_str(rest);
    let (word, body) = text.split_once(char::is_whitespace).unwrap_or((&text, ""));
    let text = if declared.is_empty() { text.clone() } else { format!("{word}({}) {body}", declared.join(", ")) };
    literals.insert(name, Value::from(text).to_string().into());
}

/// Where the reply keeps what, and what it tells beside the token.
fn reply(entry: &mut Entry) -> Result<(Map<String, Value>, Vec<String>), Loss> {
    let said = entry.object("token_response");
    if said.get("token").and_then(text).is_none_or(|path| path.is_empty()) {
        return Err(Loss::new("token_response.token", "the whole reply is the token, so it is no JSON"));
    }
    let path = |member: &str| said.get(member).and_then(text).map(|path| pointer(&path));
    let mut reply = Map::new();
    for (ours, theirs) in [("access_token", "token"), ("refresh_token", "refresh_token")] {
        if let Some(path) = path(theirs).filter(|path| *path != "/access_token" || ours != "access_token") {
            reply.insert(ours.to_owned(), path.into());
        }
    }
    if let Some(path) = path("token_expiration") {
        let ends = said.get("token_expiration_strategy").and_then(text).as_deref() == Some("expireAt");
        let member = if ends { "expires_at" } else { "expires_in" };
        if path != "/expires_in" {
            reply.insert(member.to_owned(), path.into());
        }
    }
    let tells = entry.texts("token_response_metadata");
    if !tells.is_empty() {
        let extra = tells.iter().map(|path| (template::ours(path), pointer(path).into()));
        reply.insert("extra".to_owned(), extra.collect::<Map<_, _>>().into());
    }
    Ok((reply, tells))
}

pub(super) fn lifetimes(entry: &mut Entry) -> Map<String, Value> {
    let mut said = Map::new();
    if let Some(lifetime) = entry.number("token_expires_in_ms").map(|ms| ms / 1000).filter(|seconds| *seconds > 0) {
        said.insert("default_lifetime".to_owned(), lifetime.into());
    }
    if let Some(margin) = entry.number("token_expiration_buffer") {
        said.insert("refresh_margin".to_owned(), margin.into());
    }
    said
}

/// What calls carry: the token, as the proxy's templates say or as a bearer.
fn api(entry: &mut Entry, fields: &mut Fields) -> Result<Map<String, Value>, Loss> {
    let mut proxy = entry.object("proxy");
    let base = proxy.shift_remove("base_url").as_ref().and_then(text).unwrap_or_default();
    let base = urls::told_base("proxy.base_url", &base, fields, &mut entry.lost)?;
    let mut api = Map::from_iter([("base_url".to_owned(), base.into())]);
    let mut carries = false;
    for member in ["headers", "query"] {
        let Some(Value::Object(members)) = proxy.shift_remove(member) else { continue };
        let mut sent = Map::new();
        for (name, value) in &members {
            let Some(value) = text(value).filter(|_| !OF_THE_BODY.contains(&name.to_ascii_lowercase().as_str())) else {
                continue;
            };
            let value = urls::value(&format!("proxy.{member}.{name}"), &value, fields, &mut entry.lost)?;
            carries |= value.contains("{access_token}");
            sent.insert(name.clone(), value.into());
        }
        if !sent.is_empty() {
            api.insert(member.to_owned(), sent.into());
        }
    }
    if !carries {
        let headers = api.entry("headers").or_insert_with(|| json!({}));
        headers["authorization"] = "Bearer {access_token}".into();
    }
    let described: Map<_, _> =
        fields.described().into_iter().map(|(name, _, kind)| (name, json!({"type": kind}))).collect();
    if !described.is_empty() {
        api.insert("fields".to_owned(), described.into());
    }
    if proxy.contains_key("verification") {
        entry.lose("proxy.verification", "the login itself tells whether what was pasted is good");
    }
    Ok(api)
}

/// BILL: a login whose requests are in code of the other broker, one for all entries of the mode.
pub(super) fn bill(entry: &mut Entry, fields: &mut Fields) -> Result<Parts, Loss> {
    let secret = json!({"secret": true});
    let asked =
        [("username", json!({})), ("password", secret.clone()), ("organizationId", json!({})), ("devKey", secret)];
    fields.asks_for(asked.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect());
    let url = entry.text("token_url").ok_or_else(|| Loss::new("token_url", "the entry has none"))?;
    let url = urls::url("token_url", &url, fields, &mut entry.lost)?;
    let params = json!({
        "username": "{username}", "password": "{password}", "organizationId": "{organization_id}", "devKey": "{dev_key}",
    });
    let auth = json!({
        "type": "two_step",
        "credentials": fields.form(),
        "steps": [{"url": url, "body": "json", "params": params}],
        "token_response": {"access_token": "/sessionId"},
        "default_lifetime": SESSION,
    });
    let mut proxy = entry.object("proxy");
    let base = proxy.shift_remove("base_url").as_ref().and_then(text).unwrap_or_default();
    let base = urls::url("proxy.base_url", &base, fields, &mut entry.lost)?;
    let api = json!({"base_url": base, "headers": {"devKey": "{dev_key}", "sessionId": "{access_token}"}});
    let object = |value: Value| value.as_object().cloned().unwrap_or_default();
    Ok((object(auth), object(api)))
}
