//! How much one process sends to a provider at once: little until it answers, more with every answer, and nothing more
//! once it fails.
//!
//! The provider's breaker is shared, but it hears of a failure only when a request has failed. What was sent until then is
//! bounded here: before the first answer no more than [`START`] requests are unanswered or have failed in a row, and what
//! was claimed and not sent when so many have failed is not sent. Deliberately absent: who may send at all (the gates say).

use mortise_domain::ConnectorKey;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// So many requests a provider gets that has not answered of late; as many failures in a row are its breaker's.
pub(super) const START: usize = 5;
/// For how long an answer is taken for a sign that the provider works.
const OF_LATE: Duration = Duration::from_secs(60);

/// What a request met, as far as this process's trust goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    /// The provider is there, whatever it said.
    Answer,
    /// It is not.
    Failure,
}

/// One provider.
#[derive(Debug, Default)]
struct Standing {
    under_way: usize,
    /// Answers since it was trusted least.
    answers: usize,
    answered_at: Option<Duration>,
    /// Failures in a row.
    failures: usize,
    /// Counts how often it was given up.
    given_up: u64,
}

impl Standing {
    fn may_have(&self, most: usize, now: Duration) -> usize {
        let of_late = self.answered_at.is_some_and(|at| now.saturating_sub(at) < OF_LATE);
        let window = (if of_late { START + self.answers } else { START }).min(most);
        let room = window.saturating_sub(self.under_way + self.failures);
        match self.under_way {
            // However little a process may have under way: without a next request nobody finds out that the failures are over.
            0 => room.max(1),
            // A claim costs the database the same for one row as for many: small gaps are left to grow.
            _ if room * 4 < window => 0,
            _ => room,
        }
    }
}

type Standings = Arc<Mutex<BTreeMap<ConnectorKey, Standing>>>;

/// All providers that this process has to do with.
#[derive(Debug, Default)]
pub(super) struct Trust(Standings);

/// A request's place at its provider, given up when it ends, however it does.
#[derive(Debug)]
pub(super) struct UnderWay {
    provider: ConnectorKey,
    given_up: u64,
    all: Standings,
}

fn lock(standings: &Standings) -> MutexGuard<'_, BTreeMap<ConnectorKey, Standing>> {
    standings.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Trust {
    pub(super) fn enter(&self, provider: ConnectorKey) -> UnderWay {
        let mut all = lock(&self.0);
        let standing = all.entry(provider).or_default();
        standing.under_way += 1;
        UnderWay { provider, given_up: standing.given_up, all: self.0.clone() }
    }

    /// How many more each may have, of `most` at once; one that is not named may have [`START`].
    pub(super) fn rooms(&self, most: usize, now: Duration) -> Vec<(ConnectorKey, usize)> {
        lock(&self.0).iter().map(|(provider, standing)| (*provider, standing.may_have(most, now))).collect()
    }

    /// Takes in how a request went.
    pub(super) fn met(&self, provider: ConnectorKey, met: Met, now: Duration) {
        let mut all = lock(&self.0);
        let standing = all.entry(provider).or_default();
        match met {
            Met::Answer => {
                let of_late = standing.answered_at.is_some_and(|at| now.saturating_sub(at) < OF_LATE);
                standing.answers = if of_late { standing.answers.saturating_add(1) } else { 1 };
                (standing.failures, standing.answered_at) = (0, Some(now));
            }
            Met::Failure => {
                standing.failures += 1;
                if standing.failures >= START {
                    let (under_way, given_up) = (standing.under_way, standing.given_up + 1);
                    *standing = Standing { under_way, given_up, ..Standing::default() };
                }
            }
        }
    }
}

impl UnderWay {
    /// Whether its provider was given up since the request was claimed: then it is not sent.
    pub(super) fn is_called_back(&self) -> bool {
        lock(&self.all).get(&self.provider).is_some_and(|standing| standing.given_up != self.given_up)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(standing) = lock(&self.all).get_mut(&self.provider) {
            standing.under_way = standing.under_way.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const MOST: usize = 48;

    fn provider() -> ConnectorKey {
        ConnectorKey::from_uuid(Uuid::from_u128(1))
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn room(trust: &Trust, now: Duration) -> usize {
        trust.rooms(MOST, now).first().map_or(START, |(_, room)| *room)
    }

    #[test]
    fn a_provider_that_has_not_answered_gets_a_few_requests() {
        let trust = Trust::default();
        let places: Vec<_> = (0..START).map(|_| trust.enter(provider())).collect();
        assert_eq!(room(&trust, at(0)), 0);
        drop(places);
        assert_eq!(room(&trust, at(0)), START);
    }

    #[test]
    fn every_answer_makes_room_for_one_more_up_to_the_limit() {
        let trust = Trust::default();
        for n in 1..=100 {
            trust.met(provider(), Met::Answer, at(1));
            assert_eq!(room(&trust, at(1)), (START + n).min(MOST));
        }
        assert_eq!(room(&trust, at(60)), MOST);
        assert_eq!(room(&trust, at(61)), START, "what was long ago says nothing");
        trust.met(provider(), Met::Answer, at(61));
        assert_eq!(room(&trust, at(61)), START + 1);
    }

    #[test]
    fn failures_take_room_until_there_is_an_answer() {
        let trust = Trust::default();
        for left in (1..START).rev() {
            trust.met(provider(), Met::Failure, at(0));
            assert_eq!(room(&trust, at(0)), left);
        }
        trust.met(provider(), Met::Answer, at(0));
        assert_eq!(room(&trust, at(0)), START + 1);
    }

    #[test]
    fn failures_never_take_the_last_place() {
        let trust = Trust::default();
        for left in [2, 1, 1, 1] {
            trust.met(provider(), Met::Failure, at(0));
            assert_eq!(trust.rooms(3, at(0)), [(provider(), left)]);
        }
        let place = trust.enter(provider());
        assert_eq!(trust.rooms(3, at(0)), [(provider(), 0)], "one at a time");
        drop(place);
        assert_eq!(trust.rooms(1, at(0)), [(provider(), 1)]);
    }

    #[test]
    fn what_was_claimed_before_the_provider_was_given_up_is_called_back() {
        let trust = Trust::default();
        let early = trust.enter(provider());
        for _ in 0..START {
            assert!(!early.is_called_back());
            trust.met(provider(), Met::Failure, at(0));
        }
        assert!(early.is_called_back());
        // Whoever is let through from now on is a probe of the breaker's.
        assert!(!trust.enter(provider()).is_called_back());
        assert_eq!(room(&trust, at(0)), START - 1);
    }

    #[test]
    fn a_gap_is_left_to_grow_while_others_are_under_way() {
        let trust = Trust::default();
        (0..MOST).for_each(|_| trust.met(provider(), Met::Answer, at(0)));
        let mut places: Vec<_> = (0..MOST).map(|_| trust.enter(provider())).collect();
        places.truncate(MOST - 11);
        assert_eq!(room(&trust, at(0)), 0);
        places.truncate(MOST - 12);
        assert_eq!(room(&trust, at(0)), 12);
    }
}
