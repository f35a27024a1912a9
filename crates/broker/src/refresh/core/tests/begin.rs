//! What is presented, and that nothing is sent too late or a second time where that is dear.

use super::*;
use mortise_domain::EventKind;
use mortise_store::Doubt;

fn begun(attempt: &Attempt) -> (State, Vec<Effect>) {
    step(attempt, State::Claimed, moment(0), Event::Begin)
}

#[test]
fn the_refresh_token_goes_before_the_clients_own_credentials() {
    for (has_refresh, by_client, expected) in [
        (true, false, Some(Credential::Current)),
        (true, true, Some(Credential::Current)),
        (false, true, Some(Credential::Client)),
        (false, false, None),
    ] {
        let attempt = standing_so(RecoveryClass::N, |standing| {
            (standing.has_refresh, standing.by_client) = (has_refresh, by_client);
        });
        assert_eq!(attempt.standing.credential(), expected);
        let found = begun(&attempt);
        match expected {
            Some(credential) => assert_eq!(found, (State::Opening(credential), vec![Effect::Open(credential)])),
            None => {
                let (reason, why) = (StateReason::NoRefreshToken, "there is no refresh token");
                let given_up = (State::Recording(End::Unusable), vec![Effect::GiveUp { reason, why }]);
                assert_eq!(found, given_up);
            }
        }
    }
}

#[test]
fn an_attempt_without_an_outcome_is_repeated_where_a_reuse_costs_no_more_than_the_grant() {
    for class in CLASSES {
        let attempt = standing_so(class, |standing| standing.unresolved = true);
        assert_eq!(begun(&attempt).0, State::Opening(Credential::Current));
    }
}

#[test]
fn where_a_reuse_may_cost_the_app_a_doubtful_token_is_served_to_its_end_and_then_given_up() {
    for class in CLASSES {
        let mut attempt = standing_so(class, |standing| {
            (standing.unresolved, standing.failures, standing.suspicions) = (true, 3, 1);
            standing.suspected_at = Some(instant(-5));
        });
        attempt.rules.reuse_penalty = true;
        let (state, effects) = begun(&attempt);
        assert_eq!((state, effects.len()), (State::Recording(End::Failed), 1));
        let plan = recorded(&effects);
        assert_eq!((plan.next, plan.kind), (instant(600), EventKind::RefreshFailed));
        assert_eq!(
            (plan.failures, plan.suspicions, plan.suspected_at),
            (3, 1, Some(instant(-5))),
            "nothing was learnt"
        );
        assert_eq!(plan.doubt, Doubt::Processed, "and the doubt stays");

        for ended in [None, Some(instant(0)), Some(instant(-1))] {
            attempt.standing.expires_at = ended;
            let (state, effects) = begun(&attempt);
            assert_eq!(state, State::Recording(End::Unusable));
            assert!(matches!(effects[..], [Effect::GiveUp { reason: StateReason::LostRotation, .. }]), "{effects:?}");
        }
    }
}

#[test]
fn the_penalty_is_about_refresh_tokens_in_doubt_only() {
    for (unresolved, has_refresh, credential) in
        [(false, true, Credential::Current), (true, false, Credential::Client), (false, false, Credential::Client)]
    {
        let mut attempt = standing_so(RecoveryClass::F, |standing| {
            (standing.unresolved, standing.has_refresh, standing.by_client) = (unresolved, has_refresh, true);
        });
        attempt.rules.reuse_penalty = true;
        assert_eq!(begun(&attempt).0, State::Opening(credential));
    }
}

#[test]
fn a_request_is_given_the_time_that_is_left_and_none_is_sent_without_any() {
    for credential in [Credential::Current, Credential::Previous, Credential::Client] {
        for (after, left) in [(0, 121), (1, 120), (120, 1)] {
            let (state, effects) =
                step(&attempt(RecoveryClass::S), State::Opening(credential), moment(after), Event::Opened);
            assert_eq!(state, State::InFlight { credential, client: 0, since: moment(after).now });
            assert_eq!(effects, [Effect::Send { credential, client: 0, deadline: secs(left) }]);
        }
        for after in [121, 122, 100_000] {
            let (state, effects) =
                step(&attempt(RecoveryClass::S), State::Opening(credential), moment(after), Event::Opened);
            assert_eq!(state, State::Recording(End::Failed));
            assert!(
                matches!(&effects[..], [Effect::Report(Some(FailureClass::NotSent)), Effect::Record(plan)] if plan.doubt == Doubt::None),
                "{effects:?}"
            );
        }
    }
}

#[test]
fn a_seal_that_is_broken_takes_the_connection_out() {
    for credential in [Credential::Current, Credential::Previous, Credential::Client] {
        let found = step(&attempt(RecoveryClass::M), State::Opening(credential), moment(0), Event::Unreadable);
        assert_eq!(found, (State::Recording(End::Unusable), vec![Effect::Quarantine]));
    }
}

#[test]
fn a_token_that_nothing_renews_needs_a_new_consent_when_its_turn_comes() {
    for credential in [Credential::Current, Credential::Previous, Credential::Client] {
        let (state, effects) =
            step(&attempt(RecoveryClass::S), State::Opening(credential), moment(0), Event::NothingKept);
        assert_eq!(state, State::Recording(End::Unusable));
        assert!(matches!(&effects[..], [Effect::GiveUp { reason: StateReason::NoRefreshToken, .. }]), "{effects:?}");
    }
}
