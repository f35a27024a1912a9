//! A good history passes; each rule fails on a history that breaks it, and only that rule.

mod caller;
mod death;
mod provider;
mod timeline;

use super::*;
use serde_json::{Value, json};

/// A connection whose token is renewed twice in class F, fetched after each step. Request 1 is the code exchange.
fn good() -> History {
    let exchange = Request {
        id: 1,
        grant_type: Some("authorization_code".to_owned()),
        new_refresh_token: Some("rt0".to_owned()),
        new_access_token: Some("at0".to_owned()),
        ..request(1, 1_000)
    };
    History {
        requests: vec![exchange, refresh(2, 2_000, "rt0", "1"), refresh(3, 3_000, "rt1", "2")],
        grants: vec![Grant { family: 7, alive_refresh_tokens: vec![Token { id: "rt2".to_owned() }] }],
        connections: vec![Connection {
            id: "con".to_owned(),
            families: vec![7],
            roots: Vec::new(),
            state: "active".to_owned(),
            events: vec![
                event("connected", 1_100, json!({})),
                event("refresh_started", 1_950, json!({"attempt": "a", "generation": 1})),
                event("refreshed", 2_150, json!({"attempt": "a", "generation": 2})),
                event("refresh_started", 2_950, json!({"attempt": "b", "generation": 2})),
                event("refreshed", 3_150, json!({"attempt": "b", "generation": 3})),
            ],
        }],
        fetches: vec![fetch(1_200, "at0"), fetch(2_300, "at1"), fetch(3_300, "at2")],
        ..History::default()
    }
}

fn request(id: u64, at: i64) -> Request {
    Request {
        id,
        class: "f".to_owned(),
        family: Some(7),
        received_at_ms: at,
        processed_at_ms: Some(at + 50),
        replied_at_ms: Some(at + 100),
        status: Some(200),
        outcome: "issued".to_owned(),
        ..Request::default()
    }
}

/// Presents `token` and gets the pair of this number.
fn refresh(id: u64, at: i64, token: &str, pair: &str) -> Request {
    Request {
        grant_type: Some("refresh_token".to_owned()),
        token: Some(token.to_owned()),
        new_access_token: Some(format!("at{pair}")),
        new_refresh_token: Some(format!("rt{pair}")),
        ..request(id, at)
    }
}

/// Presents `token` and is refused.
fn refused(id: u64, at: i64, token: &str, error: &str) -> Request {
    let refused = Request { outcome: error.to_owned(), status: Some(400), ..refresh(id, at, token, "") };
    Request { new_access_token: None, new_refresh_token: None, ..refused }
}

/// Adds a request where its time puts it.
fn add(history: &mut History, request: Request) {
    history.requests.push(request);
    history.requests.sort_by_key(|request| request.received_at_ms);
    history.requests.iter_mut().zip(1..).for_each(|(request, id)| request.id = id);
}

fn event(kind: &str, at_ms: i64, detail: Value) -> Event {
    Event { kind: kind.to_owned(), at_ms, detail }
}

fn fetch(at: i64, token: &str) -> Fetch {
    Fetch { connection: "con".to_owned(), asked_at_ms: at, answered_at_ms: at + 10, token: token.to_owned() }
}

fn rules(history: &History) -> Vec<Rule> {
    let mut rules: Vec<Rule> = history.check().into_iter().map(|violation| violation.rule).collect();
    rules.dedup();
    rules
}

#[test]
fn a_good_history_holds() {
    good().assert_holds();
}

#[test]
#[should_panic(expected = "an empty history proves nothing")]
fn nothing_is_no_proof() {
    History::default().assert_holds();
}

#[test]
fn the_two_sides_are_read_as_they_are_served() {
    let report = json!({"totals": {"grants": 1}, "grants": [{"family": 7, "class": "f", "ended": null, "alive_refresh_tokens":
        [{"id": "ab", "parent": null, "generation": 2, "issued_at_ms": 5, "expires_at_ms": null}]}],
        "requests": [
            {"id": 1, "class": "f", "endpoint": "token", "grant_type": "refresh_token", "client_id": "c", "token": "aa",
             "parent": null, "family": 7, "overlapped": true, "scripted": false, "received_at_ms": 1, "processed_at_ms": 2,
             "replied_at_ms": null, "status": 200, "bytes_delivered": 3, "outcome": "issued", "new_access_token": "cc",
             "new_refresh_token": "ab"},
            {"id": 2, "class": "f", "endpoint": "userinfo", "grant_type": null, "client_id": null, "token": "cc",
             "parent": null, "family": 7, "overlapped": false, "scripted": false, "received_at_ms": 1,
             "processed_at_ms": 2, "replied_at_ms": 3, "status": 200, "bytes_delivered": 3, "outcome": "ok",
             "new_access_token": null, "new_refresh_token": null}]});
    let history = History::of_provider(report).unwrap();
    assert_eq!((history.requests.len(), history.grants[0].alive_refresh_tokens[0].id.as_str()), (1, "ab"));
    assert!(history.requests[0].overlapped && history.requests[0].is_refresh());
    assert!(History::of_provider(json!({"grants": []})).is_err());

    let newest_first = [
        json!({"id": "e2", "kind": "refreshed", "at": "2026-01-01T00:00:01.5Z", "detail": {"generation": 2}}),
        json!({"id": "e1", "kind": "connected", "at": "2026-01-01T00:00:00Z", "detail": {}}),
    ];
    let connection = Connection::of_api(json!({"id": "con", "state": "active"}), &newest_first, vec![7]).unwrap();
    assert_eq!((connection.id.as_str(), connection.state.as_str()), ("con", "active"));
    let kinds: Vec<_> = connection.events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["connected", "refreshed"]);
    assert_eq!(connection.events[1].at_ms - connection.events[0].at_ms, 1_500);
    assert!(Connection::of_api(json!({"id": "con"}), &newest_first, vec![7]).is_err());
}
