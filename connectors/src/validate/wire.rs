//! How requests and callbacks are written: every name is one, nothing is said twice, and nothing is set in vain.

mod callback;
mod names;

use super::Findings;
use super::extras::{LONGEST_VALUE, header_fault, is_param_name};
use super::pointers::{field_name, pointer_at};
use crate::diagnostic::Code;
use crate::{ClientAuthentication, Grant, LongLivedExchange, Manifest, OAuth2, TokenBody, TokenMethod};
use std::collections::BTreeMap;

const MOST_FIELDS: usize = 50;

pub(super) fn check(manifest: &Manifest, auth: &OAuth2, found: &mut Findings) {
    names::check(auth, found);
    words(auth, found);
    methods(auth, found);
    headers(auth, found);
    callback::check(manifest, auth, found);
    if let Some(exchange) = &auth.long_lived_exchange {
        long_lived(auth, exchange, found);
    }
    if let Some(identity) = &auth.identity {
        let path = "/auth/identity/fields";
        if identity.fields.is_empty() {
            found.add(Code::MissingMember, path, "name at least one field: the call would be made for nothing");
        }
        for (name, pointer) in &identity.fields {
            let path = format!("{path}/{}", super::escape(name));
            field_name(&path, name, found);
            pointer_at(path, pointer, found);
        }
        count(path, identity.fields.len(), found);
    }
    fields_once(auth, found);
}

/// What is sent as `grant_type` and `response_type`, and the fragment.
fn words(auth: &OAuth2, found: &mut Findings) {
    let usual = match auth.grant {
        Grant::AuthorizationCode => "authorization_code",
        Grant::ClientCredentials => "client_credentials",
        Grant::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
        Grant::Implicit => "implicit",
        Grant::Password => "password",
        Grant::JwtBearer => "urn:ietf:params:oauth:grant-type:jwt-bearer",
        Grant::Saml2Bearer => "urn:ietf:params:oauth:grant-type:saml2-bearer",
        Grant::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
    };
    let requests =
        [("token_request", usual, &auth.token_request), ("refresh_request", "refresh_token", &auth.refresh_request)];
    for (member, usual, request) in requests {
        if let Some(word) = &request.grant_type {
            grant_type(format!("/auth/{member}/grant_type"), word, Some(usual), found);
        }
    }
    let request = &auth.authorization_request;
    if let Some(word) = &request.response_type {
        let path = "/auth/authorization_request/response_type";
        let implicit = auth.grant == Grant::Implicit;
        let usual = if implicit { "token" } else { "code" };
        if word == usual {
            found.add(Code::IgnoredMember, path, format!("`{usual}` is sent anyway: remove it")).at_name();
        } else if implicit && !(word.split(' ').all(is_word) && word.contains("token")) {
            let message = "callbacks are read for a token: give the provider's words for `token`";
            found.add(Code::BadParameter, path, message).about("/auth/grant");
        } else if implicit {
            // Such as `id_token token`, of which the token is read.
        } else if !is_word(word) || word.contains("token") {
            let message = "callbacks are read for a code alone: give the provider's word for `code`";
            found.add(Code::BadParameter, path, message);
        }
    }
    let in_fragment = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?".contains(&b);
    if request.fragment.as_ref().is_some_and(|text| !(1..=200).contains(&text.len()) || !text.bytes().all(in_fragment))
    {
        let message = "a fragment is 1 to 200 letters, digits and - . _ ~ ! $ & ' ( ) * + , ; = : @ / ?, without its #";
        found.add(Code::BadParameter, "/auth/authorization_request/fragment", message);
    }
    // What follows a question mark is the parameters'.
    let in_route = |b: u8| in_fragment(b) && b != b'?';
    if request.route.as_ref().is_some_and(|text| !(1..=200).contains(&text.len()) || !text.bytes().all(in_route)) {
        let message =
            "a route is 1 to 200 letters, digits and - . _ ~ ! $ & ' ( ) * + , ; = : @ /, without its # and ?";
        found.add(Code::BadParameter, "/auth/authorization_request/route", message);
    } else if request.route.is_some() && request.fragment.is_some() {
        let message = "a URL has one `#`: keep this or `route`";
        found.add(Code::IgnoredMember, "/auth/authorization_request/fragment", message).at_name();
    }
}

fn grant_type(path: String, word: &str, usual: Option<&str>, found: &mut Findings) {
    if usual == Some(word) {
        found.add(Code::IgnoredMember, path, format!("`{word}` is sent anyway: remove it")).at_name();
    } else if !is_word(word) {
        found.add(Code::BadParameter, path, "a grant type is 1 to 100 letters, digits and - _ . :");
    }
}

/// A `GET` has no body to write.
fn methods(auth: &OAuth2, found: &mut Findings) {
    let token = auth.token_request.method.unwrap_or_default();
    let refresh = auth.refresh_request.method.unwrap_or(token);
    if token == TokenMethod::Get && refresh == TokenMethod::Get && auth.token_body != TokenBody::Form {
        let message = "a GET carries everything in the query: remove `token_body`";
        found.add(Code::IgnoredMember, "/auth/token_body", message).at_name().about("/auth/token_request");
    }
}

fn headers(auth: &OAuth2, found: &mut Findings) {
    let (member, method) = ("/auth/client_secret_header", "/auth/client_authentication");
    match (auth.client_authentication == ClientAuthentication::ClientSecretHeader, &auth.client_secret_header) {
        (true, None) => {
            let message = "`client_secret_header` is needed too: say in which header the secret goes";
            found.add(Code::MissingMember, member, message).about(method);
        }
        (false, Some(_)) => {
            let message = "only the client authentication `client_secret_header` sends this: remove it, or set that";
            found.add(Code::IgnoredMember, member, message).at_name().about(method);
        }
        (true, Some(_)) | (false, None) => {}
    }
    let mut taken: Vec<String> = auth.token_headers.keys().map(|name| name.to_ascii_lowercase()).collect();
    for (path, name) in [("/auth/client_id_header", &auth.client_id_header), (member, &auth.client_secret_header)] {
        let Some(name) = name else { continue };
        header_name(path, name, found);
        if taken.contains(&name.to_ascii_lowercase()) {
            found.add(Code::BadHeader, path, format!("`{name}` is sent already: give it one meaning"));
        }
        taken.push(name.to_ascii_lowercase());
    }
    if let Some(hint) = &auth.retry_hint {
        header_name("/auth/retry_hint/header", &hint.header, found);
        if hint.header.eq_ignore_ascii_case("retry-after") {
            let message = "`Retry-After` is read anyway: remove the hint";
            found.add(Code::IgnoredMember, "/auth/retry_hint/header", message).at_name();
        }
    }
}

fn long_lived(auth: &OAuth2, exchange: &LongLivedExchange, found: &mut Findings) {
    let base = "/auth/long_lived_exchange";
    grant_type(format!("{base}/grant_type"), &exchange.grant_type, None, found);
    let name = &exchange.token_parameter;
    if !is_param_name(name) || names::of_client(auth).contains(&name.as_str()) {
        let message =
            "give the parameter that carries the short-lived token, 1 to 100 letters, digits and - _ . ~ : [ ]";
        found.add(Code::BadParameter, format!("{base}/token_parameter"), message).about("/auth/token_request");
    }
}

pub(super) fn header_name(path: &str, name: &str, found: &mut Findings) {
    if let Some((code, message)) = header_fault(name, None) {
        found.add(code, path, message);
    }
}

/// A field that is handed out has one source.
fn fields_once(auth: &OAuth2, found: &mut Findings) {
    let none = BTreeMap::new();
    let identity = auth.identity.as_ref().map_or(&none, |identity| &identity.fields);
    let sources = [
        ("/auth/token_response/extra", &auth.token_response.extra),
        ("/auth/callback/keep", &auth.callback.keep),
        ("/auth/identity/fields", identity),
    ];
    let mut seen = BTreeMap::new();
    for (base, fields) in sources {
        for name in fields.keys() {
            if let Some(first) = seen.insert(name, base) {
                let first = first.trim_start_matches('/').replace('/', ".");
                let message = format!("`{name}` comes from `{first}` already: give it another name");
                found.add(Code::BadParameter, format!("{base}/{}", super::escape(name)), message).at_name();
            }
        }
    }
}

fn count(path: &str, fields: usize, found: &mut Findings) {
    if fields > MOST_FIELDS {
        found.add(Code::TooMany, path, format!("{fields} entries: use at most {MOST_FIELDS}"));
    }
}

/// A value that is compared or sent as it is.
fn is_value(text: &str) -> bool {
    (1..=LONGEST_VALUE).contains(&text.len()) && !text.chars().any(char::is_control)
}

fn is_word(word: &str) -> bool {
    (1..=100).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b))
}

#[cfg(test)]
mod tests;
