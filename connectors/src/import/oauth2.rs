//! OAuth 2 as the list describes it.

use super::Loss;
use super::entry::{Entry, pairs};
use super::fields::Fields;
use super::urls;
use serde_json::{Map, Value, json};

/// A manifest's `auth` and `api`.
pub(super) type Parts = (Map<String, Value>, Map<String, Value>);

/// OAUTH2: RFC 6749 section 4.1.
pub(super) fn with_codes(entry: &mut Entry, fields: &mut Fields) -> Result<Parts, Loss> {
    let mut auth = Map::from_iter([word("type", "oauth2"), word("grant", "authorization_code")]);
    for member in ["authorization_url", "token_url", "refresh_url"] {
        if let Some(text) = entry.text(member) {
            let url = urls::url(member, &text, fields, &mut entry.lost)?;
            auth.insert(member.to_owned(), url.into());
        }
    }
    token_endpoint(entry, fields, &mut auth)?;
    authorization(entry, fields, &mut auth)?;
    callback(entry, fields, &mut auth);
    let refresh = entry.pairs("refresh_params");
    // Without parameters of its own, a refresh gets those of the exchange.
    let refresh = if refresh.is_empty() {
        auth.get("token_params").cloned()
    } else {
        let (grant_type, params) = split(refresh, "grant_type");
        if let Some(grant_type) = grant_type.filter(|word| word != "refresh_token") {
            request(&mut auth, "refresh_request")["grant_type"] = grant_type.into();
        }
        let params = resource("refresh_params", params, entry, fields, &mut auth);
        Some(templates("refresh_params", params, fields, &mut entry.lost)).filter(|params| *params != json!({}))
    };
    auth.extend(refresh.map(|params| ("refresh_params".to_owned(), params)));
    let api = api(entry, fields);
    by_our_names(&mut auth, fields);
    Ok((auth, api))
}

/// MCP_OAUTH2: the same, at a server that may register its clients by itself (RFC 7591) and is named with each request
/// (RFC 8707).
pub(super) fn of_mcp_server(entry: &mut Entry, fields: &mut Fields) -> Result<Parts, Loss> {
    let registration = entry.text("client_registration").unwrap_or_default();
    let url = entry.text("registration_url");
    // The broker that registers knows which grants and replies it uses.
    entry.object("registration_params");
    let (mut auth, api) = with_codes(entry, fields)?;
    if let Some(url) = url {
        let url = urls::url("registration_url", &url, fields, &mut entry.lost)?;
        auth.insert("registration_url".to_owned(), url.into());
    }
    if registration != "static" {
        auth.extend([word("client_authentication", "none")]);
    }
    Ok((auth, api))
}

/// OAUTH2_CC: section 4.4, where each customer has a client.
pub(super) fn for_the_client(entry: &mut Entry, fields: &mut Fields) -> Result<Parts, Loss> {
    let mut auth = Map::from_iter([word("type", "oauth2"), word("grant", "client_credentials")]);
    let text = entry.text("token_url").ok_or_else(|| Loss::new("token_url", "the entry has none"))?;
    let usual = text.strip_suffix("?grant_type=client_credentials");
    if usual.is_some() {
        entry.lose("token_url", "`grant_type` is sent with the other parameters, not in the URL");
    }
    let url = urls::url("token_url", usual.unwrap_or(&text), fields, &mut entry.lost)?;
    auth.insert("token_url".to_owned(), url.into());
    if entry.flag("require_client_certificate") {
        auth.insert("client_certificate".to_owned(), true.into());
    }
    token_endpoint(entry, fields, &mut auth)?;
    let api = api(entry, fields);
    by_our_names(&mut auth, fields);
    of_the_app(entry);
    Ok((auth, api))
}

/// Whose the client is.
pub(super) fn of_the_app(entry: &mut Entry) {
    entry.object("credentials");
    entry.lose("credentials", "each customer has a client there; here the app has it: register an app for each");
}

/// Fields that the base of the API names are handed out by the names that stand there.
fn by_our_names(auth: &mut Map<String, Value>, fields: &Fields) {
    for (ours, theirs, _) in fields.described().into_iter().filter(|(ours, theirs, _)| ours != theirs) {
        for (member, list) in [("token_response", "extra"), ("callback", "keep")] {
            let list = auth.get_mut(member).and_then(|member| member.get_mut(list)).and_then(Value::as_object_mut);
            if let Some((list, place)) = list.and_then(|list| list.shift_remove(&theirs).map(|place| (list, place))) {
                list.insert(ours.clone(), place);
            }
        }
    }
}

/// What both grants say of the token endpoint and its reply.
pub(super) fn token_endpoint(
    entry: &mut Entry,
    fields: &mut Fields,
    auth: &mut Map<String, Value>,
) -> Result<(), Loss> {
    let header = entry.text("authorization_method").as_deref() == Some("header");
    match entry.text("token_request_auth_method").as_deref() {
        Some("basic") => auth.extend([word("client_authentication", "client_secret_basic")]),
        None if header => auth.extend([word("client_authentication", "client_secret_basic")]),
        None => {}
        Some("private_key_jwt") => auth.extend([word("client_authentication", "private_key_jwt")]),
        // The client's id and secret, called as if they were a person's.
        Some("custom") => {
            auth.insert(
                "token_request".to_owned(),
                json!({"names": {"client_id": "username", "client_secret": "password"}}),
            );
        }
        Some(other) => {
            return Err(Loss::new(
                "token_request_auth_method",
                format!("no client authentication is called `{other}`"),
            ));
        }
    }
    match entry.text("body_format").as_deref() {
        None | Some("form") => {}
        Some(body @ ("json" | "query")) => auth.extend([word("token_body", body)]),
        Some(other) => return Err(Loss::new("body_format", format!("no token request is written as {other}"))),
    }
    if let Some(separator) = entry.text("scope_separator").filter(|separator| separator != " ") {
        auth.insert("scope_separator".to_owned(), separator.into());
    }
    let scopes = entry.texts("default_scopes");
    if !scopes.is_empty() {
        auth.insert("default_scopes".to_owned(), scopes.into());
    }
    let usual = auth.get("grant").cloned().unwrap_or_default();
    let (grant_type, params) = split(entry.pairs("token_params"), "grant_type");
    if let Some(grant_type) = grant_type.filter(|word| usual != **word) {
        request(auth, "token_request")["grant_type"] = grant_type.into();
    }
    let (scope, params) = split(params, "scope");
    if let Some(scope) = scope {
        if scope.contains("${") || auth.contains_key("default_scopes") {
            entry.lose("token_params.scope", "scopes are the app's, or written out in `default_scopes`");
        } else {
            auth.insert("default_scopes".to_owned(), scope.split_whitespace().collect());
        }
    }
    let params = resource("token_params", params, entry, fields, auth);
    let params = templates("token_params", params, fields, &mut entry.lost);
    if params != json!({}) {
        auth.insert("token_params".to_owned(), params);
    }
    let headers = entry.pairs("token_headers");
    let headers: Vec<_> = headers.into_iter().filter(|(name, _)| !name.eq_ignore_ascii_case("content-type")).collect();
    let headers = templates("token_headers", headers, fields, &mut entry.lost);
    if headers != json!({}) {
        auth.insert("token_headers".to_owned(), headers);
    }
    reply(entry, fields, auth);
    Ok(())
}

pub(super) fn reply(entry: &mut Entry, inputs: &mut Fields, auth: &mut Map<String, Value>) {
    let mut reply = Map::new();
    let fields = entry.texts("token_response_metadata");
    if !fields.is_empty() {
        inputs.tells(&fields);
        let extra: Map<_, _> = fields.iter().map(|path| (path.clone(), pointer(path).into())).collect();
        reply.insert("extra".to_owned(), extra.into());
    }
    if entry.text("expires_in_unit").is_some_and(|unit| unit == "milliseconds") {
        reply.extend([word("expires_in_unit", "milliseconds")]);
    }
    if let Some(path) = entry.text("alternate_access_token_response_path") {
        reply.insert("alternate".to_owned(), pointer(&path).into());
    }
    // Their reader asks for no `token_type`.
    reply.insert("token_type_optional".to_owned(), true.into());
    auth.insert("token_response".to_owned(), reply.into());
    if let Some(lifetime) = entry.number("token_expires_in_ms").map(|ms| ms / 1000).filter(|seconds| *seconds > 0) {
        auth.insert("default_lifetime".to_owned(), lifetime.into());
    }
    if let Some(margin) = entry.number("token_expiration_buffer") {
        auth.insert("refresh_margin".to_owned(), margin.into());
    }
}

fn authorization(entry: &mut Entry, fields: &mut Fields, auth: &mut Map<String, Value>) -> Result<(), Loss> {
    if entry.flag("disable_pkce") {
        auth.extend([word("pkce_disabled_reason", "The list that this was imported from leaves PKCE out.")]);
    }
    // Empty parameters are never sent.
    entry.texts("authorization_url_skip_empty");
    let (response_type, params) = split(entry.pairs("authorization_params"), "response_type");
    let mut request = Map::new();
    if let Some(route) = entry.text("authorization_url_fragment") {
        request.insert("route".to_owned(), route.into());
    }
    if let Some(response_type) = response_type.filter(|word| word != "code") {
        request.insert("response_type".to_owned(), response_type.into());
    }
    let params = params
        .into_iter()
        .filter(|(name, value)| (name.as_str(), value.as_str()) != ("grant_type", "authorization_code"));
    let params = resource("authorization_params", params.collect(), entry, fields, auth);
    let (scope, params) = split(params, "scope");
    if let Some(scope) = scope {
        auth.insert("default_scopes".to_owned(), json!([scope]));
    }
    let params = templates("authorization_params", params, fields, &mut entry.lost);
    if params != json!({}) {
        auth.insert("authorization_params".to_owned(), params);
    }
    renamed(entry, &mut request)?;
    if !request.is_empty() {
        auth.insert("authorization_request".to_owned(), request.into());
    }
    Ok(())
}

/// Replacements in the whole URL: those that rename a parameter, or take it away.
fn renamed(entry: &mut Entry, request: &mut Map<String, Value>) -> Result<(), Loss> {
    let (mut names, mut omit) = (Map::new(), Vec::new());
    for (from, to) in entry.pairs("authorization_url_replacements") {
        let (from, to) = (from.trim_end_matches('='), to.trim_end_matches('='));
        match (from, to) {
            ("state", _) => {
                let why = "callbacks are bound to their flow by `state`, which has this name alone";
                return Err(Loss::new("authorization_url_replacements.state", why));
            }
            ("redirect_uri" | "response_type", "") => omit.push(from.to_owned()),
            ("client_id" | "redirect_uri" | "response_type" | "scope", _) => {
                names.insert(from.to_owned(), to.into());
            }
            _ => entry.lose(format!("authorization_url_replacements.{from}"), format!("`{from}` keeps its name")),
        }
    }
    if !names.is_empty() {
        request.insert("names".to_owned(), names.into());
    }
    if !omit.is_empty() {
        request.insert("omit".to_owned(), omit.into());
    }
    Ok(())
}

fn callback(entry: &mut Entry, fields: &mut Fields, auth: &mut Map<String, Value>) {
    let mut callback = Map::new();
    if let Some(code) = entry.text("authorization_code_param_in_callback") {
        callback.insert("code".to_owned(), code.into());
    }
    let kept = entry.texts("redirect_uri_metadata");
    if !kept.is_empty() {
        fields.tells(&kept);
        callback.insert(
            "keep".to_owned(),
            kept.iter().map(|name| (name.clone(), name.as_str().into())).collect::<Map<_, _>>().into(),
        );
    }
    if !callback.is_empty() {
        auth.insert("callback".to_owned(), callback.into());
    }
}

/// The base of the API; how calls carry an access token is for whoever calls.
pub(super) fn api(entry: &mut Entry, fields: &mut Fields) -> Map<String, Value> {
    let mut proxy = entry.object("proxy");
    let base = proxy.shift_remove("base_url").and_then(|base| base.as_str().map(str::to_owned));
    for member in ["headers", "query"] {
        let members = proxy.shift_remove(member).and_then(|members| members.as_object().cloned()).unwrap_or_default();
        let sent = pairs(&format!("proxy.{member}"), members, &mut entry.lost);
        for (name, _) in sent.iter().filter(|(name, _)| !matches!(name.as_str(), "accept" | "content-type")) {
            entry.lose(format!("proxy.{member}.{name}"), "a manifest of this mode says nothing about calls of the API");
        }
    }
    let mut api = Map::new();
    match base.map(|base| urls::told_base("proxy.base_url", &base, fields, &mut entry.lost)) {
        Some(Ok(url)) => {
            api.insert("base_url".to_owned(), url.into());
            let described = fields.described().into_iter();
            let described: Map<_, _> = described.map(|(name, _, kind)| (name, json!({"type": kind}))).collect();
            if !described.is_empty() {
                api.insert("fields".to_owned(), described.into());
            }
        }
        Some(Err(why)) => entry.lost.push(why),
        None => {}
    }
    api
}

fn templates(member: &str, pairs: Vec<(String, String)>, fields: &mut Fields, lost: &mut Vec<Loss>) -> Value {
    let mut done = Map::new();
    for (name, text) in pairs {
        match urls::value(&format!("{member}.{name}"), &text, fields, lost) {
            Ok(value) => {
                done.insert(name, value.into());
            }
            Err(why) => lost.push(why),
        }
    }
    Value::Object(done)
}

/// What is asked for is named once (RFC 8707), not in each list of parameters.
fn resource(
    member: &str,
    params: Vec<(String, String)>,
    entry: &mut Entry,
    fields: &mut Fields,
    auth: &mut Map<String, Value>,
) -> Vec<(String, String)> {
    let (resource, rest) = split(params, "resource");
    let Some(resource) = resource else { return rest };
    match urls::value(&format!("{member}.resource"), &resource, fields, &mut entry.lost) {
        Ok(resource) => {
            auth.entry("resource").or_insert(resource.into());
        }
        Err(why) => entry.lost.push(why),
    }
    rest
}

/// An object of the manifest's `auth`, made where there is none.
fn request<'a>(auth: &'a mut Map<String, Value>, member: &str) -> &'a mut Value {
    auth.entry(member).or_insert_with(|| json!({}))
}

/// The value of `name`, and the rest.
pub(super) fn split(pairs: Vec<(String, String)>, name: &str) -> (Option<String>, Vec<(String, String)>) {
    let (those, rest): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(other, _)| other == name);
    (those.into_iter().next().map(|(_, value)| value), rest)
}

/// A path with dots as a JSON pointer.
pub(super) fn pointer(path: &str) -> String {
    path.split('.').map(|name| format!("/{}", crate::validate::escape(name))).collect()
}

pub(super) fn word(name: &str, value: &str) -> (String, Value) {
    (name.to_owned(), value.into())
}
