//! Checking an authorization request (RFC 6749 section 4.1.1, RFC 7636 section 4.3).
//!
//! Until client and redirect URI are known to belong together, the browser is sent nowhere (section 4.1.2.1).

use crate::class::RecoveryClass;
use crate::params::{Params, ParamsError};
use crate::pending::Pending;
use crate::state::State;
use mortise_domain::ScopeSet;

const LONGEST_QUERY: usize = 16 * 1024;
/// Base64url of 32 bytes.
const CHALLENGE_LENGTH: usize = 43;

/// Why no consent page is shown.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Told to the person.
    Shown(&'static str),
    /// Told to the client.
    Returned { redirect_uri: String, state: Option<String>, error: &'static str, description: &'static str },
}

/// Reads and checks the query of an authorization request.
pub fn check(query: &str, class: RecoveryClass, state: &State, now: i64) -> Result<Pending, Refusal> {
    if query.len() > LONGEST_QUERY {
        return Err(Refusal::Shown("The link that led here is too long."));
    }
    let params = Params::from_query(query).map_err(|error| match error {
        ParamsError::Repeated => Refusal::Shown("The link that led here repeats a parameter."),
        ParamsError::ContentType | ParamsError::Json => Refusal::Shown("The link that led here is damaged."),
    })?;
    let client_id = params.get("client_id").ok_or(Refusal::Shown("The link that led here names no client."))?;
    let client =
        state.clients.get(client_id).ok_or(Refusal::Shown("The client that sent you here is not registered."))?;
    let redirect_uri =
        params.get("redirect_uri").ok_or(Refusal::Shown("The link that led here has no `redirect_uri`."))?;
    if !client.may_return_to(redirect_uri) {
        return Err(Refusal::Shown("The client may not send you back to the `redirect_uri` it gave."));
    }
    let return_error = |error, description| Refusal::Returned {
        redirect_uri: redirect_uri.to_owned(),
        state: params.get("state").map(str::to_owned),
        error,
        description,
    };
    let implicit = match params.get("response_type") {
        Some("code") => false,
        Some("token") => true,
        Some(_) => return Err(return_error("unsupported_response_type", "only `code` and `token` are supported")),
        None => return Err(return_error("invalid_request", "`response_type` is missing")),
    };
    let challenge = if implicit { Ok("") } else { challenge(&params) };
    let challenge = challenge.map_err(|description| return_error("invalid_request", description))?;
    let scope = params.get("scope").unwrap_or_default();
    if !scope.bytes().all(|b| b == b' ' || (b.is_ascii_graphic() && b != b'"' && b != b'\\')) {
        return Err(return_error("invalid_scope", "`scope` has characters that no scope may have"));
    }
    Ok(Pending {
        class,
        client_id: client_id.to_owned(),
        redirect_uri: redirect_uri.to_owned(),
        scopes: ScopeSet::parse(scope, " "),
        state: params.get("state").map(str::to_owned),
        challenge: challenge.to_owned(),
        implicit,
        opened_at: now,
    })
}

/// S256 of the verifier.
fn challenge(params: &Params) -> Result<&str, &'static str> {
    if params.get("code_challenge_method") != Some("S256") {
        return Err("PKCE with `code_challenge_method=S256` is required");
    }
    params
        .get("code_challenge")
        .filter(|text| text.len() == CHALLENGE_LENGTH)
        .filter(|text| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'))
        .ok_or("`code_challenge` must be a SHA-256 in base64url")
}
