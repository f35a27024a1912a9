//! From metadata to the members of a manifest that it stands for.
//!
//! Invariant: a downgrade is refused here: who lists code challenge methods and `S256` is not among them speaks no PKCE
//! that is any good (RFC 9700 section 4.8), and an authorization server of a protected resource has to say that it does.

use super::{Discovered, DiscoveryError};
use mortise_connectors::{Grant, Undiscovered};
use serde_json::{Value, json};

/// What confidential clients prefer; the first that a server supports is taken.
const CONFIDENTIAL: &[&str] = &["client_secret_basic", "client_secret_post", "private_key_jwt", "none"];
/// What clients of protected resources prefer, whose customers' servers know nobody beforehand.
const ANYBODY: &[&str] = &["none", "client_secret_basic", "client_secret_post", "private_key_jwt"];

/// The members of `auth` that the metadata stands for, those that the author wrote among them; who fills a manifest in
/// leaves those as they are.
///
/// # Errors
/// What the provider lacks that the manifest needs.
pub fn members(found: &Discovered, wanted: &Undiscovered) -> Result<Vec<(&'static str, Value)>, DiscoveryError> {
    let Discovered { server, resource, asked_scopes } = found;
    let of_browser = matches!(wanted.grant, Grant::AuthorizationCode | Grant::Implicit);
    let with_codes = wanted.grant == Grant::AuthorizationCode;
    if with_codes && wanted.pkce {
        check_pkce(server.code_challenge_methods_supported.as_deref(), resource.is_some())?;
    }
    let mut members = Vec::new();
    let mut say = |name: &'static str, wanted: bool, value: Option<&String>| {
        members.extend(value.filter(|_| wanted).map(|value| (name, Value::from(value.as_str()))));
    };
    say("authorization_url", of_browser, server.authorization_endpoint.as_ref());
    say("token_url", wanted.grant != Grant::Implicit, server.token_endpoint.as_ref());
    say("device_authorization_url", wanted.grant == Grant::DeviceCode, server.device_authorization_endpoint.as_ref());
    say("revocation_url", true, server.revocation_endpoint.as_ref());
    say("issuer", of_browser, Some(&server.issuer));
    say("pushed_authorization_request_url", with_codes, server.pushed_authorization_request_endpoint.as_ref());
    say("registration_url", true, server.registration_endpoint.as_ref());
    say("resource", true, resource.as_ref().map(|resource| &resource.resource));
    if of_browser && server.authorization_response_iss_parameter_supported {
        members.push(("authorization_response_iss_parameter_supported", Value::from(true)));
    }
    if let Some(method) = client_authentication(found, wanted)? {
        members.push(("client_authentication", Value::from(method)));
    }
    if let Some(resource) = resource.as_ref().filter(|_| of_browser) {
        let mut scopes = asked_scopes.clone().unwrap_or_else(|| resource.scopes_supported.clone());
        // Without it many a server gives no refresh token, and the customer would be back in an hour.
        let offline = "offline_access";
        if server.scopes_supported.iter().any(|scope| scope == offline) {
            if !scopes.iter().any(|scope| scope == offline) {
                scopes.push(offline.to_owned());
            }
            // OpenID Connect Core 1.0 section 11: otherwise it is passed over.
            members.push(("authorization_params", json!({"prompt": "consent"})));
        }
        if !scopes.is_empty() {
            members.push(("default_scopes", Value::from(scopes)));
        }
    }
    let lacks = wanted.needed.iter().find(|name| members.iter().all(|(found, _)| found != *name));
    match lacks {
        Some(name) => Err(DiscoveryError::because(format!(
            "the metadata of `{}` says nothing that `{name}` could be taken from: write it out",
            server.issuer
        ))),
        None => Ok(members),
    }
}

fn check_pkce(methods: Option<&[String]>, is_resource: bool) -> Result<(), DiscoveryError> {
    match methods {
        Some(methods) if methods.iter().any(|method| method == "S256") => Ok(()),
        None if !is_resource => Ok(()),
        Some(_) => {
            let why = "the provider lists the code challenge methods that it supports, and S256 is not among them: say why in `pkce_disabled_reason` if it has to do without PKCE";
            Err(DiscoveryError::because(why))
        }
        None => {
            let why = "the provider does not say that it supports PKCE with S256, which authorization servers of protected resources have to";
            Err(DiscoveryError::because(why))
        }
    }
}

/// How clients prove themselves, where the author did not say.
fn client_authentication(found: &Discovered, wanted: &Undiscovered) -> Result<Option<&'static str>, DiscoveryError> {
    if wanted.given.contains("client_authentication") {
        return Ok(None);
    }
    let methods = match &found.server.token_endpoint_auth_methods_supported {
        Some(methods) => methods.iter().map(String::as_str).collect(),
        // RFC 8414 section 2.
        None => vec!["client_secret_basic"],
    };
    let liked = if found.resource.is_some() { ANYBODY } else { CONFIDENTIAL };
    match liked.iter().find(|method| methods.contains(method)) {
        Some(method) => Ok(Some(method)),
        None => {
            let why = "none of the ways in which the provider lets clients prove themselves is taken by itself: set `client_authentication`";
            Err(DiscoveryError::because(why))
        }
    }
}
