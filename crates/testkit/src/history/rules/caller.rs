//! What callers were answered.

use super::super::account::{Account, is_grant};
use super::super::{Fetch, History, Request, Rule};
use super::{Found, against};

/// An access token is handed out when the line that it was stored with is written, and not before.
pub(super) fn published(history: &History, account: &Account<'_>) -> Found {
    let id = &account.connection.id;
    let mut found = Vec::new();
    for fetch in &account.fetches {
        let by = fetch.answered_at_ms + history.skew_ms;
        let Some(origin) = account.origin(&fetch.token) else {
            if !account.connection.roots.contains(&fetch.token) {
                let what = format!("{id} was given {}, which the provider did not issue for it", fetch.token);
                found.push(against(Rule::Provenance, what));
            }
            continue;
        };
        let stored_at =
            if origin.is_refresh() { committed_at(account, origin) } else { granted_at(history, account, origin) };
        if stored_at.is_none_or(|at| at > by) {
            let what = format!("{id} was given what request {} brought at {by}, stored {stored_at:?}", origin.id);
            found.push(against(Rule::Published, what));
        }
    }
    found
}

fn committed_at(account: &Account<'_>, origin: &Request) -> Option<i64> {
    let issued = account.issued.iter().find(|issued| issued.request.id == origin.id)?;
    issued.line.filter(|_| issued.stored()).map(|line| line.at_ms)
}

fn granted_at(history: &History, account: &Account<'_>, origin: &Request) -> Option<i64> {
    let from = origin.received_at_ms - history.skew_ms;
    account.connection.events.iter().find(|event| is_grant(event) && event.at_ms >= from).map(|event| event.at_ms)
}

/// A question that is asked after another was answered is not answered with an older token.
pub(super) fn monotonic(account: &Account<'_>) -> Found {
    let mut all = account.fetches.clone();
    // Where a token came from that nobody issued is another rule's question.
    all.retain(|fetch| account.origin(&fetch.token).is_some() || account.connection.roots.contains(&fetch.token));
    let age = |fetch: &Fetch| account.origin(&fetch.token).map_or(0, |origin| origin.id);
    let mut answers = all.clone();
    answers.sort_by_key(|fetch| fetch.answered_at_ms);
    all.sort_by_key(|fetch| fetch.asked_at_ms);
    let (mut answers, mut newest, mut found) = (answers.into_iter().peekable(), 0, Vec::new());
    for fetch in all {
        while let Some(before) = answers.next_if(|before| before.answered_at_ms < fetch.asked_at_ms) {
            newest = newest.max(age(before));
        }
        if age(fetch) < newest {
            let what = format!(
                "{} was given what request {} brought, after what request {newest} brought",
                account.connection.id,
                age(fetch)
            );
            found.push(against(Rule::Monotonic, what));
        }
    }
    found
}
