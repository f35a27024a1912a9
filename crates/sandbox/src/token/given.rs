//! The grants in which nobody consents: a password (RFC 6749 section 4.3), a signed assertion (RFC 7523), a SAML assertion
//! (RFC 7522), another token (RFC 8693).

use super::issue::{issue, with_member};
use crate::assertion::{claimed_issuer, verify};
use crate::flight::Decision;
use crate::inbound::Inbound;
use crate::ledger::TokenId;
use crate::params::Params;
use crate::reply::OAuthError;
use crate::shared::Shared;
use crate::state::State;
use actix_web::http::header::AUTHORIZATION;
use mortise_domain::ScopeSet;

pub const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
pub const SAML2_BEARER: &str = "urn:ietf:params:oauth:grant-type:saml2-bearer";
pub const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// Gives a token for a user's password.
pub fn password(
    state: &mut State,
    shared: &Shared,
    inbound: &Inbound,
    client: &str,
    params: &Params,
) -> Result<Decision, OAuthError> {
    let username = needed(params, "username")?;
    let password = needed(params, "password")?;
    if !state.trust.is_password(username, password) {
        return Err(OAuthError::invalid_grant("the user name is unknown or the password is wrong"));
    }
    let with_refresh = state.settings(inbound.class).issue_refresh_token;
    granted(state, shared, inbound, client, username, with_refresh, scopes(params))
}

/// Gives a token for an assertion. The client need not be named beside it (RFC 7521 section 4.1).
pub fn jwt_bearer(
    state: &mut State,
    shared: &Shared,
    inbound: &Inbound,
    params: &Params,
) -> Result<Decision, OAuthError> {
    let named = named_client(state, inbound, params)?;
    let assertion = needed(params, "assertion")?;
    let unknown = OAuthError::invalid_grant("nobody is trusted who signed this");
    let issuer = claimed_issuer(assertion).and_then(|name| state.trust.issuer(&name).cloned()).ok_or(unknown)?;
    let base = shared.issuer(inbound.class);
    let audiences = [format!("{base}/token"), base];
    let now = shared.now();
    let claims = verify(assertion, &issuer.key, &audiences, now)?;
    let subject = claims.sub.clone().unwrap_or_else(|| claims.iss.clone());
    if !issuer.subjects.is_empty() && !issuer.subjects.contains(&subject) {
        return Err(OAuthError::invalid_grant("the issuer may not speak for this subject"));
    }
    if !state.trust.spend(&claims.iss, &claims.jti, claims.ends_at(), now) {
        return Err(OAuthError::invalid_grant("the assertion was used before"));
    }
    let asked = claims.scope.as_deref().map_or_else(|| scopes(params), |text| ScopeSet::parse(text, " "));
    let client = named.unwrap_or(issuer.client_id);
    granted(state, shared, inbound, &client, &subject, false, asked)
}

/// Gives a token for a SAML assertion that was made here.
pub fn saml2_bearer(
    state: &mut State,
    shared: &Shared,
    inbound: &Inbound,
    client: &str,
    params: &Params,
) -> Result<Decision, OAuthError> {
    let assertion = needed(params, "assertion")?;
    let unknown = OAuthError::invalid_grant("the assertion is not one of those that were made here, to the byte");
    let record = state.trust.saml(assertion).cloned().ok_or(unknown)?;
    if record.audience != format!("{}/token", shared.issuer(inbound.class)) {
        return Err(OAuthError::invalid_grant("the assertion is meant for somebody else"));
    }
    if record.ends_at <= shared.now() {
        return Err(OAuthError::invalid_grant("the assertion has expired"));
    }
    let with_refresh = state.settings(inbound.class).issue_refresh_token;
    granted(state, shared, inbound, client, &record.subject, with_refresh, scopes(params))
}

/// Gives a token for another that is alive here.
pub fn token_exchange(
    state: &mut State,
    shared: &Shared,
    inbound: &Inbound,
    client: &str,
    params: &Params,
) -> Result<Decision, OAuthError> {
    let subject = alive(state, shared, needed(params, "subject_token")?, params.get("subject_token_type"))?;
    match (params.get("actor_token"), params.get("actor_token_type")) {
        (Some(token), kind) => drop(alive(state, shared, token, kind)?),
        (None, Some(_)) => return Err(OAuthError::invalid_request("`actor_token_type` without `actor_token`")),
        (None, None) => {}
    }
    if params.get("requested_token_type").is_some_and(|wanted| wanted != ACCESS_TOKEN) {
        return Err(OAuthError::invalid_request("only access tokens are issued here"));
    }
    if params.get("audience").is_some_and(|audience| audience != shared.issuer(inbound.class)) {
        return Err(OAuthError::bad_request("invalid_target", "the audience is not known here"));
    }
    let mut decision = granted(state, shared, inbound, client, &subject, false, scopes(params))?;
    decision.reply = with_member(decision.reply, "issued_token_type", ACCESS_TOKEN);
    Ok(decision)
}

/// Whose an access token is that somebody presents.
fn alive(state: &State, shared: &Shared, token: &str, kind: Option<&str>) -> Result<String, OAuthError> {
    if kind != Some(ACCESS_TOKEN) {
        return Err(OAuthError::invalid_request("each token needs its type, and only access tokens are taken here"));
    }
    let refused = OAuthError::invalid_request("a token that was presented is not good");
    let found = state.ledger.access.get(&TokenId::of(token));
    let family = found.and_then(|record| Some((record, state.ledger.families.get(&record.family)?)));
    let good = family.filter(|(record, family)| {
        let rules = state.settings(family.class).rules();
        state.ledger.access_is_good(record, &rules, shared.now())
    });
    good.and_then(|(_, family)| family.subject.clone()).ok_or(refused)
}

fn granted(
    state: &mut State,
    shared: &Shared,
    inbound: &Inbound,
    client: &str,
    subject: &str,
    with_refresh: bool,
    scopes: ScopeSet,
) -> Result<Decision, OAuthError> {
    let family = state.ledger.open(inbound.class, client, Some(subject), scopes.clone(), shared.now());
    issue(state, shared, inbound.class, family, None, with_refresh, scopes)
}

/// The client that proved itself, if the request names one.
fn named_client(state: &State, inbound: &Inbound, params: &Params) -> Result<Option<String>, OAuthError> {
    let named = params.get("client_id").is_some()
        || params.get("client_assertion").is_some()
        || inbound.headers.contains_key(AUTHORIZATION);
    named.then(|| inbound.authenticate(state, params)).transpose()
}

fn scopes(params: &Params) -> ScopeSet {
    ScopeSet::parse(params.get("scope").unwrap_or_default(), " ")
}

fn needed<'a>(params: &'a Params, name: &'static str) -> Result<&'a str, OAuthError> {
    params.get(name).ok_or(OAuthError::invalid_request("a parameter of the grant is missing"))
}
