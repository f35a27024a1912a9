//! The life of a customer's grant: consent, code, tokens, renewals, end (RFC 6749 section 4.1).

use crate::Step;
use crate::compare::{refused, same};
use crate::errors;
use crate::further;
use crate::life::{Failed, Life, Outcome};
use mortise_connectors::{ClientAuthentication, OAuth2};
use mortise_domain::{AccessToken, AuthorizationCode, PkceVerifier, RefreshToken, StateToken, TokenGrant};
use mortise_oauth::{
    ClientRegistration, FailureClass, PresentedToken, authorization_url, code_exchange, identity, introspection,
    long_lived_exchange, pushed_authorization, pushed_authorization_url, refresh, request_identity,
    request_introspection, request_pushed_authorization, request_refresh, request_revocation, request_token,
    revocation,
};
use std::collections::BTreeMap;
use url::Url;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const STATE: &str = "state-0123456789_-";
/// Seconds that the played provider's access tokens live.
pub(crate) const LIFETIME: u64 = 3600;

/// From the page to the end.
pub(crate) async fn live(life: &mut Life<'_>, auth: &OAuth2) {
    let Some(callback) = consent(life).await else { return };
    let code = life.note(Step::Connect, "the callback brings code and state", of_callback(&callback, auth));
    let Some(code) = code else { return };
    wrong_input(life, auth, &code).await;
    let what = "the code is exchanged, and the reply read";
    let Some(mut grant) = granted(life, Step::Connect, what, exchange(life, &code, VERIFIER).await) else { return };
    life.bound = grant.dpop_key.take();
    let again = exchange(life, &code, VERIFIER).await;
    life.note(Step::Connect, "a code is good once", refused(again, FailureClass::GrantRejected));
    if auth.long_lived_exchange.is_some() {
        let made = long_lived(life, &grant.access_token).await;
        let what = "the token is changed for one that lives longer";
        let Some(longer) = granted(life, Step::Connect, what, made) else { return };
        grant = longer;
    }
    afterwards(life, auth, grant).await;
}

/// From the first token to the end.
pub(crate) async fn afterwards(life: &mut Life<'_>, auth: &OAuth2, mut grant: TokenGrant) {
    if let Some(key) = grant.dpop_key.take() {
        life.bound = Some(key);
    }
    if auth.identity.is_some() {
        let asked = account(life, auth, &grant.access_token).await;
        life.note(Step::Connect, "the provider tells whose grant it is", asked);
    }
    alive(life, Step::Fetch, &grant.access_token);
    about(life, auth, &grant.access_token).await;
    let further = further::renewals(life, auth, std::mem::take(&mut grant.further)).await;
    if let Some(token) = grant.refresh_token.take() {
        let Some((access, token)) = renewals(life, auth, grant.access_token, token).await else { return };
        errors::of_refresh(life, auth, &token).await;
        end(life, auth, &access, &token).await;
    }
    further::end(life, auth, further).await;
}

pub(crate) async fn consent(life: &mut Life<'_>) -> Option<Url> {
    let url = requested(life).await.map_err(|failed| failed.to_string());
    let visited = url.and_then(|url| {
        let visited = life.stage.server.with(|played, now| played.visit(&url, now));
        let visited = visited.ok_or("nobody is on the stage")?.map_err(|error| error.to_string())?;
        visited.ok_or_else(|| "the page refuses the request".to_owned())
    });
    life.note(Step::Connect, "the authorization request is as described", visited)
}

/// Where the browser is sent, after the request was left with the provider that wants that (RFC 9126).
async fn requested(life: &Life<'_>) -> Result<Url, Failed> {
    let (provider, client) = (life.cast.provider(), life.client());
    let (state, verifier) = (StateToken::new(STATE), PkceVerifier::new(VERIFIER));
    match pushed_authorization(&provider, &client, &life.cast.scopes, &state, &verifier)? {
        Some(request) => {
            let name = request_pushed_authorization(&life.stage.transport, request).await?;
            Ok(pushed_authorization_url(&provider, &client, &name)?)
        }
        None => Ok(authorization_url(&provider, &client, &life.cast.scopes, &state, &verifier)?),
    }
}

/// What a callback brings. The signature over it is checked where callbacks are received.
fn of_callback(callback: &Url, auth: &OAuth2) -> Outcome<String> {
    let pairs: BTreeMap<_, _> = callback.query_pairs().into_owned().collect();
    if pairs.get("state").map(String::as_str) != Some(STATE) {
        return Err("the state is not the one that was sent".to_owned());
    }
    if auth.issuer.as_ref().is_some_and(|issuer| pairs.get("iss") != Some(issuer)) {
        return Err("the issuer is not the manifest's".to_owned());
    }
    let code = pairs.get(auth.callback.code_parameter()).filter(|code| !code.is_empty());
    code.cloned().ok_or_else(|| "it has no code where the manifest says".to_owned())
}

async fn exchange(life: &Life<'_>, code: &str, verifier: &str) -> Result<TokenGrant, Failed> {
    exchange_as(life, &life.client(), code, verifier).await
}

async fn exchange_as(
    life: &Life<'_>,
    client: &ClientRegistration<'_>,
    code: &str,
    verifier: &str,
) -> Result<TokenGrant, Failed> {
    let (code, verifier) = (AuthorizationCode::new(code), PkceVerifier::new(verifier));
    let request = code_exchange(&life.cast.provider(), client, &code, &verifier)?;
    Ok(request_token(&life.stage.transport, request, life.cast.manifest).await?)
}

/// Refused in the provider's own words, and the code stays what it was.
async fn wrong_input(life: &mut Life<'_>, auth: &OAuth2, code: &str) {
    let unknown = exchange(life, "nobody-issued-this", VERIFIER).await;
    life.note(Step::Connect, "an unknown code is refused", refused(unknown, FailureClass::GrantRejected));
    if auth.pkce_disabled_reason.is_none() {
        let other = exchange(life, code, &VERIFIER.replace('d', "e")).await;
        life.note(Step::Connect, "another verifier is refused", refused(other, FailureClass::GrantRejected));
    }
    if auth.client_authentication != ClientAuthentication::None {
        let other = exchange_as(life, &life.wrong_client(), code, VERIFIER).await;
        life.note(Step::Connect, "a wrong client secret is refused", refused(other, FailureClass::AppMisconfigured));
    }
}

async fn long_lived(life: &Life<'_>, token: &AccessToken) -> Result<TokenGrant, Failed> {
    let request = long_lived_exchange(&life.cast.provider(), &life.client(), token)?;
    let request = request.ok_or_else(|| Failed::Unbuilt("none is made".to_owned()))?;
    Ok(request_token(&life.stage.transport, request, life.cast.manifest).await?)
}

async fn account(life: &Life<'_>, auth: &OAuth2, token: &AccessToken) -> Outcome<()> {
    let request = identity(&life.cast.provider(), &life.client(), token).map_err(|error| error.to_string())?;
    let request = request.ok_or("no request is made")?;
    let told = request_identity(&life.stage.transport, request, life.cast.manifest).await;
    let told = told.map_err(|failure| failure.to_string())?;
    let fields = auth.identity.iter().flat_map(|identity| identity.fields.keys());
    let missing: Vec<_> = fields.filter(|name| !told.contains_key(*name)).cloned().collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("the fields {} are not read", missing.join(", "))) }
}

/// Whether the provider stands by the token that would be handed out.
pub(crate) fn alive(life: &mut Life<'_>, step: Step, token: &AccessToken) {
    let good = life.stage.server.with(|played, now| played.is_alive(token.expose(), now)).unwrap_or_default();
    let outcome = if good { Ok(()) } else { Err("the provider says that it is not".to_owned()) };
    life.note(step, "the token that is handed out is good", outcome);
}

/// RFC 7662, where the provider speaks it.
pub(crate) async fn about(life: &mut Life<'_>, auth: &OAuth2, token: &AccessToken) {
    if auth.introspection_url.is_none() {
        return;
    }
    let outcome = match introspection(&life.cast.provider(), &life.client(), PresentedToken::Access(token)) {
        Ok(Some(request)) => match request_introspection(&life.stage.transport, request).await {
            Ok(told) if told.active && told.lifetime(life.stage.clock.now()).is_some() => Ok(()),
            Ok(_) => Err("the provider calls a living token dead, or is read so".to_owned()),
            Err(failure) => Err(failure.to_string()),
        },
        Ok(None) => Err("no request is made".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    life.note(Step::Fetch, "the provider tells when the token ends", outcome);
}

/// Two renewals, each with what the one before left behind.
async fn renewals(
    life: &mut Life<'_>,
    auth: &OAuth2,
    mut access: AccessToken,
    mut token: RefreshToken,
) -> Option<(AccessToken, RefreshToken)> {
    let unknown = renew(life, &RefreshToken::new("nobody-issued-this")).await;
    life.note(Step::Refresh, "an unknown refresh token is refused", refused(unknown, FailureClass::GrantRejected));
    for what in ["a refresh gives a new token", "and so does the next one"] {
        if let Some(window) = auth.refresh_window {
            life.stage.server.pass(LIFETIME.saturating_sub(window.into()));
        }
        let renewed = renew(life, &token).await;
        let grant = granted(life, Step::Refresh, what, renewed)?;
        access = grant.access_token;
        token = grant.refresh_token.unwrap_or(token);
    }
    alive(life, Step::Refresh, &access);
    Some((access, token))
}

pub(crate) async fn renew(life: &Life<'_>, token: &RefreshToken) -> Result<TokenGrant, Failed> {
    let request = refresh(&life.cast.provider(), &life.client(), token)?;
    let sent_at = life.stage.clock.now();
    let renewed = request_refresh(&life.stage.transport, request, life.cast.manifest, sent_at).await;
    Ok(renewed.map_err(|failed| failed.failure)?)
}

/// Notes a grant that has to be what the provider issued.
pub(crate) fn granted(
    life: &mut Life<'_>,
    step: Step,
    what: &str,
    outcome: Result<TokenGrant, Failed>,
) -> Option<TokenGrant> {
    let outcome = outcome.map_err(|failed| failed.to_string()).and_then(|grant| {
        let issued = life.stage.server.with(|played, _| played.issued().cloned()).flatten();
        same(&grant, issued.as_ref()).map(|()| grant)
    });
    life.note(step, what, outcome)
}

/// The provider is told, and believes it.
async fn end(life: &mut Life<'_>, auth: &OAuth2, access: &AccessToken, token: &RefreshToken) {
    if auth.revocation_url.is_none() {
        return;
    }
    ended(life, PresentedToken::Refresh(token)).await;
    let good = life.stage.server.with(|played, now| played.is_alive(access.expose(), now)).unwrap_or_default();
    let outcome = if good { Err("the access token is still good".to_owned()) } else { Ok(()) };
    life.note(Step::Revoke, "nothing of the grant is good afterwards", outcome);
    let renewed = renew(life, token).await;
    life.note(Step::Revoke, "a refresh is refused afterwards", refused(renewed, FailureClass::GrantRejected));
}

pub(crate) async fn ended(life: &mut Life<'_>, token: PresentedToken<'_>) {
    let outcome = match revocation(&life.cast.provider(), &life.client(), token) {
        Ok(Some(request)) => request_revocation(&life.stage.transport, request).await.map_err(|f| f.to_string()),
        Ok(None) => Err("no request is made".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    life.note(Step::Revoke, "the provider is told", outcome);
}
