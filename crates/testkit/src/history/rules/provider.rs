//! What the provider's log alone is enough to judge, and what it says of one connection.

use super::super::account::{Account, Issued};
use super::super::{History, Request, Rule};
use super::{Found, against};
use std::collections::{BTreeMap, BTreeSet};

/// By the provider's own word, and by the times that it wrote down.
pub(super) fn overlap(history: &History) -> Found {
    let mut by_token: BTreeMap<&str, Vec<&Request>> = BTreeMap::new();
    for request in history.requests.iter().filter(|request| request.is_refresh()) {
        if let Some(token) = &request.token {
            by_token.entry(token).or_default().push(request);
        }
    }
    let mut found = Vec::new();
    for (token, mut requests) in by_token {
        requests.sort_by_key(|request| request.id);
        // One that was never answered ended at an unknown time: there only the provider's word counts.
        let mut busy_until = i64::MIN;
        let left = |earlier: &u64, later: &Request| {
            requests.iter().any(|request| request.id == *earlier && request.left_before(later))
        };
        for request in &requests {
            let given_up =
                !request.overlaps.is_empty() && request.overlaps.iter().all(|earlier| left(earlier, request));
            if (request.overlapped && !given_up) || request.received_at_ms < busy_until {
                found.push(against(Rule::Overlap, format!("request {} presents {token} beside another", request.id)));
            }
            busy_until = busy_until.max(request.replied_at_ms.unwrap_or(i64::MIN));
        }
    }
    found
}

/// Tokens that the provider never issued, and grants that are nobody's.
pub(super) fn strangers(history: &History) -> Found {
    let known: BTreeSet<u64> =
        history.connections.iter().flat_map(|connection| &connection.families).copied().collect();
    let stranger = |request: &&Request| request.family.is_none_or(|family| !known.contains(&family));
    let refreshes = history.requests.iter().filter(|request| request.is_refresh() && !request.refused_the_client());
    refreshes
        .filter(stranger)
        .map(|request| {
            let what = format!("request {} presents {:?} of grant {:?}", request.id, request.token, request.family);
            against(Rule::Provenance, what)
        })
        .collect()
}

/// Pairs that were stored, and that the provider gave nobody.
pub(super) fn unissued(account: &Account<'_>) -> Found {
    let stored = account.unissued.iter().map(|line| {
        against(Rule::Provenance, format!("{}: a pair that nobody issued was {}", account.connection.id, line.kind))
    });
    stored.collect()
}

/// What is stored descends, pair by pair, from the grant. The first token of an import is nobody's child.
pub(super) fn parent(account: &Account<'_>) -> Found {
    let mut found = Vec::new();
    // The refresh tokens of each grant that were stored, newest last.
    let mut held: BTreeMap<Option<u64>, Vec<&str>> = BTreeMap::new();
    for exchange in &account.exchanges {
        held.entry(exchange.family).or_default().extend(exchange.new_refresh_token.as_deref());
    }
    for Issued { request, .. } in account.issued.iter().filter(|issued| issued.stored()) {
        let held = held.entry(request.family).or_default();
        let Some(token) = request.token.as_deref() else { continue };
        let allowed = match request.class.as_str() {
            "n" | "m" | "g" => held.contains(&token),
            _ => held.last() == Some(&token),
        };
        if !held.is_empty() && !allowed {
            let id = &account.connection.id;
            let what = format!("{id}: request {} was made with {token}, and {:?} was stored", request.id, held.last());
            found.push(against(Rule::Parent, what));
        }
        held.push(request.new_refresh_token.as_deref().unwrap_or(token));
    }
    found
}

/// A predecessor comes back after its successor was stored or presented.
pub(super) fn stale(history: &History, account: &Account<'_>) -> Found {
    let mut found = Vec::new();
    // When each token was left behind for good.
    let mut left: BTreeMap<&str, i64> = BTreeMap::new();
    let parents: BTreeMap<&str, &str> = account
        .requests
        .iter()
        .filter_map(|request| Some((request.new_refresh_token.as_deref()?, request.token.as_deref()?)))
        .filter(|(child, parent)| child != parent)
        .collect();
    for issued in account.issued.iter().filter(|issued| issued.stored()) {
        let (Some(line), Some(token)) = (issued.line, issued.request.token.as_deref()) else { continue };
        if issued.request.new_refresh_token.as_deref().is_some_and(|new| new != token) {
            left.entry(token).or_insert(line.at_ms.max(issued.request.received_at_ms) + history.skew_ms);
        }
    }
    for request in &account.requests {
        let Some(token) = request.token.as_deref() else { continue };
        if ["n", "m"].contains(&request.class.as_str()) {
            continue;
        }
        if left.get(token).is_some_and(|since| request.received_at_ms > *since) {
            let what = format!("request {} of {} presents {token} again", request.id, account.connection.id);
            found.push(against(Rule::Stale, what));
        }
        if let Some(parent) = parents.get(token) {
            left.entry(parent).or_insert(request.received_at_ms);
        }
    }
    found
}
