//! What was read, against what the provider meant.

use crate::life::{Failed, Outcome};
use mortise_domain::{FurtherToken, TokenGrant};
use mortise_oauth::{Failure, FailureClass};
use mortise_sandbox::play::Issued;
use std::time::Duration;

/// Whether a grant is what was issued. No value is repeated.
pub(crate) fn same(grant: &TokenGrant, issued: Option<&Issued>) -> Outcome<()> {
    let issued = issued.ok_or("the provider issued nothing")?;
    let seconds = |seconds: i64| u64::try_from(seconds).ok().map(Duration::from_secs);
    let mut wrong = Vec::new();
    let mut look = |good: bool, what: &str| {
        if !good {
            wrong.push(what.to_owned());
        }
    };
    look(grant.access_token.expose() == issued.access_token, "the access token");
    let refresh = grant.refresh_token.as_ref().map(|token| token.expose());
    look(refresh == issued.refresh_token.as_deref(), "the refresh token");
    look(grant.lifetime == seconds(issued.lifetime), "the lifetime");
    look(grant.refresh_lifetime == issued.refresh_lifetime.and_then(seconds), "the refresh token's lifetime");
    look(grant.granted_scopes.clone().unwrap_or_default() == issued.scopes, "the scopes");
    look(grant.further.len() == issued.further.len(), "the number of further tokens");
    for (name, token) in &issued.further {
        look(grant.further.get(name).is_some_and(|read| same_further(read, token)), &format!("the token `{name}`"));
    }
    for (name, value) in &issued.extra {
        look(grant.extra.get(name) == Some(value), &format!("the field `{name}`"));
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(format!("the reply is read wrong: {} is not what the provider said", wrong.join(", "))),
    }
}

/// Whether a further token is what was issued.
pub(crate) fn same_further(read: &FurtherToken, issued: &Issued) -> bool {
    read.access_token.expose() == issued.access_token
        && read.refresh_token.as_ref().map(|token| token.expose()) == issued.refresh_token.as_deref()
        && read.granted_scopes.clone().unwrap_or_default() == issued.scopes
}

/// Whether a request failed as it should.
pub(crate) fn refused<T>(outcome: Result<T, Failed>, class: FailureClass) -> Outcome<Failure> {
    match outcome {
        Err(Failed::Sent(failure)) if failure.class == class => Ok(failure),
        Err(Failed::Sent(failure)) => {
            Err(format!("it is taken for {:?} and not for {class:?} ({failure})", failure.class))
        }
        Err(unbuilt @ Failed::Unbuilt(_)) => Err(unbuilt.to_string()),
        Ok(_) => Err(format!("it is taken for a success and not for {class:?}")),
    }
}
