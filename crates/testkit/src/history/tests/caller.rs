//! One planted violation at a time, against the rules about answers to callers.

use super::*;

#[test]
fn a_token_is_handed_out_before_it_is_stored_or_never_stored() {
    let mut history = good();
    history.fetches[2] = fetch(3_110, "at2");
    history.connections[0].events[4].at_ms = 3_400;
    assert_eq!(rules(&history), [Rule::Published]);
    // Lost with the process, and handed out all the same.
    let mut history = good();
    history.connections[0].events.pop();
    history.windows.push(Window { from_ms: 3_000, to_ms: 3_200, family: Some(7) });
    assert_eq!(rules(&history), [Rule::Published]);
    // The first one, too.
    let mut history = good();
    history.connections[0].events[0].at_ms = 1_900;
    assert_eq!(rules(&history), [Rule::Published]);
}

#[test]
fn an_older_token_after_a_newer_one() {
    let mut history = good();
    history.fetches.push(fetch(3_500, "at1"));
    assert_eq!(rules(&history), [Rule::Monotonic]);
    // Asked before the newer one was answered: both answers are right.
    let mut history = good();
    history.fetches.push(Fetch { asked_at_ms: 3_305, answered_at_ms: 3_500, ..fetch(0, "at1") });
    history.assert_holds();
}
