//! One planted violation at a time, against the rules about the provider's log.

use super::*;

#[test]
fn overlap_by_the_providers_word_and_by_its_times() {
    let mut history = good();
    history.requests[2].overlapped = true;
    assert_eq!(rules(&history), [Rule::Overlap]);

    // The same token again before the first answer was out, which the provider did not process.
    let mut history = good();
    history.requests[1] = refused(2, 2_000, "rt0", "not_processed");
    add(&mut history, refresh(9, 2_080, "rt0", "1"));
    history.connections[0].events.insert(1, event("refresh_started", 1_940, json!({"attempt": "x", "generation": 1})));
    assert_eq!(rules(&history), [Rule::Overlap]);
    // Its client had given it up, so nobody waited for two.
    let mut given_up = good();
    let earlier = refused(9, 2_960, "rt1", "not_processed");
    add(&mut given_up, Request { replied_at_ms: None, left_us: Some(60), ..earlier });
    given_up.requests[3].overlapped = true;
    given_up.requests[3].overlaps = vec![3];
    given_up.requests[3].received_us = 70;
    given_up.connections[0].events.insert(3, event("refresh_started", 2_940, json!({"attempt": "y", "generation": 2})));
    given_up.assert_holds();
    given_up.requests[2].left_us = Some(80);
    assert_eq!(rules(&given_up), [Rule::Overlap]);
    // And after it: a retry.
    history.requests[2].received_at_ms = 2_101;
    history.assert_holds();
}

#[test]
fn a_token_that_was_left_behind_comes_back() {
    let again = |at, class: &str| {
        let mut history = good();
        history.requests.push(refused(4, at, "rt0", "invalid_grant"));
        history.requests.iter_mut().for_each(|request| request.class = class.to_owned());
        history.connections[0].events.push(event("refresh_started", at - 50, json!({"attempt": "c", "generation": 3})));
        history
    };
    for class in ["g", "u", "s", "f"] {
        assert_eq!(rules(&again(4_000, class)), [Rule::Stale], "{class}");
    }
    for class in ["n", "m"] {
        again(4_000, class).assert_holds();
    }
    // A successor that was never stored leaves its predecessor in place.
    let mut history = good();
    history.requests[2].replied_at_ms = None;
    history.requests.push(refused(4, 4_000, "rt1", "invalid_grant"));
    history.fetches.pop();
    history.connections[0].events.pop();
    history.connections[0].events.push(event("refresh_started", 3_950, json!({"attempt": "c", "generation": 2})));
    history.assert_holds();
}

#[test]
fn what_the_provider_never_issued() {
    let mut history = good();
    history.requests[2].family = None;
    assert!(rules(&history).contains(&Rule::Provenance));
    // Another connection's.
    let mut history = good();
    history.fetches[1].token = "somebody else's".to_owned();
    assert_eq!(rules(&history), [Rule::Provenance]);
    // Stored twice, as if twice issued.
    let mut history = good();
    let again = json!({"attempt": "c", "generation": 4});
    history.connections[0].events.push(event("refresh_started", 3_950, json!({"attempt": "c", "generation": 3})));
    history.connections[0].events.push(event("recovered", 4_000, again));
    assert_eq!(rules(&history), [Rule::Provenance]);
    let mut history = good();
    history.fetches[1].token = "somebody else's".to_owned();
    // What an import brought was issued before the log began.
    history.connections[0].roots.push("somebody else's".to_owned());
    history.fetches.swap(0, 1);
    history.fetches[0].asked_at_ms = 1_150;
    history.assert_holds();
}

#[test]
fn a_pair_of_another_parent_is_stored() {
    // The provider knows the token as one of this grant, but it was never stored here.
    let mut history = good();
    history.requests[2].token = Some("a sibling of rt1".to_owned());
    assert_eq!(rules(&history), [Rule::Parent]);
    // Where the old token stays good its next successor may be stored beside the one before.
    let again = |class: &str| {
        let mut history = good();
        history.requests.iter_mut().for_each(|request| request.class = class.to_owned());
        history.requests[2].token = Some("rt0".to_owned());
        rules(&history)
    };
    assert_eq!(again("m"), []);
    assert_eq!(again("u"), [Rule::Stale, Rule::Parent]);
    // An import's first token was issued before the log began.
    let mut history = good();
    history.requests.remove(0);
    history.connections[0].roots.push("at0".to_owned());
    history.assert_holds();
}
