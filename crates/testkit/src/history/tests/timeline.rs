//! One planted violation at a time, against the rules about the timeline.

use super::*;

#[test]
fn generations_with_a_gap_or_twice_or_of_another_parent() {
    for generation in [2, 4] {
        let mut history = good();
        history.connections[0].events[4].detail["generation"] = json!(generation);
        assert_eq!(rules(&history), [Rule::Chain]);
    }
    let mut history = good();
    history.connections[0].events[3].detail["generation"] = json!(1);
    assert_eq!(rules(&history), [Rule::Chain]);
    let mut history = good();
    history.connections[0].events[4].detail["attempt"] = json!("nobody's");
    assert_eq!(rules(&history), [Rule::Chain]);
    // A new consent takes a number too.
    let mut history = good();
    let events = &mut history.connections[0].events;
    events.insert(3, event("reconnected", 2_500, json!({})));
    events[4].detail["generation"] = json!(3);
    events[5].detail["generation"] = json!(4);
    history.assert_holds();
}

#[test]
fn a_request_before_its_intent() {
    let mut history = good();
    history.connections[0].events[3].at_ms = 3_100;
    assert_eq!(rules(&history), [Rule::Intent]);
    let mut history = good();
    add(&mut history, refused(9, 1_880, "rt0", "invalid_client"));
    history.assert_holds();
}

#[test]
fn a_successor_is_gone() {
    let lose = || {
        let mut history = good();
        history.connections[0].events.pop();
        history.fetches.pop();
        history
    };
    assert_eq!(rules(&lose()), [Rule::Lost]);
    // Not delivered; replaced by an error; in a time when the receiver was killed; come too late and given back.
    let mut history = lose();
    history.requests[2].replied_at_ms = None;
    history.assert_holds();
    let mut history = lose();
    history.requests[2].status = Some(504);
    history.assert_holds();
    let mut history = lose();
    history.connections[0].events.push(event("late_reply", 9_000, json!({"attempt": "b"})));
    history.assert_holds();
    let window = |from_ms, to_ms, family| {
        let mut history = lose();
        history.windows.push(Window { from_ms, to_ms, family });
        rules(&history)
    };
    assert_eq!(window(3_050, 3_060, None), []);
    assert_eq!(window(3_090, 9_000, Some(7)), []);
    assert_eq!(window(3_050, 3_060, Some(8)), [Rule::Lost]);
    assert_eq!(window(1_000, 2_900, None), [Rule::Lost]);
    assert_eq!(window(3_200, 4_000, None), [Rule::Lost]);
}

/// A lost successor in the middle is not covered up by the next one's line.
#[test]
fn a_line_stands_for_one_successor() {
    let mut history = good();
    history.requests[1].class = "g".to_owned();
    add(&mut history, Request { class: "g".to_owned(), ..refresh(9, 2_120, "rt0", "1b") });
    history.requests[3] = Request { class: "g".to_owned(), ..refresh(10, 3_000, "rt1b", "2") };
    history.connections[0].events.insert(2, event("refresh_started", 2_110, json!({"attempt": "c", "generation": 1})));
    history.connections[0].events[3].at_ms = 2_250;
    history.connections[0].events[3].detail["attempt"] = json!("c");
    history.fetches[1] = fetch(2_300, "at1b");
    assert_eq!(rules(&history), [Rule::Lost]);
    assert!(history.check()[0].what.contains("request 2 brought"), "{:?}", history.check());
}

#[test]
fn something_is_sent_after_the_end() {
    for end in ["revoked", "quarantined"] {
        let mut history = good();
        history.connections[0].events.insert(3, event(end, 2_500, json!({})));
        assert_eq!(rules(&history), [Rule::SentAfterEnd], "{end}");
        // It was on its way.
        let mut history = good();
        history.connections[0].events.insert(4, event(end, 2_960, json!({})));
        history.assert_holds();
        // A new consent began anew.
        let mut history = good();
        history.connections[0].events.insert(3, event(end, 2_500, json!({})));
        history.connections[0].events.insert(4, event("reconnected", 2_600, json!({"generation": 2})));
        history.assert_holds();
    }
}

/// A line that was dated too early (by a clock that runs behind, or one that was read before) belongs to its attempt.
#[test]
fn a_line_is_known_by_its_attempt() {
    let mut history = good();
    history.connections[0].events[2].at_ms = 1_960;
    history.connections[0].events[4].at_ms = 2_960;
    history.assert_holds();
    // And a death by the refusal that was heard in its attempt.
    history.requests.push(refused(4, 4_000, "rt2", "invalid_grant"));
    history.connections[0].state = "needs_reauth".to_owned();
    history.connections[0].events.push(event("refresh_started", 3_950, json!({"attempt": "c", "generation": 3})));
    history.connections[0].events.push(event("needs_reauth", 3_960, json!({})));
    history.grants[0].alive_refresh_tokens.clear();
    history.assert_holds();
}
