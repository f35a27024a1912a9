//! The life of further tokens: each is renewed by itself, and ended by itself.

use crate::Step;
use crate::code::{alive, ended};
use crate::compare::{refused, same_further};
use crate::life::{Failed, Life};
use mortise_connectors::OAuth2;
use mortise_domain::{AccessToken, FurtherToken, RefreshToken};
use mortise_oauth::{FailureClass, PresentedToken, refresh, request_further_refresh};
use std::collections::BTreeMap;

/// A further token at the end of its life.
pub(crate) struct Last {
    access: AccessToken,
    refresh: Option<RefreshToken>,
}

/// Two renewals of each that has a refresh token of its own, each with what the one before left behind.
pub(crate) async fn renewals(life: &mut Life<'_>, auth: &OAuth2, further: BTreeMap<String, FurtherToken>) -> Vec<Last> {
    let mut last = Vec::new();
    for (name, token) in further {
        alive(life, Step::Fetch, &token.access_token);
        let mut now = Last { access: token.access_token, refresh: token.refresh_token };
        if let Some(unspent) = now.refresh.take() {
            now = match renewed_twice(life, auth, &name, Last { refresh: Some(unspent), ..now }).await {
                Some(renewed) => renewed,
                None => return last,
            };
        }
        last.push(now);
    }
    last
}

async fn renewed_twice(life: &mut Life<'_>, auth: &OAuth2, name: &str, mut now: Last) -> Option<Last> {
    for what in ["is renewed by itself", "and once more"] {
        if let Some(window) = auth.refresh_window {
            life.stage.server.pass(crate::code::LIFETIME.saturating_sub(window.into()));
        }
        let sent = now.refresh.take()?;
        let outcome = renew(life, name, &sent).await.map_err(|failed| failed.to_string());
        let outcome = outcome.and_then(|token| {
            let issued = life.stage.server.with(|played, _| played.issued().cloned()).flatten();
            let good = issued.is_some_and(|issued| same_further(&token, &issued));
            if good { Ok(token) } else { Err("the reply is read wrong".to_owned()) }
        });
        let token = life.note(Step::Refresh, format!("the token `{name}` {what}"), outcome)?;
        now = Last { access: token.access_token, refresh: Some(token.refresh_token.unwrap_or(sent)) };
    }
    alive(life, Step::Refresh, &now.access);
    Some(now)
}

async fn renew(life: &Life<'_>, name: &str, token: &RefreshToken) -> Result<FurtherToken, Failed> {
    let request = refresh(&life.cast.provider(), &life.client(), token)?;
    let (sent_at, manifest) = (life.stage.clock.now(), life.cast.manifest);
    let renewed = request_further_refresh(&life.stage.transport, request, manifest, name, sent_at).await;
    let mut grant = renewed.map_err(|failed| failed.failure)?;
    grant.further.remove(name).ok_or_else(|| Failed::Unbuilt("the reply does not hold it".to_owned()))
}

/// The provider is told of each, and believes it.
pub(crate) async fn end(life: &mut Life<'_>, auth: &OAuth2, further: Vec<Last>) {
    if auth.revocation_url.is_none() {
        return;
    }
    for Last { access, refresh } in further {
        let token = refresh.as_ref().map_or(PresentedToken::Access(&access), PresentedToken::Refresh);
        ended(life, token).await;
        let good = life.stage.server.with(|played, now| played.is_alive(access.expose(), now)).unwrap_or_default();
        let outcome = if good { Err("the further token is still good".to_owned()) } else { Ok(()) };
        life.note(Step::Revoke, "nor is a further token", outcome);
        if let Some(token) = &refresh {
            let again = renew(life, "", token).await;
            life.note(Step::Revoke, "its refresh is refused afterwards", refused(again, FailureClass::GrantRejected));
        }
    }
}
