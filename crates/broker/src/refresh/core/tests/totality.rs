//! Whatever is told in whatever state: an answer, and never a request that nobody decided on.

use super::worlds::{any_at, any_attempt, any_event, any_state, is_answering};
use super::*;
use proptest::prelude::*;

proptest! {
    #[test]
    fn every_state_takes_every_event(attempt in any_attempt(), state in any_state(), at in any_at(), event in any_event()) {
        let (next, effects) = step(&attempt, state.clone(), at, event.clone());
        let answering = effects.iter().filter(|effect| is_answering(effect)).count();
        if let State::Ended(_) = next {
            prop_assert_eq!(answering, 0, "nobody listens any more: {:?}", effects);
        } else {
            prop_assert_eq!(answering, 1, "one answer is waited for: {:?}", &effects);
            prop_assert!(effects.last().is_some_and(is_answering), "and it is the last: {:?}", effects);
        }
        if let State::Ended(end) = &state {
            prop_assert_eq!(&next, &State::Ended(*end), "an end is an end");
            prop_assert_eq!(effects.len(), 0);
        }
        if let State::Committing { .. } = state
            && matches!(event, Event::Committed(CommitOutcome::FamilyMoved | CommitOutcome::Gone))
        {
            prop_assert_eq!(&effects[..], &[Effect::RevokePair][..]);
        }
        for effect in &effects {
            match effect {
                Effect::Send { deadline, .. } => {
                    prop_assert!(at.elapsed < attempt.send_until, "sent too late");
                    prop_assert_eq!(*deadline, attempt.send_until - at.elapsed, "it ends when the attempt's time is up");
                }
                Effect::Record(plan) => {
                    prop_assert!(plan.next > at.now, "no failure is tried again at once: {:?}", plan);
                    prop_assert!(plan.failures >= attempt.standing.failures);
                    prop_assert!(plan.suspicions >= attempt.standing.suspicions);
                }
                Effect::GiveUp { .. } => {
                    let rejected = matches!(&event, Event::Refused(refusal) if refusal.class == FailureClass::GrantRejected);
                    let looked = event == Event::AppHeld(false) && matches!(state, State::Weighing { .. });
                    let decided = (rejected && attempt.probe) || looked;
                    prop_assert!(decided || matches!(event, Event::Begin), "given up on {:?}", event);
                }
                _ => {}
            }
        }
        let astray = effects.contains(&Effect::Astray);
        prop_assert!(!astray || effects.len() == 1);
    }
}
