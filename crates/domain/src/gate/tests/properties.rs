//! What holds whatever happens, against plain counting.

use super::{ask, at, provider, rated};
use crate::gate::{Ask, Limits, Outcome, PROBE_EVERY, Wave};
use crate::{ConnectionId, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeSet;
use uuid::Uuid;

/// The most that passed in any window that begins with a passage and does not hold its own end.
fn most_within(passed: &[i64], window: i64) -> usize {
    let within = |from: &i64| passed.iter().filter(|at| **at >= *from && **at < from + window).count();
    passed.iter().map(within).max().unwrap_or(0)
}

/// What may come of a request in these tests.
fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        3 => Just(Outcome::Down),
        1 => Just(Outcome::Answered),
        1 => Just(Outcome::NotSent),
        1 => Just(Outcome::Rejected(ConnectionId::from_uuid(Uuid::nil()))),
    ]
}

proptest! {
    /// Two windows' worth of asking at any pace: never more than the rate in any window, and at least half of it used by
    /// whoever asks all the time.
    #[test]
    fn no_window_holds_more_than_its_rate(
        requests in 1_u32..60, seconds in 1_u32..90, gaps in vec(prop_oneof![Just(0_i64), 1..40_i64, 1..5_000_i64], 1..600),
    ) {
        let mut gate = provider(rated(requests, seconds));
        let (mut now, mut passed) = (0, Vec::new());
        for gap in gaps {
            now += gap;
            if ask(&mut gate, now, Ask::First, 0).is_none() {
                passed.push(now);
            }
        }
        prop_assert!(most_within(&passed, i64::from(seconds) * 1_000) <= requests as usize);
    }

    #[test]
    fn whoever_asks_when_told_gets_most_of_the_rate(requests in 1_u32..200, seconds in 1_u32..3_600) {
        let mut gate = provider(rated(requests, seconds));
        let (mut now, mut passed, window) = (0, Vec::new(), i64::from(seconds) * 1_000);
        while now < window {
            match ask(&mut gate, now, Ask::First, 0) {
                None => {
                    passed.push(now);
                    prop_assert!(passed.len() <= requests as usize, "not even more than the rate in all");
                }
                Some((until, _)) => {
                    prop_assert!(until > now, "it must not be told to ask again at once");
                    now = until;
                }
            }
        }
        // Times are told in milliseconds, which costs a fast rate a little.
        prop_assert!(passed.len() * 10 >= requests as usize * 9, "{} of {requests}", passed.len());
    }

    /// Nothing that happens while a provider is down lets two probes pass within five seconds.
    #[test]
    fn probes_of_an_open_breaker_keep_their_distance(steps in vec((0..4_000_i64, outcome(), any::<bool>()), 1..300)) {
        let mut gate = provider(Limits::default());
        let (mut now, mut last) = (0, None::<i64>);
        for (gap, outcome, first) in steps {
            now += gap;
            let was_open = gate.breaker.is_open();
            let passes = ask(&mut gate, now, if first { Ask::First } else { Ask::Retry }, 0).is_none();
            if was_open && passes {
                let distance = last.map_or(i64::MAX, |last| now - last);
                prop_assert!(distance >= PROBE_EVERY.as_millis() as i64, "{distance} ms between two probes");
                last = Some(now);
            }
            gate.note(at(now), outcome);
            if !gate.breaker.is_open() {
                last = None;
            }
        }
    }

    /// While something fails again and again, requests are at most 1.1 times the first attempts, beside one in five
    /// seconds.
    #[test]
    fn retries_amplify_by_a_tenth(steps in vec((prop_oneof![Just(0_i64), 0..50_i64, 0..3_000_i64], any::<bool>()), 1..800)) {
        let mut gate = provider(Limits::default());
        let (mut now, mut firsts, mut retries) = (0, 0_i64, 0_i64);
        for (gap, first) in steps {
            now += gap;
            // One failure and one answer: in trouble, and not down.
            gate.note(at(now), Outcome::Down);
            gate.note(at(now), Outcome::Answered);
            if first {
                prop_assert_eq!(ask(&mut gate, now, Ask::First, 0), None, "the budget never stops a first attempt");
                firsts += 1;
            } else if ask(&mut gate, now, Ask::Retry, 0).is_none() {
                retries += 1;
            }
        }
        prop_assert!(retries <= firsts / 10 + now / 5_000 + 1, "{retries} retries, {firsts} firsts in {now} ms");
    }

    /// A wave is told exactly when a count over the last five minutes says so.
    #[test]
    fn the_wave_is_what_counting_says(steps in vec((0..40_u8, 0..9_u8, prop_oneof![2 => Just(true), 1 => Just(false)]), 1..200)) {
        let (mut wave, mut minute) = (Wave::default(), 0_i64);
        let mut seen: Vec<(i64, Option<ConnectionId>)> = Vec::new();
        for (gap, who, rejects) in steps {
            minute += i64::from(gap == 0);
            let now: Timestamp = at(minute * 60_000 + i64::from(gap));
            let minute = now.timestamp().div_euclid(60);
            seen.retain(|(at, _)| *at > minute - 5);
            if !seen.iter().any(|(_, who)| who.is_some()) {
                seen.clear();
            }
            let id = ConnectionId::from_uuid(Uuid::from_u128(who.into()));
            if !rejects {
                if !seen.is_empty() {
                    seen.push((minute, None));
                }
                wave.answered(now);
                continue;
            }
            seen.push((minute, Some(id)));
            let different: BTreeSet<_> = seen.iter().filter_map(|(_, who)| *who).collect();
            let rejections = seen.iter().filter(|(_, who)| who.is_some()).count();
            let is_wave = different.len() >= 5 && rejections > seen.len() - rejections;
            prop_assert_eq!(wave.rejected(now, id).is_some(), is_wave);
            if is_wave {
                seen.clear();
            }
            let kept = serde_json::to_string(&wave).expect("it is plain data");
            prop_assert!(kept.len() < 700, "what is kept is bounded: {kept}");
            prop_assert_eq!(serde_json::from_str::<Wave>(&kept).expect("it reads back"), wave.clone());
        }
    }
}
