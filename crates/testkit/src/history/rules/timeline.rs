//! The timeline against the provider's log.

use super::super::account::{Account, is_commit, is_grant};
use super::super::{Event, History, Request, Rule};
use super::{Found, against};

/// Generations have no gap and no repetition, and each is one more than the one that its attempt began from.
pub(super) fn chain(account: &Account<'_>) -> Found {
    let id = &account.connection.id;
    let mut found = Vec::new();
    let mut newest: Option<u64> = None;
    for event in &account.connection.events {
        let generation = event.detail["generation"].as_u64();
        if is_grant(event) {
            // A grant takes the next number, whether its line says so or not.
            newest = generation.or(newest.map(|newest| newest + 1));
        } else if is_commit(event) {
            let Some(generation) = generation else {
                found.push(against(Rule::Chain, format!("{id}: a {} without a generation", event.kind)));
                continue;
            };
            let parent = account
                .connection
                .events
                .iter()
                .find(|begun| begun.kind == "refresh_started" && same_attempt(begun, event));
            let parent = parent.and_then(|begun| begun.detail["generation"].as_u64());
            if newest.is_some_and(|newest| generation != newest + 1)
                || parent.is_none_or(|parent| generation != parent + 1)
            {
                let what = format!("{id}: generation {generation} after {newest:?}, of an attempt at {parent:?}");
                found.push(against(Rule::Chain, what));
            }
            newest = Some(generation);
        }
    }
    found
}

fn same_attempt(one: &Event, other: &Event) -> bool {
    one.detail["attempt"].is_string() && one.detail["attempt"] == other.detail["attempt"]
}

/// As many intents as requests, and each before its request. A client that is refused and tried with its older secret is
/// one attempt.
pub(super) fn intent(history: &History, account: &Account<'_>) -> Found {
    let begun: Vec<i64> = account
        .connection
        .events
        .iter()
        .filter(|event| event.kind == "refresh_started")
        .map(|event| event.at_ms)
        .collect();
    let requests = account.requests.iter().filter(|request| !request.refused_the_client());
    let late = requests.enumerate().filter(|(at, request)| {
        begun.iter().filter(|begun| **begun <= request.received_at_ms + history.skew_ms).count() <= *at
    });
    late.map(|(_, request)| {
        against(Rule::Intent, format!("{}: request {} came before its intent", account.connection.id, request.id))
    })
    .collect()
}

/// After the end only what was under way at the end may still arrive.
pub(super) fn sent_after_end(history: &History, account: &Account<'_>) -> Found {
    let events = &account.connection.events;
    let mut found = Vec::new();
    for (at, end) in
        events.iter().enumerate().filter(|(_, event)| ["revoked", "quarantined"].contains(&event.kind.as_str()))
    {
        let until = events.iter().skip(at).find(|event| is_grant(event)).map_or(i64::MAX, |event| event.at_ms);
        let begun = events.iter().take(at).filter(|event| event.kind == "refresh_started").count();
        let sent = |request: &&&Request| !request.refused_the_client();
        let before = account.requests.iter().filter(sent).filter(|request| request.received_at_ms <= end.at_ms).count();
        let after =
            account.requests.iter().filter(sent).filter(|request| {
                request.received_at_ms > end.at_ms + history.skew_ms && request.received_at_ms < until
            });
        // What had begun and not arrived; an attempt before the last one that never arrived will not do so now.
        let under_way = usize::from(begun > before);
        found.extend(after.skip(under_way).map(|request| {
            against(
                Rule::SentAfterEnd,
                format!("{}: request {} after it was {}", account.connection.id, request.id, end.kind),
            )
        }));
    }
    found
}

/// Every issued successor is accounted for, or somebody else lost it.
pub(super) fn lost(history: &History, account: &Account<'_>) -> Found {
    let undelivered = |request: &Request| {
        let refused = request.status.is_some_and(|status| status >= 400);
        request.replied_at_ms.is_none() || refused || in_a_window(history, request)
    };
    // In class N there is no successor that could be lost.
    let lost = account.issued.iter().filter(|issued| issued.line.is_none() && issued.request.class != "n");
    lost.filter(|issued| !undelivered(issued.request))
        .map(|issued| {
            let what = format!(
                "{}: what request {} brought was delivered and is gone",
                account.connection.id, issued.request.id
            );
            against(Rule::Lost, what)
        })
        .collect()
}

fn in_a_window(history: &History, request: &Request) -> bool {
    let end = request.replied_at_ms.unwrap_or(i64::MAX);
    history.windows.iter().any(|window| {
        window.family.is_none_or(|family| request.family == Some(family))
            && request.received_at_ms <= window.to_ms
            && end + history.skew_ms >= window.from_ms
    })
}
