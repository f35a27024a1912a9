//! What becomes of a pair, and of everything that is written down.

use super::*;

const OUTCOMES: [CommitOutcome; 5] = [
    CommitOutcome::Committed,
    CommitOutcome::AlreadyCommitted,
    CommitOutcome::GenerationMoved,
    CommitOutcome::FamilyMoved,
    CommitOutcome::Gone,
];

fn on(state: State, after: u64, event: Event) -> (State, Vec<Effect>) {
    step(&attempt(RecoveryClass::S), state, moment(after), event)
}

fn pair() -> Pair {
    let (state, _) = on(in_flight(Credential::Current), 1, Event::Granted(granted()));
    let State::Spilling(pair) = state else { panic!("no pair in {state:?}") };
    pair
}

fn committing() -> State {
    State::Committing { pair: pair(), until: CLAIMED + secs(20) }
}

#[test]
fn a_pair_is_reported_and_spilled_before_anything_else() {
    for credential in [Credential::Current, Credential::Previous, Credential::Client] {
        for client in [0, 1] {
            let (state, effects) =
                on(State::InFlight { credential, client, since: instant(0) }, 1, Event::Granted(granted()));
            let State::Spilling(pair) = state else { panic!("not spilled: {state:?}") };
            assert_eq!(effects, [Effect::Report(None), Effect::Spill(pair)]);
        }
    }
}

#[test]
fn a_late_reply_is_as_good_as_an_early_one() {
    let (state, _) = on(in_flight(Credential::Current), 100_000, Event::Granted(granted()));
    assert!(matches!(state, State::Spilling(_)), "{state:?}");
}

#[test]
fn a_spilled_pair_is_committed_and_one_that_was_not_as_well() {
    for event in [Event::Spilled, Event::SpillFailed] {
        let (state, effects) = on(State::Spilling(pair()), 7, event);
        assert_eq!(state, State::Committing { pair: pair(), until: CLAIMED + secs(7 + 15) });
        assert_eq!(effects, [Effect::Commit(pair())]);
    }
}

#[test]
fn an_absent_database_is_asked_again_for_fifteen_seconds() {
    for (after, again) in [(0, true), (19, true), (20, false), (21, false)] {
        let found = on(committing(), after, Event::DatabaseAway);
        if again {
            let pause = Duration::from_millis(250);
            assert_eq!(found, (committing(), vec![Effect::Wait(pause), Effect::Commit(pair())]), "{after}");
        } else {
            assert_eq!(found, (State::Ended(End::Interrupted), vec![]), "the spill keeps it: {after}");
        }
    }
}

#[test]
fn a_pair_is_settled_or_sent_back_as_the_database_says() {
    for outcome in OUTCOMES {
        let expected = match outcome {
            CommitOutcome::Committed | CommitOutcome::AlreadyCommitted => {
                (State::Ended(End::Refreshed), vec![Effect::SettleSpill])
            }
            CommitOutcome::GenerationMoved => {
                (State::Ended(End::Moved), vec![Effect::WarnOfDoubleRefresh, Effect::SettleSpill])
            }
            CommitOutcome::FamilyMoved | CommitOutcome::Gone => (State::Revoking, vec![Effect::RevokePair]),
        };
        assert_eq!(on(committing(), 1, Event::Committed(outcome)), expected, "{outcome:?}");
    }
    for event in [Event::Recorded, Event::Outrun] {
        assert_eq!(on(State::Revoking, 1, event), (State::Ended(End::Moved), vec![Effect::SettleSpill]));
    }
}

#[test]
fn what_was_recorded_is_the_end_and_what_was_outrun_is_old() {
    for end in [End::Failed, End::Unusable] {
        let recorded = on(State::Recording(end), 1, Event::Recorded);
        assert_eq!(recorded, (State::Ended(end), vec![Effect::SettleSpill]));
        assert_eq!(on(State::Recording(end), 1, Event::Outrun), (State::Ended(End::Moved), vec![]));
    }
}

#[test]
fn what_cannot_be_written_is_left_to_the_lease_and_the_spill() {
    let states = [
        State::Claimed,
        State::Opening(Credential::Current),
        in_flight(Credential::Current),
        State::Spilling(pair()),
        State::Recording(End::Failed),
        State::Revoking,
    ];
    for state in states {
        for event in [Event::DatabaseAway, Event::Faulted] {
            assert_eq!(on(state.clone(), 1, event), (State::Ended(End::Interrupted), vec![]), "{state:?}");
        }
    }
    assert_eq!(on(committing(), 1, Event::Faulted), (State::Ended(End::Interrupted), vec![]));
}

#[test]
fn what_cannot_have_happened_ends_the_attempt_loudly() {
    let astray = (State::Ended(End::Interrupted), vec![Effect::Astray]);
    for (state, event) in [
        (State::Claimed, Event::Opened),
        (State::Opening(Credential::Current), Event::Begin),
        (State::Opening(Credential::Current), Event::Granted(granted())),
        (in_flight(Credential::Current), Event::Opened),
        (in_flight(Credential::Current), Event::Unreadable),
        (in_flight(Credential::Current), Event::Spilled),
        (State::Spilling(pair()), Event::Granted(granted())),
        (State::Spilling(pair()), Event::Committed(CommitOutcome::Committed)),
        (State::Spilling(pair()), Event::Recorded),
        (committing(), Event::Spilled),
        (committing(), Event::SpillFailed),
        (committing(), Event::Recorded),
        (committing(), Event::Outrun),
        (State::Revoking, Event::Committed(CommitOutcome::Committed)),
        (State::Recording(End::Failed), Event::Refused(refusal(FailureClass::NotSent))),
        (State::Recording(End::Unusable), Event::Committed(CommitOutcome::Gone)),
    ] {
        assert_eq!(on(state.clone(), 1, event.clone()), astray, "{state:?} {event:?}");
    }
}
