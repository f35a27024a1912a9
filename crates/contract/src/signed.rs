//! The life of a token that the customer's key signs: it is made, tried out, carried by calls, and made anew.

use crate::Step;
use crate::compare::refused;
use crate::errors::met;
use crate::life::{Failed, Life, Outcome};
use mortise_connectors::SignedJwt;
use mortise_domain::{PastedSecret, TokenGrant};
use mortise_oauth::{
    Credentials, FailureClass, Given, carried_token, mint, request_verification, verification_of_token,
};
use mortise_sandbox::play::Trouble;
use std::collections::BTreeMap;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(30);

pub(crate) async fn live(life: &mut Life<'_>, auth: &SignedJwt) {
    let made = made(life, &life.cast.credentials).await.map_err(|failed| failed.to_string());
    let good = made.and_then(|grant| theirs(life, &grant).map(|()| grant));
    let Some(grant) = life.note(Step::Connect, "a token is signed, and the provider knows it", good) else { return };
    for (name, others) in wrong(life) {
        let outcome = match self::made(life, &others).await {
            Ok(grant) if auth.verification.is_some() => {
                refused(tried(life, auth, &grant).await, FailureClass::GrantRejected).map(drop)
            }
            Ok(grant) if theirs(life, &grant).is_ok() => Err("the provider takes it".to_owned()),
            Ok(_) => Ok(()),
            Err(failed) => Err(failed.to_string()),
        };
        life.note(Step::Connect, format!("another `{name}` is refused"), outcome);
    }
    carries(life, &grant);
    if auth.verification.is_some() {
        tries(life, auth, &grant).await;
    }
    for what in ["the next token is as good", "and so is the one after it"] {
        let next = self::made(life, &life.cast.credentials).await.map_err(|failed| failed.to_string());
        let good = next.and_then(|grant| theirs(life, &grant));
        life.note(Step::Refresh, what, good);
    }
}

/// The verification, and replies to it that say nothing about the key.
async fn tries(life: &mut Life<'_>, auth: &SignedJwt, grant: &TokenGrant) {
    let outcome = tried(life, auth, grant).await.map_err(|failed| failed.to_string());
    life.note(Step::Connect, "what the customer has is accepted", outcome);
    for (what, status, class) in [
        ("a failure says nothing about the key", 503, FailureClass::Ambiguous),
        ("nor does a request to wait", 429, FailureClass::Throttled),
    ] {
        met(life, Trouble::Reply { status, content_type: "text/plain", body: "busy" });
        let outcome = refused(tried(life, auth, grant).await, class);
        life.note(Step::Errors, what, outcome);
    }
}

/// What the customer has, with one thing changed, by the name of that.
fn wrong(life: &Life<'_>) -> Vec<(String, BTreeMap<String, String>)> {
    let changed = life.cast.credentials.iter().map(|(name, value)| {
        let other = life.cast.wrong_key.as_ref().filter(|(key, _)| key == name).map(|(_, other)| other.clone());
        let mut others = life.cast.credentials.clone();
        others.insert(name.clone(), other.unwrap_or_else(|| format!("{value}x")));
        (name.clone(), others)
    });
    changed.collect()
}

async fn made(life: &Life<'_>, credentials: &BTreeMap<String, String>) -> Result<TokenGrant, Failed> {
    let credentials: Credentials =
        credentials.iter().map(|(name, value)| (name.clone(), PastedSecret::new(value.as_str()))).collect();
    let given = Given { credentials: &credentials, scopes: &life.cast.scopes };
    let (provider, client, now) = (life.cast.provider(), life.client(), life.stage.clock.now());
    Ok(mint(&life.stage.transport, &provider, &client, &given, DEADLINE, now).await?)
}

fn theirs(life: &Life<'_>, grant: &TokenGrant) -> Outcome<()> {
    let token = grant.access_token.expose();
    let good = life.stage.server.with(|played, now| played.signed_by_customer(token, now)).unwrap_or_default();
    if good { Ok(()) } else { Err("the provider says that it is not".to_owned()) }
}

async fn tried(life: &Life<'_>, auth: &SignedJwt, grant: &TokenGrant) -> Result<(), Failed> {
    let none = || Failed::Unbuilt("none is made".to_owned());
    let request = verification_of_token(&life.cast.provider(), &grant.access_token, &grant.kept)?.ok_or_else(none)?;
    let call = auth.verification.as_ref().ok_or_else(none)?;
    Ok(request_verification(&life.stage.transport, request, call).await?)
}

fn carries(life: &mut Life<'_>, grant: &TokenGrant) {
    let (token, carried) =
        (&grant.access_token, carried_token(&life.cast.provider(), &grant.access_token, &grant.kept));
    let outcome = match carried {
        Ok(Some(call)) => {
            let mut everything = call.headers.values().chain(call.query.values());
            let there = everything.any(|value| value.expose().contains(token.expose()));
            if there { Ok(()) } else { Err("neither a header nor a parameter has it".to_owned()) }
        }
        Ok(None) => Err("it is not".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    life.note(Step::Fetch, "a call can carry it", outcome);
}
