//! The life of a grant of OAuth 1.0 (RFC 5849): temporary credentials, consent, the token and its secret. It never ends by
//! itself, and nothing renews it.

use crate::Step;
use crate::code::alive;
use crate::compare::refused;
use crate::errors::met;
use crate::life::{Failed, Life, Outcome};
use mortise_domain::{AuthorizationCode, TokenGrant};
use mortise_oauth::{
    ClientRegistration, FailureClass, OAUTH1_TOKEN_SECRET, Oauth1Credentials, Once, oauth1_authorization_url,
    request_temporary_credentials, request_token_credentials, temporary_credentials, token_credentials,
};
use mortise_sandbox::play::Trouble;
use std::cell::Cell;
use url::Url;

pub(crate) async fn live(life: &mut Life<'_>) {
    let signatures = Cell::new(0);
    let other = temporary(life, &life.wrong_client(), &signatures).await;
    life.note(Step::Connect, "a wrong client secret is refused", refused(other, FailureClass::AppMisconfigured));
    for (what, status, class) in [
        ("a failure is one", 502, FailureClass::Ambiguous),
        ("a page is no token", 200, FailureClass::Ambiguous),
        ("a request to wait is one", 429, FailureClass::Throttled),
    ] {
        met(life, Trouble::Reply { status, content_type: "text/html", body: "<html>busy</html>" });
        let outcome = refused(temporary(life, &life.client(), &signatures).await, class);
        life.note(Step::Errors, what, outcome);
    }
    let held = temporary(life, &life.client(), &signatures).await.map_err(|failed| failed.to_string());
    let Some(held) = life.note(Step::Connect, "temporary credentials are asked for", held) else { return };
    let early = token(life, &held, "guessed", &signatures).await;
    life.note(Step::Connect, "without consent there is no token", refused(early, FailureClass::AppMisconfigured));
    let consented = consent(life, &held);
    let Some(verifier) = life.note(Step::Connect, "the customer consents", consented) else { return };
    let other = token(life, &held, "guessed", &signatures).await;
    life.note(Step::Connect, "another verifier is refused", refused(other, FailureClass::AppMisconfigured));
    let grant = token(life, &held, &verifier, &signatures).await.map_err(|failed| failed.to_string());
    let grant = grant.and_then(|grant| same(life, &grant).map(|()| grant));
    let Some(grant) = life.note(Step::Connect, "the token comes, and the reply is read", grant) else { return };
    alive(life, Step::Fetch, &grant.access_token);
    let again = token(life, &held, &verifier, &signatures).await;
    life.note(Step::Connect, "a verifier is good once", refused(again, FailureClass::AppMisconfigured));
}

/// What makes this signature unlike every other.
fn once(life: &Life<'_>, signatures: &Cell<u32>) -> Once {
    signatures.set(signatures.get() + 1);
    Once { timestamp: life.stage.clock.now().timestamp().to_string(), nonce: format!("nonce{}", signatures.get()) }
}

async fn temporary(
    life: &Life<'_>,
    client: &ClientRegistration<'_>,
    signatures: &Cell<u32>,
) -> Result<Oauth1Credentials, Failed> {
    let request = temporary_credentials(&life.cast.provider(), client, &once(life, signatures))?;
    Ok(request_temporary_credentials(&life.stage.transport, request).await?)
}

fn consent(life: &Life<'_>, held: &Oauth1Credentials) -> Outcome<String> {
    let url =
        oauth1_authorization_url(&life.cast.provider(), held.token.expose()).map_err(|error| error.to_string())?;
    let visited = life.stage.server.with(|played, now| played.visit(&url, now));
    let visited = visited.ok_or("nobody is on the stage")?.map_err(|error| error.to_string())?;
    let callback: Url = visited.ok_or("the page refuses the request")?;
    let verifier = callback.query_pairs().find(|(name, _)| name == "oauth_verifier");
    verifier.map(|(_, value)| value.into_owned()).ok_or_else(|| "the callback brings no verifier".to_owned())
}

async fn token(
    life: &Life<'_>,
    held: &Oauth1Credentials,
    verifier: &str,
    signatures: &Cell<u32>,
) -> Result<TokenGrant, Failed> {
    let verifier = AuthorizationCode::new(verifier);
    let (provider, client) = (life.cast.provider(), life.client());
    let request = token_credentials(&provider, &client, held, &verifier, &once(life, signatures))?;
    Ok(request_token_credentials(&life.stage.transport, request, life.cast.manifest).await?)
}

fn same(life: &Life<'_>, grant: &TokenGrant) -> Outcome<()> {
    let issued = life.stage.server.with(|played, _| played.issued().cloned()).flatten();
    let issued = issued.ok_or("the provider issued nothing")?;
    let secret = grant.kept.get(OAUTH1_TOKEN_SECRET).map(|secret| secret.expose());
    let good = grant.access_token.expose() == issued.access_token
        && secret == issued.token_secret.as_deref()
        && issued.extra.iter().all(|(name, value)| grant.extra.get(name) == Some(value));
    if good { Ok(()) } else { Err("the reply is read wrong".to_owned()) }
}
