//! One case after the other, as a table would have them. What must hold always is in `properties`.

use super::*;
use crate::{AppKey, ConnectionId, ConnectorKey};
use uuid::Uuid;

mod choices;
mod properties;

pub(super) const START: i64 = 1_700_000_000_000;

pub(super) fn at(millis: i64) -> Timestamp {
    Timestamp::from_timestamp_millis(START + millis).expect("a time in range")
}

pub(super) fn provider(limits: Limits) -> Gate {
    Gate::new(GateId::Provider(ConnectorKey::from_uuid(Uuid::from_u128(1))), limits)
}

/// A provider at which something failed just now.
pub(super) fn troubled(limits: Limits) -> Gate {
    Gate { trouble_at: Some(at(0)), ..provider(limits) }
}

pub(super) fn app() -> Gate {
    Gate::new(GateId::App(AppKey::from_uuid(Uuid::from_u128(2))), Limits::default())
}

pub(super) fn rated(requests: u32, seconds: u32) -> Limits {
    Limits { rate: Some(Rate { requests, seconds }), concurrency: None, mint: None }
}

fn connection(number: u128) -> ConnectionId {
    ConnectionId::from_uuid(Uuid::from_u128(number))
}

/// What one gate answers: `None` is go.
pub(super) fn ask(gate: &mut Gate, millis: i64, ask: Ask, under_way: u32) -> Option<(i64, Why)> {
    match permit(&mut [(gate, under_way)], at(millis), ask) {
        Permit::Go => None,
        Permit::Wait { until, why, .. } => Some((until.timestamp_millis() - START, why)),
    }
}

fn quiet(seconds: u64) -> Outcome {
    Outcome::Throttled { retry_after: Some(Duration::from_secs(seconds)) }
}

#[test]
fn a_gate_at_rest_lets_everything_pass() {
    let mut gate = provider(Limits::default());
    for n in 0..100 {
        assert_eq!(ask(&mut gate, n, Ask::First, 1_000), None);
    }
    assert!(gate.is_at_rest(at(0)));
}

#[test]
fn a_rate_is_its_burst_and_then_its_flow() {
    // Ten a second are three at once and then one every eighth of a second.
    let mut gate = provider(rated(10, 1));
    let passed: Vec<i64> = (0..1_000).filter(|millis| ask(&mut gate, *millis, Ask::First, 0).is_none()).collect();
    assert_eq!(passed, [0, 1, 2, 125, 250, 375, 500, 625, 750, 875]);
    // A slow rate has no burst.
    let mut gate = provider(rated(2, 600));
    assert_eq!(ask(&mut gate, 0, Ask::First, 0), None);
    assert_eq!(ask(&mut gate, 1, Ask::First, 0), Some((300_000, Why::Rate)));
    assert_eq!(ask(&mut gate, 300_000, Ask::First, 0), None);
}

#[test]
fn rates_of_nothing_count_as_one() {
    let mut gate = provider(Limits { rate: Some(Rate { requests: 0, seconds: 0 }), concurrency: Some(0), mint: None });
    assert_eq!(ask(&mut gate, 0, Ask::First, 0), None);
    assert_eq!(ask(&mut gate, 0, Ask::First, 0), Some((1_000, Why::Rate)));
    assert_eq!(ask(&mut gate, 1_000, Ask::First, 1), Some((2_000, Why::Full)));
}

#[test]
fn a_full_gate_lets_nothing_pass_and_counts_nothing() {
    let mut gate = provider(Limits { rate: None, concurrency: Some(3), mint: None });
    assert_eq!(ask(&mut gate, 0, Ask::First, 2), None);
    let before = gate.clone();
    assert_eq!(ask(&mut gate, 0, Ask::First, 3), Some((1_000, Why::Full)));
    assert_eq!(gate, before);
}

#[test]
fn retry_after_closes_the_provider_within_bounds() {
    for (told, kept) in [(0, 1), (1, 1), (600, 600), (86_400, 86_400), (u64::MAX / 10_000, 86_400)] {
        let mut gate = provider(Limits::default());
        let until = at(kept * 1_000);
        assert_eq!(gate.note(at(0), quiet(told)), Some(Turn::Shut { until }));
        assert_eq!(ask(&mut gate, kept * 1_000 - 1, Ask::Probe, 0), Some((kept * 1_000, Why::Quiet)));
        assert_eq!(ask(&mut gate, kept * 1_000, Ask::First, 0), None);
    }
    let mut gate = provider(Limits::default());
    assert_eq!(gate.note(at(0), Outcome::Throttled { retry_after: None }), Some(Turn::Shut { until: at(5_000) }));
}

#[test]
fn a_shorter_wish_does_not_open_early_and_is_no_news() {
    let mut gate = provider(Limits::default());
    assert_eq!(gate.note(at(0), quiet(600)), Some(Turn::Shut { until: at(600_000) }));
    assert_eq!(gate.note(at(10), quiet(1)), None);
    assert_eq!(ask(&mut gate, 20, Ask::First, 0), Some((600_000, Why::Quiet)));
    assert_eq!(gate.note(at(30), quiet(900)), None);
    assert_eq!(ask(&mut gate, 40, Ask::First, 0), Some((900_030, Why::Quiet)));
    assert_eq!(gate.note(at(900_031), quiet(2)), Some(Turn::Shut { until: at(902_031) }));
}

#[test]
fn five_failures_in_a_row_within_a_minute_open_the_breaker() {
    let cases: [(&[i64], bool); 4] = [
        (&[0, 1, 2, 3, 4], true),
        (&[0, 14_000, 28_000, 42_000, 56_000], true),
        (&[0, 1, 2, 3], false),
        (&[0, 15_000, 30_000, 45_000, 60_000], false),
    ];
    for (failures, opens) in cases {
        let mut gate = provider(Limits::default());
        let turns: Vec<_> = failures.iter().filter_map(|millis| gate.note(at(*millis), Outcome::Down)).collect();
        assert_eq!(turns, if opens { vec![Turn::Opened] } else { vec![] }, "{failures:?}");
        assert_eq!(gate.breaker.is_open(), opens);
    }
    for good in [Outcome::Answered, Outcome::Rejected(connection(1))] {
        let mut gate = provider(Limits::default());
        for n in 0..100 {
            assert_eq!(gate.note(at(n), if n % 5 == 4 { good } else { Outcome::Down }), None);
        }
    }
}

fn open() -> Gate {
    let mut gate = provider(Limits::default());
    for n in 0..5 {
        gate.note(at(n), Outcome::Down);
    }
    gate
}

#[test]
fn an_open_breaker_lets_one_probe_pass_every_five_seconds() {
    let mut gate = open();
    let passed: Vec<i64> = (4..20_000).filter(|millis| ask(&mut gate, *millis, Ask::Retry, 9).is_none()).collect();
    assert_eq!(passed, [5_004, 10_004, 15_004]);
    assert_eq!(ask(&mut gate, 20_003, Ask::First, 0), Some((20_004, Why::Down)));
    assert_eq!(gate.note(at(20_004), Outcome::Down), None, "it is down as before");
    assert_eq!(gate.note(at(20_005), Outcome::NotSent), None);
    assert_eq!(gate.note(at(20_006), Outcome::Answered), Some(Turn::Recovered));
    assert_eq!(gate.note(at(20_007), Outcome::Answered), None);
    assert_eq!(ask(&mut gate, 20_008, Ask::First, 0), None);
    assert!(!gate.is_at_rest(at(20_008)), "the trouble is not yet forgotten");
    assert!(gate.is_at_rest(at(20_004 + 3_600_000)));
}

#[test]
fn retries_are_a_tenth_of_first_attempts_beside_the_floor() {
    let mut gate = troubled(Limits::default());
    assert_eq!(ask(&mut gate, 0, Ask::Retry, 0), None, "one is always allowed");
    assert_eq!(ask(&mut gate, 1, Ask::Retry, 0), Some((5_000, Why::Retries)));
    for n in 0..20 {
        assert_eq!(ask(&mut gate, n, Ask::First, 0), None);
    }
    assert_eq!(ask(&mut gate, 21, Ask::Retry, 0), None);
    assert_eq!(ask(&mut gate, 22, Ask::Retry, 0), None);
    assert_eq!(ask(&mut gate, 23, Ask::Retry, 0), Some((5_000, Why::Retries)));
    assert_eq!(ask(&mut gate, 24, Ask::First, 0), None);
    assert_eq!(ask(&mut gate, 25, Ask::Probe, 0), None);
    assert_eq!(ask(&mut gate, 5_000, Ask::Retry, 0), None);
    // However much is asked for, ten retries are saved up at most.
    for n in 0..10_000 {
        assert_eq!(ask(&mut gate, 6_000 + n, Ask::First, 0), None);
    }
    assert_eq!((0..99).filter(|n| ask(&mut gate, 16_000 + n, Ask::Retry, 0).is_none()).count(), 11);
}

#[test]
fn what_failed_is_repeated_freely_once_nothing_fails_any_more() {
    let mut gate = troubled(Limits::default());
    assert_eq!(ask(&mut gate, 0, Ask::Retry, 0), None);
    gate.note(at(40_000), Outcome::Down);
    assert_eq!(ask(&mut gate, 99_998, Ask::Retry, 0), None);
    assert_eq!(ask(&mut gate, 99_999, Ask::Retry, 0), Some((104_998, Why::Retries)));
    assert!(gate.is_to_ask(at(99_999)) && !gate.is_to_ask(at(100_000)));
    for n in 0..100 {
        assert_eq!(ask(&mut gate, 100_000 + n, Ask::Retry, 0), None);
    }
    gate.note(at(200_000), Outcome::Down);
    assert_eq!(ask(&mut gate, 200_000, Ask::Retry, 0), None);
    assert_eq!(ask(&mut gate, 200_001, Ask::Retry, 0), Some((205_000, Why::Retries)));
}

#[test]
fn five_rejected_connections_are_a_wave_where_they_are_the_most() {
    let reject =
        |gate: &mut Gate, millis: i64, number: u128| gate.note(at(millis), Outcome::Rejected(connection(number)));
    let mut gate = app();
    for n in 0..4 {
        assert_eq!(reject(&mut gate, 0, n), None);
    }
    assert_eq!(reject(&mut gate, 1, 0), None, "the same connection once more is no wave");
    assert_eq!(reject(&mut gate, 2, 4), Some(Turn::Wave));
    assert!(gate.wave.is_still(), "a wave is told once");

    // As many answers as rejections: no wave until the rejections are more.
    let mut gate = app();
    assert_eq!(reject(&mut gate, 0, 0), None);
    for _ in 0..6 {
        gate.note(at(0), Outcome::Answered);
    }
    for n in 1..6 {
        assert_eq!(reject(&mut gate, 1, n), None);
    }
    assert_eq!(reject(&mut gate, 2, 7), Some(Turn::Wave));

    // Spread over more than the window: no wave.
    let mut gate = app();
    for n in 0..50_u8 {
        assert_eq!(reject(&mut gate, i64::from(n) * 75_000, n.into()), None);
    }
}

#[test]
fn each_gate_takes_what_concerns_it() {
    let mut gate = app();
    for n in 0..100 {
        assert_eq!(gate.note(at(n), Outcome::Down), None);
        assert_eq!(gate.note(at(n), quiet(600)), None);
        assert_eq!(gate.note(at(n), Outcome::NotSent), None);
        assert_eq!(gate.note(at(n), Outcome::Answered), None);
    }
    assert_eq!(gate, app());
    let mut gate = provider(Limits::default());
    for n in 0..100 {
        assert_eq!(gate.note(at(n), Outcome::Rejected(connection(1))), None);
        assert_eq!(gate.note(at(n), Outcome::NotSent), None);
    }
    assert_eq!(gate, provider(Limits::default()));
}

#[test]
fn all_gates_or_none() {
    let (mut provider, mut app) = (provider(rated(10, 1)), app());
    app.limits = rated(1, 1);
    let mut both = |millis| permit(&mut [(&mut provider, 0), (&mut app, 0)], at(millis), Ask::First);
    assert_eq!(both(0), Permit::Go);
    for n in 0..50 {
        let gate = GateId::App(AppKey::from_uuid(Uuid::from_u128(2)));
        assert_eq!(both(n), Permit::Wait { gate, until: at(1_000), why: Why::Rate });
    }
    assert_eq!(ask(&mut provider, 50, Ask::First, 0), None);
    assert_eq!(ask(&mut provider, 50, Ask::First, 0), None, "what the app refused did not cost the provider's rate");
}

#[test]
fn a_clock_that_is_set_back_closes_nothing_for_long() {
    let year = 365 * 86_400_000;
    let mut gate = provider(rated(10, 1));
    for n in 0..3 {
        assert_eq!(ask(&mut gate, year + n, Ask::First, 0), None);
    }
    let (until, why) = ask(&mut gate, 0, Ask::First, 0).expect("the burst is used up");
    assert!(until <= 500 && why == Why::Rate, "{until}");

    let mut gate = open();
    assert_eq!(ask(&mut gate, year, Ask::First, 0), None);
    assert_eq!(ask(&mut gate, 0, Ask::First, 0), Some((5_000, Why::Down)));
    let mut gate = provider(Limits::default());
    gate.note(at(year), quiet(86_400));
    assert_eq!(ask(&mut gate, 0, Ask::First, 0), Some((86_400_000, Why::Quiet)));
    assert_eq!(ask(&mut gate, 0, Ask::Retry, 0), Some((86_400_000, Why::Quiet)));
    let mut gate = troubled(Limits::default());
    gate.retries.floor_at = Some(at(year));
    assert_eq!(ask(&mut gate, 0, Ask::Retry, 0), Some((5_000, Why::Retries)));
    gate.trouble_at = Some(at(year));
    assert_eq!(ask(&mut gate, 0, Ask::Retry, 0), None);
}
