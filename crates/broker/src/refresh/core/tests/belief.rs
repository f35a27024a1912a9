//! When a refusal of the refresh token is the truth.

use super::*;

/// Whether a refusal is believed that comes after `suspicions` others, the first of them `over` seconds ago, with `left`
/// seconds of the served token left.
fn belief(class: RecoveryClass, unresolved: bool, suspicions: u32, over: i64, left: i64) -> Option<StateReason> {
    let attempt = standing_so(class, |standing| {
        (standing.unresolved, standing.suspicions) = (unresolved, suspicions);
        standing.suspected_at = (suspicions > 0).then(|| instant(-over));
        standing.expires_at = Some(instant(left));
    });
    believed(&attempt, moment(0), false)
}

#[test]
fn while_the_token_serves_three_refusals_over_an_hour_are_believed() {
    for class in CLASSES {
        for (suspicions, over, expected) in [
            (0, 0, false),
            (1, HOUR, false),
            (1, DAY, false),
            (2, 60, false),
            (2, HOUR - 1, false),
            (2, HOUR, true),
            (2, DAY, true),
            (9, HOUR - 1, false),
            (9, HOUR, true),
        ] {
            let found = belief(class, false, suspicions, over, 1);
            let expected = expected.then_some(StateReason::RefreshTokenRejected);
            assert_eq!(found, expected, "{class:?} {suspicions} {over}");
        }
    }
}

#[test]
fn once_nothing_is_served_two_over_half_a_minute_are_believed() {
    for class in CLASSES {
        for left in [0, -1, -DAY] {
            for (suspicions, over, expected) in [
                (0, 0, false),
                (1, 0, false),
                (1, 29, false),
                (1, 30, true),
                (2, 29, false),
                (2, 30, true),
                (1, DAY, true),
            ] {
                let found = belief(class, false, suspicions, over, left);
                let expected = expected.then_some(StateReason::RefreshTokenRejected);
                assert_eq!(found, expected, "{class:?} {suspicions} {over} {left}");
            }
        }
    }
}

#[test]
fn a_lost_reply_is_a_sign_more_where_a_token_is_good_for_one_use() {
    for class in CLASSES {
        let spends = matches!(class, RecoveryClass::S | RecoveryClass::F);
        assert_eq!(rules(class).spends(), spends);
        for (suspicions, over, left, expected) in [
            (0, 0, 1, false),
            // It confirms nothing by itself: a bad deployment refuses everybody.
            (0, 0, 0, false),
            (0, 0, -DAY, false),
            (1, 29, 0, false),
            (1, 30, 0, true),
            (1, HOUR - 1, 1, false),
            (1, HOUR, 1, true),
            (0, DAY, 1, false),
            (2, HOUR - 1, 1, false),
        ] {
            let found = belief(class, true, suspicions, over, left);
            // Elsewhere the refusals alone decide.
            let plain = belief(class, false, suspicions, over, left);
            let expected = if spends { expected.then_some(StateReason::LostRotation) } else { plain };
            assert_eq!(found, expected, "{class:?} {suspicions} {over} {left}");
        }
    }
    let found = belief(RecoveryClass::N, true, 2, HOUR, 1);
    assert_eq!(found, Some(StateReason::RefreshTokenRejected), "where nothing can be lost that is not the cause");
    assert_eq!(belief(RecoveryClass::S, true, 2, HOUR, 1), Some(StateReason::LostRotation));
}

#[test]
fn what_the_manifest_calls_definitive_is_believed_at_once() {
    for class in CLASSES {
        for unresolved in [false, true] {
            let attempt = standing_so(class, |standing| standing.unresolved = unresolved);
            let lost = unresolved && attempt.rules.spends();
            let reason = if lost { StateReason::LostRotation } else { StateReason::RefreshTokenRejected };
            assert_eq!(believed(&attempt, moment(0), true), Some(reason), "{class:?}");
            assert_eq!(believed(&attempt, moment(0), false), None, "{class:?}");
        }
    }
}

#[test]
fn what_a_probe_of_a_held_app_hears_is_believed_by_the_long_rule_only() {
    for class in CLASSES {
        for (suspicions, over, expected) in [(9, HOUR - 1, false), (1, DAY, false), (2, HOUR, true)] {
            let mut attempt = standing_so(class, |standing| {
                (standing.suspicions, standing.suspected_at) = (suspicions, Some(instant(-over)));
                standing.expires_at = Some(instant(-DAY));
            });
            for definitive in [false, true] {
                attempt.probe = true;
                assert_eq!(believed(&attempt, moment(0), definitive).is_some(), expected, "{class:?} {over}");
                attempt.probe = false;
                assert!(believed(&attempt, moment(0), definitive).is_some(), "{class:?} {over}");
            }
        }
    }
}

#[test]
fn a_token_of_unknown_end_counts_as_served() {
    for (suspicions, over, expected) in [(1, 60, false), (2, HOUR - 1, false), (2, HOUR, true)] {
        let attempt = standing_so(RecoveryClass::N, |standing| {
            (standing.suspicions, standing.suspected_at, standing.expires_at) =
                (suspicions, Some(instant(-over)), None);
        });
        assert_eq!(believed(&attempt, moment(0), false).is_some(), expected, "{suspicions} {over}");
    }
}

#[test]
fn a_clock_that_went_back_confirms_nothing() {
    for left in [-1, 1] {
        assert_eq!(belief(RecoveryClass::N, false, 9, -DAY, left), None);
    }
}

/// A refusal that is repeated whenever the plan says so: how often it is asked, and after how many seconds it is given up.
fn asked_until_believed(class: RecoveryClass, left: Option<i64>, fraction: f64) -> (u32, i64) {
    let mut attempt = standing_so(class, |standing| standing.expires_at = left.map(instant));
    let (mut at, mut asked) = (drawn(fraction), 0);
    loop {
        asked += 1;
        let rejected = Event::Refused(refusal(FailureClass::GrantRejected));
        let (state, effects) = step(&attempt, in_flight(Credential::Current), at, rejected);
        if let State::Weighing { .. } = state {
            assert_eq!(step(&attempt, state, at, Event::AppHeld(false)).0, State::Recording(End::Unusable));
            return (asked, (at.now - instant(0)).num_seconds());
        }
        let plan = recorded(&effects);
        assert!(plan.next > at.now && asked < 20, "{plan:?}");
        let standing = &mut attempt.standing;
        (standing.failures, standing.suspicions, standing.suspected_at) =
            (plan.failures, plan.suspicions, plan.suspected_at);
        at.now = plan.next;
    }
}

#[test]
fn the_plans_lead_to_belief_with_few_questions_and_in_time() {
    for fraction in [0.0, 0.5, 0.999] {
        for class in CLASSES {
            let (asked, over) = asked_until_believed(class, Some(-1), fraction);
            assert!(asked == 2 && (30..=33).contains(&over), "ended: {class:?} {asked} {over}");
            let (asked, over) = asked_until_believed(class, Some(10 * MINUTE), fraction);
            assert!(asked <= 3 && (10 * MINUTE..=11 * MINUTE + 6).contains(&over), "ending: {class:?} {asked} {over}");
            let (asked, over) = asked_until_believed(class, None, fraction);
            assert!(asked == 3 && (HOUR..=HOUR + 6 * MINUTE).contains(&over), "endless: {class:?} {asked} {over}");
        }
        let (asked, over) = asked_until_believed(RecoveryClass::N, Some(DAY), fraction);
        assert!(asked == 3 && (HOUR..=HOUR + 6 * MINUTE).contains(&over), "long: {asked} {over}");
    }
}
