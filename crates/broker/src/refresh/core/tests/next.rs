//! When a failed refresh is tried again.

use super::*;

/// Milliseconds from now to the next try after `refusal`, with nothing left to chance.
fn wait(attempt: &Attempt, refusal: Refusal) -> i64 {
    wait_drawn(attempt, refusal, 0.0)
}

fn wait_drawn(attempt: &Attempt, refusal: Refusal, fraction: f64) -> i64 {
    millis(plan_of(attempt, drawn(fraction), refusal).next)
}

fn asking(class: FailureClass, retry_after: u64) -> Refusal {
    Refusal { retry_after: Some(secs(retry_after)), ..refusal(class) }
}

#[test]
fn waits_double_with_the_failures_and_are_drawn() {
    // A wish for quiet that does not say how long is one of them.
    let waits = [FailureClass::NotSent, FailureClass::Ambiguous, FailureClass::Unknown, FailureClass::Throttled];
    for failure in waits {
        for (before, seconds) in [(0, 5), (1, 10), (2, 20), (6, 320), (7, 600), (8, 600), (1_000, 600)] {
            let attempt = standing_so(RecoveryClass::N, |standing| standing.failures = before);
            assert_eq!(wait(&attempt, refusal(failure)), seconds * 1_000, "{failure:?} {before}");
            assert_eq!(wait_drawn(&attempt, refusal(failure), 0.5), seconds * 750, "{failure:?} {before}");
        }
    }
}

#[test]
fn what_nobody_understands_is_asked_ever_more_seldom() {
    let unknown = || refusal(FailureClass::Unknown);
    for (before, left, fraction, seconds) in [
        // While the ordinary waits last, and where they are longer.
        (7, -DAY, 0.0, 600),
        (8, -600, 0.0, 600),
        (8, -2_400, 0.0, 600),
        (8, -2_404, 0.0, 601),
        (8, -DAY, 0.0, DAY / 4),
        (8, -DAY, 1.0, DAY / 4 + DAY / 40),
        (8, -4 * DAY, 0.0, DAY),
        (99, -5 * DAY, 0.0, DAY),
        (99, -400 * DAY, 1.0, DAY + DAY / 10),
        // Until its end the same, the other way about.
        (99, 8 * DAY, 0.0, DAY),
        (99, 2 * DAY, 0.0, DAY / 2),
        (99, DAY / 2, 0.0, DAY / 8),
        (99, 60, 0.0, 600),
    ] {
        for class in CLASSES {
            let attempt = standing_so(class, |standing| {
                (standing.failures, standing.expires_at) = (before, Some(instant(left)));
            });
            assert_eq!(wait_drawn(&attempt, unknown(), fraction), seconds * 1_000, "{class:?} {before} {left}");
        }
    }
    // Where no end is known the token's age counts, or the grant's.
    for (refreshed, granted, seconds) in [(Some(-DAY), -9 * DAY, DAY / 4), (None, -2 * DAY, DAY / 2)] {
        let attempt = standing_so(RecoveryClass::N, |standing| {
            (standing.failures, standing.expires_at) = (9, None);
            (standing.refreshed_at, standing.granted_at) = (refreshed.map(instant), instant(granted));
        });
        assert_eq!(wait(&attempt, unknown()), seconds * 1_000);
    }
    let attempt = standing_so(RecoveryClass::N, |standing| {
        (standing.failures, standing.expires_at) = (8, Some(instant(-DAY)));
    });
    assert_eq!(wait(&attempt, asking(FailureClass::Unknown, 86_400)), DAY * 1_000, "it may ask for more");
}

#[test]
fn a_held_apps_connection_is_tried_like_a_probe() {
    for class in CLASSES {
        let attempt = standing_so(class, |standing| standing.failures = 9);
        assert_eq!(wait(&attempt, asking(FailureClass::AppMisconfigured, 900)), 5_000);
    }
}

#[test]
fn a_wish_for_quiet_is_kept_and_not_ended_by_all_at_once() {
    for class in CLASSES {
        let attempt = standing_so(class, |standing| standing.failures = 9);
        for (told, least, most) in [(1, 1_000, 1_100), (600, 600_000, 660_000), (86_400, 86_400_000, 95_040_000)] {
            assert_eq!(wait(&attempt, asking(FailureClass::Throttled, told)), least, "{class:?}");
            assert_eq!(wait_drawn(&attempt, asking(FailureClass::Throttled, told), 1.0), most, "{class:?}");
        }
    }
}

#[test]
fn an_answer_of_its_own_kind_may_ask_for_quiet_too() {
    for (told, seconds) in [(1, 20), (20, 20), (21, 21), (900, 900)] {
        let attempt = standing_so(RecoveryClass::N, |standing| standing.failures = 2);
        assert_eq!(wait(&attempt, asking(FailureClass::Unknown, told)), seconds * 1_000);
    }
}

#[test]
fn class_g_asks_a_second_time_in_the_first_half_of_the_grace() {
    for (failures, unresolved, grace, took, seconds) in [
        (0, false, Some(60), 1, 6),
        (2, false, Some(60), 1, 21),
        (3, false, Some(60), 1, 30),
        (9, false, Some(60), 1, 30),
        (9, false, Some(1_800), 1, 601),
        (9, false, Some(1_100), 1, 550),
        // Most of it is gone: not at once all the same.
        (9, false, Some(60), 24, 30),
        (9, false, Some(60), 25, 30),
        (9, false, Some(60), 30, 35),
        (0, false, Some(4), 1, 6),
        // The grace began with the first of the attempts: when that is over, nothing is gained by haste.
        (9, true, Some(60), 1, 601),
        (9, false, None, 1, 601),
    ] {
        let mut attempt = standing_so(RecoveryClass::G, |standing| {
            (standing.failures, standing.unresolved) = (failures, unresolved);
        });
        attempt.rules.grace = grace.map(secs);
        for answered in [true, false] {
            let refusal = Refusal { answered, ..refusal(FailureClass::Ambiguous) };
            let next = plan_of(&attempt, moment(took), refusal).next;
            assert_eq!(millis(next), seconds * 1_000, "{failures} {unresolved} {grace:?} {took}");
        }
        let plain = plan_of(&attempt, moment(took), refusal(FailureClass::NotSent)).next;
        let wait = (5_000_i64 << failures).min(600_000);
        assert_eq!(millis(plain), millis(moment(took).now) + wait, "of what was not sent there is no grace");
    }
}

#[test]
fn class_f_asks_a_second_time_as_late_as_the_served_token_allows() {
    for failure in [FailureClass::Ambiguous, FailureClass::GrantRejected] {
        for fraction in [0.0, 0.9] {
            for unresolved in [false, true] {
                let attempt = standing_so(RecoveryClass::F, |standing| standing.unresolved = unresolved);
                assert_eq!(wait_drawn(&attempt, refusal(failure), fraction), 540_000, "{failure:?}");
            }
        }
        let attempt = standing_so(RecoveryClass::F, |standing| standing.expires_at = Some(instant(66)));
        assert_eq!(wait(&attempt, refusal(failure)), 6_000, "{failure:?}");
    }
    // Too late for lateness: the token has ended or is about to.
    for left in [Some(65), Some(1), Some(-1), None] {
        let attempt = standing_so(RecoveryClass::F, |standing| standing.expires_at = left.map(instant));
        assert_eq!(wait(&attempt, refusal(FailureClass::Ambiguous)), 5_000, "{left:?}");
        let confirmed = left.map_or(1_800, |left| if left > 0 { left.max(5) } else { 30 });
        assert_eq!(wait(&attempt, refusal(FailureClass::GrantRejected)), confirmed * 1_000, "{left:?}");
    }
}

#[test]
fn only_class_f_with_a_refresh_token_waits_like_that() {
    for class in CLASSES.into_iter().filter(|class| *class != RecoveryClass::F) {
        assert_eq!(wait(&attempt(class), refusal(FailureClass::Ambiguous)), 5_000, "{class:?}");
        let attempt = standing_so(class, |standing| standing.unresolved = true);
        assert_eq!(wait(&attempt, refusal(FailureClass::NotSent)), 5_000, "{class:?}");
    }
    let attempt = standing_so(RecoveryClass::F, |standing| {
        (standing.has_refresh, standing.by_client, standing.unresolved) = (false, true, true);
    });
    let ambiguous = Event::Refused(refusal(FailureClass::Ambiguous));
    let (_, effects) = step(&attempt, in_flight(Credential::Client), drawn(0.0), ambiguous);
    assert_eq!(millis(recorded(&effects).next), 5_000);
}

#[test]
fn class_f_stays_late_while_the_doubt_stays() {
    for (failure, retry_after, unresolved, seconds) in [
        (FailureClass::NotSent, None, true, 540),
        (FailureClass::NotSent, None, false, 5),
        (FailureClass::Unknown, None, true, 540),
        (FailureClass::Unknown, Some(580), true, 580),
        (FailureClass::Throttled, None, true, 540),
        (FailureClass::Throttled, Some(540), true, 540),
        (FailureClass::Throttled, Some(541), true, 541),
        (FailureClass::Throttled, Some(7), false, 7),
        (FailureClass::AppMisconfigured, None, true, 540),
        (FailureClass::AppMisconfigured, None, false, 5),
    ] {
        let attempt = standing_so(RecoveryClass::F, |standing| standing.unresolved = unresolved);
        let refusal = Refusal { retry_after: retry_after.map(secs), ..refusal(failure) };
        assert_eq!(wait(&attempt, refusal), seconds * 1_000, "{failure:?} {retry_after:?} {unresolved}");
    }
    let attempt = standing_so(RecoveryClass::F, |standing| {
        (standing.unresolved, standing.expires_at) = (true, Some(instant(64)));
    });
    assert_eq!(wait(&attempt, refusal(FailureClass::NotSent)), 5_000, "it is late already");
}

#[test]
fn a_refusal_is_confirmed_after_half_an_hour_or_when_the_token_ends() {
    for (left, fraction, seconds) in [
        (Some(DAY), 0.0, 1_800),
        (Some(DAY), 1.0, 1_980),
        (Some(1_900), 1.0, 1_900),
        (Some(600), 0.0, 600),
        // Not sooner than any failure is tried again.
        (Some(4), 0.0, 5),
        // A token that has ended is asked for after half a minute.
        (Some(0), 0.0, 30),
        (Some(-DAY), 0.0, 30),
        (Some(-DAY), 1.0, 33),
        (None, 0.0, 1_800),
        (None, 1.0, 1_980),
    ] {
        for class in CLASSES.into_iter().filter(|class| *class != RecoveryClass::F) {
            let attempt = standing_so(class, |standing| standing.expires_at = left.map(instant));
            let found = wait_drawn(&attempt, refusal(FailureClass::GrantRejected), fraction);
            assert_eq!(found, seconds * 1_000, "{class:?} {left:?} {fraction}");
        }
    }
}

#[test]
fn each_decision_says_why() {
    let mut said: Vec<_> =
        FAILURES.map(|failure| plan_of(&attempt(RecoveryClass::N), drawn(0.0), refusal(failure)).why).into();
    let doubtful = standing_so(RecoveryClass::F, |standing| standing.unresolved = true);
    for failure in [FailureClass::Ambiguous, FailureClass::GrantRejected, FailureClass::NotSent] {
        said.push(plan_of(&doubtful, drawn(0.0), refusal(failure)).why);
    }
    let all = said.len();
    said.sort_unstable();
    said.dedup();
    assert_eq!(said.len(), all, "{said:?}");
}
