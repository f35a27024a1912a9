//! Attempt after attempt, each as the one before it planned: what a connection and its provider go through in a day.

use super::*;
use mortise_store::Doubt;
use proptest::prelude::*;

/// How a provider answers each time, and after how many seconds.
type Answer = (FailureClass, bool, u64);

/// A request, by the seconds from the start.
#[derive(Debug, Clone, Copy)]
struct Asked {
    at: i64,
    doubtful: bool,
}

/// A connection that gets no tokens.
struct Life {
    attempt: Attempt,
    clock: Timestamp,
    asked: Vec<Asked>,
    given_up: Option<StateReason>,
}

impl Life {
    fn new(attempt: Attempt) -> Self {
        Self { attempt, clock: instant(0), asked: Vec::new(), given_up: None }
    }

    /// One attempt, claimed as soon as it may be, and the store's part in it.
    fn live(&mut self, (class, answered, took): Answer, fraction: f64) {
        let began = self.clock;
        let until_end = |clock: Timestamp| At {
            now: clock,
            elapsed: CLAIMED + (clock - began).to_std().unwrap_or_default(),
            fraction,
        };
        self.attempt.send_until = CLAIMED + secs(121);
        let (state, effects) = step(&self.attempt, State::Claimed, until_end(began), Event::Begin);
        let (state, effects) = match state {
            State::Opening(_) => {
                let (state, _) = step(&self.attempt, state, until_end(began), Event::Opened);
                self.asked
                    .push(Asked { at: (began - instant(0)).num_seconds(), doubtful: class == FailureClass::Ambiguous });
                self.clock = began + secs(took);
                let refusal = Refusal { answered, ..refusal(class) };
                step(&self.attempt, state, until_end(self.clock), Event::Refused(refusal))
            }
            state => (state, effects),
        };
        let (state, effects) = match state {
            State::Weighing { .. } => step(&self.attempt, state, until_end(self.clock), Event::AppHeld(false)),
            state => (state, effects),
        };
        if let State::Recording(End::Unusable) = state {
            let reason = effects
                .iter()
                .find_map(|effect| if let Effect::GiveUp { reason, .. } = effect { Some(*reason) } else { None });
            self.given_up = reason;
            return;
        }
        let plan = recorded(&effects);
        let standing = &mut self.attempt.standing;
        (standing.failures, standing.suspicions, standing.suspected_at) =
            (plan.failures, plan.suspicions, plan.suspected_at);
        standing.unresolved = plan.doubt != Doubt::None;
        let free = match plan.doubt {
            Doubt::None | Doubt::Processed => plan.next,
            Doubt::UnderWay => began + secs(121),
            Doubt::UnderWayUntil(until) => until,
        };
        self.clock = plan.next.max(free);
    }

    fn live_for(&mut self, seconds: i64, fraction: f64, mut answer: impl FnMut() -> Answer) {
        while self.given_up.is_none() && self.clock < instant(seconds) {
            let began = self.clock;
            self.live(answer(), fraction);
            assert!(self.given_up.is_some() || self.clock > began, "tried again at once");
        }
    }
}

fn any_answer() -> impl Strategy<Value = Answer> {
    (proptest::sample::select(&FAILURES[..]), any::<bool>(), prop_oneof![0_u64..30, 0_u64..121])
}

#[test]
fn a_dead_connection_costs_its_provider_little() {
    for class in CLASSES {
        for fraction in [0.0, 0.999] {
            for failure in [FailureClass::NotSent, FailureClass::Ambiguous, FailureClass::Throttled] {
                let mut life = Life::new(attempt(class));
                life.live_for(DAY, fraction, || (failure, true, 0));
                let most = DAY / 300 + 20;
                assert!(life.given_up.is_none(), "{class:?} {failure:?}");
                assert!(
                    (100..=most as usize).contains(&life.asked.len()),
                    "{class:?} {failure:?}: {}",
                    life.asked.len()
                );
            }
            let mut life = Life::new(attempt(class));
            life.live_for(DAY, fraction, || (FailureClass::GrantRejected, true, 0));
            assert_eq!(life.given_up, Some(StateReason::RefreshTokenRejected), "{class:?}");
            assert!(life.asked.len() <= 3, "{class:?}: {}", life.asked.len());
        }
    }
}

/// A provider that refuses in a way that nobody understands is asked for ever, but less and less.
#[test]
fn what_nobody_understands_costs_less_every_day() {
    for class in CLASSES {
        for fraction in [0.0, 0.999] {
            let mut life = Life::new(attempt(class));
            life.live_for(30 * DAY, fraction, || (FailureClass::Unknown, true, 0));
            let days = (0..30).map(|day| life.asked.iter().filter(|asked| asked.at / DAY == day).count());
            let days: Vec<_> = days.collect();
            assert!(life.given_up.is_none(), "{class:?}");
            assert!((20..=45).contains(&days[0]) && days[1] <= 4, "{class:?}: {days:?}");
            assert!(days[5..].iter().all(|asked| *asked <= 1), "{class:?}: {days:?}");
            assert!(days[5..].iter().sum::<usize>() >= 20, "{class:?}: it is never given up: {days:?}");
        }
        // Of a token that is good for another month that is about as much to know.
        let mut life = Life::new(standing_so(class, |standing| standing.expires_at = Some(instant(30 * DAY))));
        life.live_for(60 * DAY, 0.0, || (FailureClass::Unknown, true, 0));
        assert!((60..=130).contains(&life.asked.len()), "{class:?}: {}", life.asked.len());
        let near = life.asked.iter().filter(|asked| (asked.at - 30 * DAY).abs() < HOUR).count();
        assert!(near >= 6, "{class:?}: {near} about its end");
    }
}

#[test]
fn a_lost_rotation_is_named_and_found_out_without_delay() {
    for class in [RecoveryClass::S, RecoveryClass::F] {
        let mut answers = vec![(FailureClass::Ambiguous, false, 100)].into_iter();
        let mut life = Life::new(attempt(class));
        life.live_for(DAY, 0.5, || answers.next().unwrap_or((FailureClass::GrantRejected, true, 1)));
        assert_eq!(life.given_up, Some(StateReason::LostRotation), "{class:?}");
        let ended = life.clock - instant(10 * MINUTE);
        assert!(ended >= chrono::Duration::zero() && ended.num_seconds() < 40, "{class:?}: {ended}");
    }
}

proptest! {
    /// Until the token in store ends, or for an hour, nobody is bothered because of a provider's trouble.
    #[test]
    fn nothing_is_given_up_before_its_time(
        class in proptest::sample::select(&CLASSES[..]), left in -100_i64..20_000, fraction in 0.0..1.0,
        answers in proptest::collection::vec(any_answer(), 1..40),
    ) {
        let mut life = Life::new(standing_so(class, |standing| standing.expires_at = Some(instant(left))));
        let mut rejections = Vec::new();
        for answer in answers {
            let (lost, began) = (life.attempt.standing.unresolved && life.attempt.rules.spends(), life.clock);
            if answer.0 == FailureClass::GrantRejected {
                rejections.push((began + secs(answer.2) - instant(0)).num_seconds());
            }
            life.live(answer, fraction);
            if let Some(reason) = life.given_up {
                let (first, last) = (rejections[0], rejections[rejections.len() - 1]);
                prop_assert_eq!(answer.0, FailureClass::GrantRejected);
                let expected = if lost { StateReason::LostRotation } else { StateReason::RefreshTokenRejected };
                prop_assert_eq!(reason, expected);
                let signs = rejections.len() + usize::from(lost);
                if last < left {
                    prop_assert!(signs >= 3 && last - first >= HOUR, "{:?} while it serves", rejections);
                } else {
                    prop_assert!(rejections.len() >= 2 && last - first >= 30, "{:?}", rejections);
                }
                return Ok(());
            }
        }
    }

    /// A token of class F that may have been spent is presented again a minute before the served token ends at the
    /// earliest, or when the first retry would be later anyway.
    #[test]
    fn class_f_repeats_late(left in 0_i64..20_000, fraction in 0.0..1.0, answers in proptest::collection::vec(any_answer(), 2..20)) {
        let mut life = Life::new(standing_so(RecoveryClass::F, |standing| standing.expires_at = Some(instant(left))));
        for answer in answers {
            if life.given_up.is_none() {
                life.live(answer, fraction);
            }
        }
        let mut in_doubt = false;
        for asked in &life.asked {
            prop_assert!(!in_doubt || asked.at >= left - MINUTE, "asked at {} of {left}: {:?}", asked.at, life.asked);
            in_doubt |= asked.doubtful;
        }
    }

    /// A token of class G whose first use was answered by nobody is presented again within its grace.
    #[test]
    fn class_g_repeats_in_grace(
        failures in 0_u32..20, grace in 40_u64..5_000, took in 0_u64..=30, answered in any::<bool>(), fraction in 0.0..1.0,
    ) {
        let mut attempt = standing_so(RecoveryClass::G, |standing| standing.failures = failures);
        attempt.rules.grace = Some(secs(grace));
        let mut life = Life::new(attempt);
        life.live((FailureClass::Ambiguous, answered, took), fraction);
        let repeated = (life.clock - instant(0)).num_seconds();
        prop_assert!(repeated < i64::try_from(grace).expect("seconds"), "{repeated} of {grace}");
    }
}
