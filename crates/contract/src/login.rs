//! The life of a login: credentials are changed for a token, the token is carried by calls, and renewed.

use crate::Step;
use crate::code::{alive, granted};
use crate::compare::refused;
use crate::errors::met;
use crate::life::{Failed, Life};
use mortise_connectors::TwoStep;
use mortise_domain::{AccessToken, PastedSecret, RefreshToken, TokenGrant};
use mortise_oauth::{
    Credentials, FailureClass, Given, MintError, PresentedToken, carried_token, mint, renew, request_revocation,
    revocation,
};
use mortise_sandbox::play::Trouble;
use std::collections::BTreeMap;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(30);

pub(crate) async fn live(life: &mut Life<'_>, auth: &TwoStep) {
    wrong(life).await;
    let what = "credentials are changed for a token, and the reply read";
    let made = asked(life, &life.cast.credentials).await;
    let Some(grant) = granted(life, Step::Connect, what, made) else { return };
    alive(life, Step::Fetch, &grant.access_token);
    carries(life, &grant);
    let (token, kept) = (grant.refresh_token, grant.kept);
    let mut last = grant.access_token;
    for what in ["a renewal gives a new token", "and so does the next one"] {
        let renewed = match &token {
            Some(token) => renewed(life, token, &kept).await,
            None => asked(life, &life.cast.credentials).await,
        };
        let Some(next) = granted(life, Step::Refresh, what, renewed) else { return };
        last = next.access_token;
        if next.refresh_token.is_some() {
            break;
        }
    }
    alive(life, Step::Refresh, &last);
    failures(life).await;
    // What was renewed after the failures is the newest.
    let Some(last) =
        life.stage.server.with(|played, _| played.issued().map(|issued| issued.access_token.clone())).flatten()
    else {
        return;
    };
    ended(life, auth, &AccessToken::new(last)).await;
}

/// Whatever of the credentials is another, the provider refuses them.
async fn wrong(life: &mut Life<'_>) {
    for name in life.cast.credentials.keys() {
        let mut others = life.cast.credentials.clone();
        if let Some(value) = others.get_mut(name) {
            value.push('x');
        }
        let outcome = refused(asked(life, &others).await, FailureClass::GrantRejected);
        life.note(Step::Connect, format!("another `{name}` is refused"), outcome);
    }
}

async fn asked(life: &Life<'_>, credentials: &BTreeMap<String, String>) -> Result<TokenGrant, Failed> {
    let credentials: Credentials =
        credentials.iter().map(|(name, value)| (name.clone(), PastedSecret::new(value.as_str()))).collect();
    let given = Given { credentials: &credentials, scopes: &life.cast.scopes };
    let (provider, client, now) = (life.cast.provider(), life.client(), life.stage.clock.now());
    Ok(mint(&life.stage.transport, &provider, &client, &given, DEADLINE, now).await?)
}

async fn renewed(life: &Life<'_>, token: &RefreshToken, kept: &Credentials) -> Result<TokenGrant, Failed> {
    let (provider, client, now) = (life.cast.provider(), life.client(), life.stage.clock.now());
    Ok(renew(&life.stage.transport, &provider, &client, (token, kept), DEADLINE, now).await?)
}

fn carries(life: &mut Life<'_>, grant: &TokenGrant) {
    let carried = carried_token(&life.cast.provider(), &grant.access_token, &grant.kept);
    let outcome = match carried {
        Ok(Some(call)) if call.token.expose() == grant.access_token.expose() => Ok(()),
        Ok(_) => Err("it is not".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    life.note(Step::Fetch, "a call can carry it", outcome);
}

/// Replies that are no token, to the first request of a login.
async fn failures(life: &mut Life<'_>) {
    let html = |status| Trouble::Reply { status, content_type: "text/html", body: "<html>busy</html>" };
    for (what, trouble, class) in [
        ("a failure says nothing about the credentials", html(502), FailureClass::Ambiguous),
        ("a page is no token", html(200), FailureClass::Ambiguous),
        ("a request to wait is one", Trouble::Overloaded { wait: 7 }, FailureClass::Throttled),
    ] {
        met(life, trouble);
        let outcome = refused(asked(life, &life.cast.credentials).await, class);
        life.note(Step::Errors, what, outcome);
    }
    let again = asked(life, &life.cast.credentials).await.map(drop).map_err(|failed| failed.to_string());
    life.note(Step::Errors, "none of this cost the login", again);
}

async fn ended(life: &mut Life<'_>, auth: &TwoStep, token: &AccessToken) {
    if auth.revocation.is_none() {
        return;
    }
    let outcome = match revocation(&life.cast.provider(), &life.client(), PresentedToken::Access(token)) {
        Ok(Some(request)) => request_revocation(&life.stage.transport, request).await.map_err(|f| f.to_string()),
        Ok(None) => Err("no request is made".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    life.note(Step::Revoke, "the provider is told", outcome);
    let good = life.stage.server.with(|played, now| played.is_alive(token.expose(), now)).unwrap_or_default();
    let outcome = if good { Err("it is still good".to_owned()) } else { Ok(()) };
    life.note(Step::Revoke, "the token is not good afterwards", outcome);
}

impl From<MintError> for Failed {
    fn from(error: MintError) -> Self {
        match error {
            MintError::Protocol(error) => error.into(),
            MintError::Refused(refused) => refused.failure.into(),
        }
    }
}
