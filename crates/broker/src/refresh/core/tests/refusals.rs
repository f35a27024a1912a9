//! What each kind of refusal leads to, in each class and standing.

use super::*;
use mortise_domain::EventKind;
use mortise_store::Doubt;

/// What a refusal of the connection's own refresh token leads to.
fn refused(attempt: &Attempt, refusal: Refusal) -> (State, Vec<Effect>) {
    step(attempt, in_flight(Credential::Current), moment(1), Event::Refused(refusal))
}

#[test]
fn every_failure_has_its_line_its_count_and_its_report() {
    for class in CLASSES {
        for (failure, kind, counts) in [
            (FailureClass::NotSent, EventKind::RefreshFailed, true),
            (FailureClass::Ambiguous, EventKind::RefreshAmbiguous, true),
            (FailureClass::Throttled, EventKind::RefreshFailed, true),
            (FailureClass::AppMisconfigured, EventKind::RefreshFailed, false),
            (FailureClass::GrantRejected, EventKind::RefreshSuspected, true),
            (FailureClass::Unknown, EventKind::RefreshFailed, true),
        ] {
            let attempt = standing_so(class, |standing| standing.failures = 4);
            let (state, effects) = refused(&attempt, refusal(failure));
            assert_eq!(state, State::Recording(End::Failed), "{class:?} {failure:?}");
            let plan = recorded(&effects);
            assert_eq!((plan.kind, plan.failures), (kind, if counts { 5 } else { 4 }), "{class:?} {failure:?}");
            let held = failure == FailureClass::AppMisconfigured;
            let before: &[Effect] =
                if held { &[Effect::HoldApp, Effect::Report(Some(failure))] } else { &[Effect::Report(Some(failure))] };
            assert_eq!(&effects[..effects.len() - 1], before, "{class:?} {failure:?}");
            assert!(matches!(effects.last(), Some(Effect::Record(_))));
        }
    }
}

#[test]
fn a_wait_that_is_told_is_no_failure_more() {
    for (class, counted) in [
        (FailureClass::NotSent, 1),
        (FailureClass::Ambiguous, 1),
        (FailureClass::Throttled, 0),
        (FailureClass::AppMisconfigured, 0),
        (FailureClass::GrantRejected, 1),
        (FailureClass::Unknown, 1),
    ] {
        let refusal = Refusal { retry_after: Some(secs(7)), ..refusal(class) };
        assert_eq!(plan_of(&attempt(RecoveryClass::N), moment(1), refusal).failures, counted, "{class:?}");
    }
}

#[test]
fn only_a_rejected_grant_raises_suspicion_and_the_first_is_remembered() {
    for failure in FAILURES {
        let rejected = failure == FailureClass::GrantRejected;
        let fresh = plan_of(&attempt(RecoveryClass::N), moment(1), refusal(failure));
        assert_eq!(
            (fresh.suspicions, fresh.suspected_at),
            (rejected.into(), rejected.then_some(instant(1))),
            "{failure:?}"
        );
        let attempt = standing_so(RecoveryClass::N, |standing| {
            (standing.suspicions, standing.suspected_at) = (1, Some(instant(-40)));
        });
        let again = plan_of(&attempt, moment(1), refusal(failure));
        assert_eq!(
            (again.suspicions, again.suspected_at),
            (1 + u32::from(rejected), Some(instant(-40))),
            "{failure:?}"
        );
    }
}

#[test]
fn doubt_stays_until_a_success_and_a_request_without_a_reply_is_waited_for() {
    for class in CLASSES {
        // Where a second use is forgiven, no longer than a request may take.
        let under_way = match class {
            RecoveryClass::S | RecoveryClass::F => Doubt::UnderWay,
            _ => Doubt::UnderWayUntil(instant(35)),
        };
        for failure in FAILURES {
            for (answered, unresolved) in [(true, false), (true, true), (false, false), (false, true)] {
                let attempt = standing_so(class, |standing| standing.unresolved = unresolved);
                let refusal = Refusal { answered, ..refusal(failure) };
                let expected = match (failure, answered) {
                    (FailureClass::Ambiguous, false) => under_way,
                    (FailureClass::Ambiguous, true) => Doubt::Processed,
                    _ if unresolved => Doubt::Processed,
                    _ => Doubt::None,
                };
                let found = plan_of(&attempt, moment(1), refusal).doubt;
                assert_eq!(found, expected, "{class:?} {failure:?} {answered} {unresolved}");
            }
        }
    }
}

#[test]
fn a_refused_client_is_tried_with_the_next_secret_and_then_held() {
    let mut attempt = attempt(RecoveryClass::F);
    attempt.clients = 3;
    for credential in [Credential::Current, Credential::Previous, Credential::Client] {
        for (client, next) in [(0, Some(1)), (1, Some(2)), (2, None)] {
            let state = State::InFlight { credential, client, since: instant(0) };
            let refused = Event::Refused(refusal(FailureClass::AppMisconfigured));
            let (state, effects) = step(&attempt, state, moment(20), refused);
            match next {
                Some(client) => {
                    assert_eq!(state, State::InFlight { credential, client, since: instant(20) });
                    assert_eq!(effects, [Effect::Send { credential, client, deadline: secs(101) }]);
                }
                None => {
                    assert_eq!(state, State::Recording(End::Failed));
                    assert_eq!(effects[0], Effect::HoldApp);
                    assert_eq!(recorded(&effects).next, instant(25));
                }
            }
        }
    }
}

#[test]
fn no_secret_is_tried_when_the_time_is_up() {
    let mut attempt = attempt(RecoveryClass::N);
    attempt.clients = 2;
    let refused = Event::Refused(refusal(FailureClass::AppMisconfigured));
    let (state, effects) = step(&attempt, in_flight(Credential::Current), moment(121), refused);
    assert_eq!(state, State::Recording(End::Failed));
    assert_eq!(effects[0], Effect::Report(Some(FailureClass::NotSent)), "the app is not held for it: {effects:?}");
}

#[test]
fn a_rejected_token_is_not_suspected_before_the_one_before_it_was_tried() {
    for definitive in [false, true] {
        let attempt = standing_so(RecoveryClass::M, |standing| standing.has_previous = true);
        let rejected = Refusal { definitive, ..refusal(FailureClass::GrantRejected) };
        let found = refused(&attempt, rejected.clone());
        assert_eq!(found, (State::Opening(Credential::Previous), vec![Effect::Open(Credential::Previous)]));
        // Once each: the older one has no older one.
        let again = step(&attempt, in_flight(Credential::Previous), moment(2), Event::Refused(rejected));
        assert_eq!(matches!(again.0, State::Weighing { .. }), definitive);
        assert!(definitive || again.0 == State::Recording(End::Failed));
    }
    for failure in FAILURES.into_iter().filter(|class| *class != FailureClass::GrantRejected) {
        let attempt = standing_so(RecoveryClass::M, |standing| standing.has_previous = true);
        assert_eq!(refused(&attempt, refusal(failure)).0, State::Recording(End::Failed), "{failure:?}");
    }
}

#[test]
fn credentials_of_the_client_itself_have_none_before_them() {
    let attempt = standing_so(RecoveryClass::M, |standing| {
        (standing.has_previous, standing.has_refresh, standing.by_client) = (true, false, true);
    });
    let rejected = Event::Refused(refusal(FailureClass::GrantRejected));
    assert_eq!(step(&attempt, in_flight(Credential::Client), moment(1), rejected).0, State::Recording(End::Failed));
}

#[test]
fn a_believed_refusal_is_reported_and_given_up() {
    let rejected = Refusal { definitive: true, ..refusal(FailureClass::GrantRejected) };
    let (state, effects) = refused(&attempt(RecoveryClass::N), rejected);
    // First it is told, and then looked whether the app is held: this may be the one that completes a wave.
    assert_eq!(effects, [Effect::Report(Some(FailureClass::GrantRejected)), Effect::LookAtApp]);
    let (ended, effects) = step(&attempt(RecoveryClass::N), state, moment(2), Event::AppHeld(false));
    assert_eq!(ended, State::Recording(End::Unusable));
    let [Effect::GiveUp { reason, .. }] = effects[..] else { panic!("not given up: {effects:?}") };
    assert_eq!(reason, StateReason::RefreshTokenRejected);
}

#[test]
fn no_grant_is_given_up_while_its_app_is_held() {
    for class in CLASSES {
        for definitive in [false, true] {
            let attempt = standing_so(class, |standing| {
                (standing.suspicions, standing.suspected_at) = (7, Some(instant(-DAY)));
                standing.expires_at = Some(instant(-HOUR));
            });
            let (state, _) = refused(&attempt, Refusal { definitive, ..refusal(FailureClass::GrantRejected) });
            let (state, effects) = step(&attempt, state, moment(3), Event::AppHeld(true));
            assert_eq!(state, State::Recording(End::Failed), "{class:?}");
            let plan = recorded(&effects);
            assert_eq!((plan.kind, plan.suspicions, effects.len()), (EventKind::RefreshSuspected, 8, 1), "{class:?}");
            assert_eq!(plan.suspected_at, Some(instant(-DAY)));
        }
    }
}

/// What a probe hears is told at once: the app is held already.
#[test]
fn a_probe_need_not_look_whether_its_app_is_held() {
    let mut attempt = standing_so(RecoveryClass::N, |standing| {
        (standing.suspicions, standing.suspected_at) = (2, Some(instant(-DAY)));
    });
    attempt.probe = true;
    let (state, effects) = refused(&attempt, refusal(FailureClass::GrantRejected));
    assert_eq!(state, State::Recording(End::Unusable));
    assert!(matches!(effects[..], [Effect::Report(Some(FailureClass::GrantRejected)), Effect::GiveUp { .. }]));
}

#[test]
fn a_refusal_that_nobody_understands_is_a_suspicion_when_it_has_been_met_long_enough() {
    for class in CLASSES {
        for (failures, kind) in [
            (0, EventKind::RefreshFailed),
            (7, EventKind::RefreshFailed),
            (8, EventKind::RefreshSuspected),
            (99, EventKind::RefreshSuspected),
        ] {
            let attempt = standing_so(class, |standing| standing.failures = failures);
            let plan = plan_of(&attempt, moment(1), refusal(FailureClass::Unknown));
            assert_eq!((plan.kind, plan.suspicions, plan.suspected_at), (kind, 0, None), "{class:?} {failures}");
        }
    }
}

#[test]
fn only_a_rejected_grant_gives_a_connection_up() {
    for class in CLASSES {
        for failure in FAILURES.into_iter().filter(|failure| *failure != FailureClass::GrantRejected) {
            let attempt = standing_so(class, |standing| {
                (standing.suspicions, standing.failures, standing.unresolved) = (99, 99, true);
                (standing.suspected_at, standing.expires_at) = (Some(instant(-DAY)), Some(instant(-DAY)));
            });
            let refusal = Refusal { definitive: true, ..refusal(failure) };
            assert_eq!(refused(&attempt, refusal).0, State::Recording(End::Failed), "{class:?} {failure:?}");
        }
    }
}
