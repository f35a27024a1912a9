//! One planted violation at a time, against the rules about `needs_reauth`.

use super::*;

#[test]
fn a_death_that_nobody_declared() {
    let dead = || {
        let mut history = good();
        history.connections[0].state = "needs_reauth".to_owned();
        history.connections[0].events.push(event("refresh_started", 3_950, json!({"attempt": "c", "generation": 3})));
        history.connections[0].events.push(event("needs_reauth", 4_200, json!({"reason": "refresh_token_rejected"})));
        history.grants[0].alive_refresh_tokens.clear();
        history
    };
    // The provider said no.
    let mut history = dead();
    history.requests.push(refused(4, 4_000, "rt2", "invalid_grant"));
    history.assert_holds();
    // It said nothing of the kind: it was away, or somebody in between spoke for it.
    for outcome in ["not_processed", "temporarily_unavailable"] {
        let mut history = dead();
        history.requests.push(refused(4, 4_000, "rt2", outcome));
        assert_eq!(rules(&history), [Rule::FalseDeath], "{outcome}");
    }
    // It said so of a token that was replaced since.
    let mut history = dead();
    add(&mut history, refused(9, 2_500, "rt1", "invalid_grant"));
    history.connections[0].events.insert(3, event("refresh_started", 2_450, json!({"attempt": "d", "generation": 2})));
    assert_eq!(rules(&history), [Rule::FalseDeath]);
    // Nothing was there to refuse.
    let mut history = dead();
    history.connections[0].events[6].detail["reason"] = json!("no_refresh_token");
    history.assert_holds();
}

#[test]
fn asked_for_a_new_consent_with_a_good_token_in_hand() {
    let mut history = good();
    history.requests.push(refused(4, 4_000, "rt2", "invalid_grant"));
    history.connections[0].state = "needs_reauth".to_owned();
    history.connections[0].events.push(event("refresh_started", 3_950, json!({"attempt": "c", "generation": 3})));
    history.connections[0].events.push(event("needs_reauth", 4_200, json!({})));
    assert_eq!(rules(&history), [Rule::DeadThoughAlive]);
    // What lives is a successor that nobody received: the rotation is lost, and the death is true.
    history.grants[0].alive_refresh_tokens[0].id = "rt3".to_owned();
    history.assert_holds();
    history.connections[0].state = "active".to_owned();
    history.grants[0].alive_refresh_tokens[0].id = "rt2".to_owned();
    history.assert_holds();
}
