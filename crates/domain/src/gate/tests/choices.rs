//! Which of several closed gates is told, and what an app's gate has no part in.

use super::{app, ask, at, open, provider, quiet, rated, troubled};
use crate::gate::{Ask, Limits, Outcome, Permit, Why, permit};

#[test]
fn what_is_closed_to_everything_is_told_before_what_is_closed_to_retries() {
    let mut gate = troubled(Limits { rate: None, concurrency: Some(3), mint: None });
    assert_eq!(ask(&mut gate, 0, Ask::Retry, 0), None);
    assert_eq!(ask(&mut gate, 0, Ask::Retry, 0), Some((5_000, Why::Retries)));
    assert_eq!(ask(&mut gate, 0, Ask::Retry, 3), Some((1_000, Why::Full)), "a first attempt may not pass either");
    assert_eq!(ask(&mut gate, 4_500, Ask::Retry, 3), Some((5_500, Why::Full)));
    gate.note(at(0), quiet(2));
    assert_eq!(ask(&mut gate, 0, Ask::Retry, 0), Some((2_000, Why::Quiet)));
    assert_eq!(ask(&mut gate, 0, Ask::Retry, 3), Some((2_000, Why::Quiet)), "the longest of them");
    assert_eq!(ask(&mut gate, 1_500, Ask::Retry, 3), Some((2_500, Why::Full)));
}

#[test]
fn the_gate_that_stays_closed_longest_is_told() {
    for (provider_quiet, told) in [(2, Why::Rate), (30, Why::Quiet)] {
        let (mut provider, mut app) = (provider(Limits::default()), app());
        app.limits = rated(1, 10);
        let first = permit(&mut [(&mut provider, 0), (&mut app, 0)], at(0), Ask::First);
        assert_eq!(first, Permit::Go);
        provider.note(at(0), quiet(provider_quiet));
        let Permit::Wait { why, gate, until } = permit(&mut [(&mut provider, 0), (&mut app, 0)], at(0), Ask::First)
        else {
            panic!("both are closed")
        };
        assert_eq!((why, until), (told, at(if told == Why::Rate { 10_000 } else { 30_000 })));
        assert_eq!(gate, if told == Why::Rate { app.id } else { provider.id });
    }
}

#[test]
fn an_app_has_no_retry_budget() {
    let mut gate = app();
    for n in 0..100 {
        assert_eq!(ask(&mut gate, n, Ask::Retry, 0), None);
    }
    assert_eq!(gate, app());
}

#[test]
fn probes_of_a_provider_that_is_down_cost_no_budget() {
    let mut gate = open();
    for n in 1..10 {
        assert_eq!(ask(&mut gate, 4 + n * 5_000, Ask::Retry, 0), None);
    }
    assert!(gate.note(at(50_000), Outcome::Answered).is_some());
    assert_eq!(ask(&mut gate, 50_001, Ask::Retry, 0), None, "the one that is always allowed is left");
}

#[test]
fn what_may_come_at_once_is_what_a_second_brings_but_a_fifth_of_the_window_at_most() {
    for (requests, seconds, at_once) in
        [(100, 10, 12), (10, 1, 3), (600, 60, 12), (4, 1, 1), (5, 1, 2), (3_600, 3_600, 3)]
    {
        let mut gate = provider(rated(requests, seconds));
        let passed = (0..requests).filter(|_| ask(&mut gate, 0, Ask::First, 0).is_none()).count();
        assert_eq!(passed, at_once, "{requests} in {seconds} s");
    }
}

#[test]
fn a_flow_that_does_not_divide_the_second_is_rounded_to_the_slower_side() {
    let mut gate = provider(rated(7, 1));
    let mut passed = Vec::new();
    for millis in 0..1_002 {
        while ask(&mut gate, millis, Ask::First, 0).is_none() {
            passed.push(millis);
            assert!(passed.len() < 20, "{passed:?}");
        }
    }
    assert_eq!(passed, [0, 0, 167, 334, 501, 667, 834, 1_001]);
}

#[test]
fn a_gate_is_to_be_asked_where_it_could_say_no() {
    assert!(!provider(Limits::default()).is_to_ask(at(0)));
    assert!(!app().is_to_ask(at(0)));
    assert!(provider(rated(1, 1)).is_to_ask(at(0)));
    assert!(provider(Limits { rate: None, concurrency: Some(1), mint: None }).is_to_ask(at(0)));
    // However long ago it went down: somebody has to find out whether it is up again.
    assert!(open().is_to_ask(at(0)) && open().is_to_ask(at(100_000_000)));
    let mut gate = app();
    gate.closed_until = Some(at(10));
    assert!(gate.is_to_ask(at(9)) && !gate.is_to_ask(at(10)));
}
