//! The oracle's answers.

use super::{GrantFilter, GrantReport, OracleReport, TokenCheck, TokenReport, Totals};
use crate::ledger::{FamilyId, TokenId};
use crate::log::RequestRecord;
use crate::state::State;
use std::collections::BTreeMap;

/// Sums over everything.
pub fn totals(state: &State) -> Totals {
    let families = state.ledger.families.values();
    Totals {
        grants: state.ledger.families.len(),
        live_grants: families.clone().filter(|family| family.ended.is_none()).count(),
        issued: families.clone().map(|family| family.generation).sum(),
        reuse_events: families.map(|family| family.reuse_events).sum(),
        overlaps: state.overlaps,
        in_flight: state.in_flight.len(),
        scripted: state.scripts.left(),
        newest_request: state.log.newest(),
    }
}

/// Everything that the filter wants, with at most `requests` of the newest requests.
pub fn report(state: &State, filter: &GrantFilter, requests: usize, now: i64) -> OracleReport {
    let mut grants: BTreeMap<FamilyId, GrantReport> = BTreeMap::new();
    for (id, family) in state.ledger.families.iter().filter(|(id, family)| filter.wants(family.class, Some(**id))) {
        let rules = state.settings(family.class).rules();
        let alive_refresh_tokens = family
            .refresh_tokens
            .iter()
            .filter_map(|token| Some((token, state.ledger.refresh.get(token)?)))
            .filter(|(_, record)| state.ledger.refresh_is_good(record, &rules, now))
            .map(|(token, record)| TokenReport {
                id: *token,
                parent: record.parent,
                generation: record.generation,
                issued_at_ms: record.issued_at,
                expires_at_ms: rules.refresh_end(family),
            });
        let grant = GrantReport {
            family: *id,
            class: family.class,
            client_id: family.client_id.clone(),
            subject: family.subject.clone(),
            scopes: family.scopes.clone(),
            created_at_ms: family.created_at,
            ended: family.ended,
            ended_at_ms: family.ended_at,
            generation: family.generation,
            reuse_events: family.reuse_events,
            overlaps: family.overlaps,
            alive_refresh_tokens: alive_refresh_tokens.collect(),
            alive_access_tokens: Vec::new(),
        };
        grants.insert(*id, grant);
    }
    for (token, record) in &state.ledger.access {
        if let Some(grant) = grants.get_mut(&record.family)
            && state.ledger.access_is_good(record, &state.settings(grant.class).rules(), now)
        {
            grant.alive_access_tokens.push(TokenReport {
                id: *token,
                parent: record.parent,
                generation: record.generation,
                issued_at_ms: record.issued_at,
                expires_at_ms: Some(record.expires_at),
            });
        }
    }
    for grant in grants.values_mut() {
        grant.alive_access_tokens.sort_by_key(|token| token.generation);
    }
    let mut newest: Vec<RequestRecord> = state
        .log
        .newest_first()
        .filter(|record| filter.wants(record.class, record.family))
        .take(requests)
        .cloned()
        .collect();
    newest.reverse();
    OracleReport { totals: totals(state), grants: grants.into_values().collect(), requests: newest }
}

/// What is known of one token.
pub fn check(state: &State, token: &str, now: i64) -> TokenCheck {
    let id = TokenId::of(token);
    let ledger = &state.ledger;
    let found = |kind, alive, family_id: FamilyId, generation| {
        let family = ledger.families.get(&family_id);
        TokenCheck {
            kind,
            alive,
            id,
            family: Some(family_id),
            class: family.map(|family| family.class),
            generation: Some(generation),
            newest: match kind {
                "refresh_token" => family.and_then(|family| family.refresh_tokens.back()) == Some(&id),
                _ => family.is_some_and(|family| {
                    family.newest_access.map_or(family.generation == generation, |newest| newest == id)
                }),
            },
        }
    };
    let rules = |family| {
        let class = ledger.families.get(&family).map(|family| family.class);
        class.map(|class| state.settings(class).rules()).unwrap_or_default()
    };
    if let Some(record) = ledger.refresh.get(&id) {
        let alive = ledger.refresh_is_good(record, &rules(record.family), now);
        found("refresh_token", alive, record.family, record.generation)
    } else if let Some(record) = ledger.access.get(&id) {
        let alive = ledger.access_is_good(record, &rules(record.family), now);
        found("access_token", alive, record.family, record.generation)
    } else if let Some((code, alive)) = ledger.code(id, now) {
        let (family, class) = (code.family, Some(code.class));
        TokenCheck { kind: "code", alive, id, family, class, generation: None, newest: false }
    } else {
        TokenCheck { kind: "unknown", alive: false, id, family: None, class: None, generation: None, newest: false }
    }
}
