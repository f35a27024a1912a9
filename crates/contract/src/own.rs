//! The life of a grant that no browser is needed for: the client asks in its own name (RFC 6749 section 4.4), or with what
//! a customer gave (section 4.3, RFC 7522, RFC 7523 section 2.1, RFC 8693).

use crate::Step;
use crate::code::{about, alive, ended, granted};
use crate::compare::refused;
use crate::errors::{everywhere, met};
use crate::life::{Failed, Life};
use mortise_connectors::{ClientAuthentication, OAuth2};
use mortise_domain::{PastedSecret, TokenGrant};
use mortise_oauth::{
    ClientRegistration, Credentials, FailureClass, Given, PresentedToken, grant_request, request_refresh,
};
use std::collections::BTreeMap;

pub(crate) async fn live(life: &mut Life<'_>, auth: &OAuth2) {
    wrong(life, auth).await;
    let what = "a token is asked for, and the reply read";
    let Some(mut grant) = granted(life, Step::Connect, what, asked(life).await) else { return };
    life.bound = grant.dpop_key.take();
    alive(life, Step::Fetch, &grant.access_token);
    about(life, auth, &grant.access_token).await;
    let what = "another token takes its place";
    let Some(grant) = granted(life, Step::Refresh, what, asked(life).await) else { return };
    for (what, trouble, class) in everywhere() {
        met(life, trouble);
        let outcome = refused(asked(life).await, class);
        life.note(Step::Errors, what, outcome);
    }
    if auth.revocation_url.is_none() {
        return;
    }
    ended(life, PresentedToken::Access(&grant.access_token)).await;
    let token = grant.access_token.expose();
    let good = life.stage.server.with(|played, now| played.is_alive(token, now)).unwrap_or_default();
    let outcome = if good { Err("it is still good".to_owned()) } else { Ok(()) };
    life.note(Step::Revoke, "the token is not good afterwards", outcome);
}

/// Who is not the client, or brings what is not the customer's, is refused.
async fn wrong(life: &mut Life<'_>, auth: &OAuth2) {
    if auth.client_authentication != ClientAuthentication::None || auth.signs_with_app_key() {
        let class = match auth.client_authentication {
            ClientAuthentication::None => FailureClass::GrantRejected,
            _ => FailureClass::AppMisconfigured,
        };
        let other = asked_with(life, &life.wrong_client(), &life.cast.credentials).await;
        life.note(Step::Connect, "a wrong client secret is refused", refused(other, class));
    }
    for name in life.cast.credentials.keys() {
        let mut others = life.cast.credentials.clone();
        match (&life.cast.wrong_key, others.get_mut(name)) {
            (Some((key, wrong)), Some(value)) if key == name => value.clone_from(wrong),
            (_, Some(value)) => value.push('x'),
            (_, None) => {}
        }
        let outcome = asked_with(life, &life.client(), &others).await;
        let outcome = refused(outcome, FailureClass::GrantRejected);
        life.note(Step::Connect, format!("another `{name}` is refused"), outcome);
    }
}

async fn asked(life: &Life<'_>) -> Result<TokenGrant, Failed> {
    asked_with(life, &life.client(), &life.cast.credentials).await
}

async fn asked_with(
    life: &Life<'_>,
    client: &ClientRegistration<'_>,
    credentials: &BTreeMap<String, String>,
) -> Result<TokenGrant, Failed> {
    let credentials: Credentials =
        credentials.iter().map(|(name, value)| (name.clone(), PastedSecret::new(value.as_str()))).collect();
    let given = Given { credentials: &credentials, scopes: &life.cast.scopes };
    let request = grant_request(&life.cast.provider(), client, &given)?;
    let sent_at = life.stage.clock.now();
    let told = request_refresh(&life.stage.transport, request, life.cast.manifest, sent_at).await;
    Ok(told.map_err(|failed| failed.failure)?)
}
