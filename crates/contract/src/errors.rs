//! Error replies: each is what the protocol or the manifest says that it is, and none of them is a token.

use crate::Step;
use crate::code::renew;
use crate::compare::refused;
use crate::life::{Failed, Life, Outcome};
use mortise_connectors::{OAuth2, RefreshError};
use mortise_domain::RefreshToken;
use mortise_oauth::FailureClass;
use mortise_sandbox::play::Trouble;
use std::time::Duration;

const WAIT: u32 = 7;

/// What a refresh may be answered with, and what each means.
pub(crate) async fn of_refresh(life: &mut Life<'_>, auth: &OAuth2, token: &RefreshToken) {
    for (what, trouble, class) in every(auth) {
        met(life, trouble);
        let outcome = refused(renew(life, token).await, class);
        life.note(Step::Errors, what, outcome);
    }
    met(life, Trouble::Overloaded { wait: WAIT.into() });
    let outcome = patient(renew(life, token).await);
    life.note(Step::Errors, "it is read how long to wait", outcome);
    let kept = renewable(life, auth, token).await;
    life.note(Step::Errors, "none of this cost the grant", kept);
}

pub(crate) fn met(life: &Life<'_>, trouble: Trouble) {
    life.stage.server.with(|played, _| played.meet_next(trouble));
}

/// Replies that mean the same everywhere.
pub(crate) fn everywhere() -> Vec<(String, Trouble, FailureClass)> {
    let error = |code: &str, status| Trouble::Error { code: code.to_owned(), status };
    let html = |status| Trouble::Reply { status, content_type: "text/html", body: "<html>busy</html>" };
    let json = |body| Trouble::Reply { status: 200, content_type: "application/json", body };
    let table = [
        ("a refused grant is one", error("invalid_grant", 400), FailureClass::GrantRejected),
        ("so it is with status 200", error("invalid_grant", 200), FailureClass::GrantRejected),
        ("a refused client is one", error("invalid_client", 401), FailureClass::AppMisconfigured),
        ("an unknown code is not believed", error("a_code_of_nobody", 400), FailureClass::Unknown),
        ("a failure says nothing about the grant", html(502), FailureClass::Ambiguous),
        ("a page is no token", html(200), FailureClass::Ambiguous),
        ("an empty object is no token", json("{}"), FailureClass::Ambiguous),
        ("half a reply is no token", json("{\"access_token\": \"at"), FailureClass::Ambiguous),
    ];
    table.into_iter().map(|(what, trouble, class)| (what.to_owned(), trouble, class)).collect()
}

fn every(auth: &OAuth2) -> Vec<(String, Trouble, FailureClass)> {
    let mut all = everywhere();
    for (list, meaning, codes) in auth.refresh_errors.lists() {
        let class = match meaning {
            RefreshError::Permanent => FailureClass::GrantRejected,
            RefreshError::Transient => FailureClass::Ambiguous,
            RefreshError::Throttled => FailureClass::Throttled,
            RefreshError::App => FailureClass::AppMisconfigured,
        };
        for code in codes {
            let trouble = match auth.token_response.error_detail {
                Some(_) => Trouble::Detail { code: code.clone() },
                None => Trouble::Error { code: code.clone(), status: 400 },
            };
            all.push((format!("`{code}` is {list}"), trouble, class));
        }
    }
    all
}

fn patient<T>(outcome: Result<T, Failed>) -> Outcome<()> {
    let failure = refused(outcome, FailureClass::Throttled)?;
    let wait = failure.retry_after;
    // An instant is told in whole seconds.
    let near = |wait: Duration| wait.as_secs().abs_diff(WAIT.into()) <= 1;
    if wait.is_some_and(near) { Ok(()) } else { Err("the wait is not the one that was asked for".to_owned()) }
}

async fn renewable(life: &Life<'_>, auth: &OAuth2, token: &RefreshToken) -> Outcome<()> {
    if let Some(window) = auth.refresh_window {
        life.stage.server.pass(3600_u64.saturating_sub(window.into()));
    }
    renew(life, token).await.map(|_| ()).map_err(|failed| failed.to_string())
}
