//! Whether a connection that asks for a new consent needs one.

use super::super::account::Account;
use super::super::{History, Rule};
use super::{Found, against};

/// Every `needs_reauth` has a refusal of the refresh token before it that was the provider's own decision, and no pair was
/// stored in between; or there was no refresh token to begin with.
pub(super) fn false_death(account: &Account<'_>) -> Found {
    let mut found = Vec::new();
    let events = &account.connection.events;
    for (at, event) in events.iter().enumerate().filter(|(_, event)| event.kind == "needs_reauth") {
        // Nothing more is sent before the next attempt begins: what arrived by then came before the line.
        let next =
            events.iter().skip(at).find(|event| event.kind == "refresh_started").map_or(i64::MAX, |next| next.at_ms);
        let refused = account.requests.iter().any(|request| {
            let stored_since = account.issued.iter().any(|issued| {
                issued.stored() && issued.request.id > request.id && issued.request.received_at_ms < event.at_ms
            });
            request.outcome == "invalid_grant" && request.received_at_ms < next && !stored_since
        });
        if !refused && event.detail["reason"] != "no_refresh_token" {
            let what = format!("{} needs a new consent, and the provider never said so", account.connection.id);
            found.push(against(Rule::FalseDeath, what));
        }
    }
    found
}

/// At the end nobody is asked for a new consent whose stored refresh token would be accepted.
pub(super) fn dead_though_alive(history: &History, account: &Account<'_>) -> Found {
    let newest = account.connection.families.last();
    let grant = history.grants.iter().find(|grant| Some(&grant.family) == newest);
    let alive = |held: &str| grant.is_some_and(|grant| grant.alive_refresh_tokens.iter().any(|token| token.id == held));
    match account.held().filter(|held| account.connection.state == "needs_reauth" && alive(held)) {
        Some(held) => {
            let what = format!("{} needs a new consent, and {held} would be accepted", account.connection.id);
            vec![against(Rule::DeadThoughAlive, what)]
        }
        None => Vec::new(),
    }
}
