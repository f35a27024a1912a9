//! Rejected grants of one app: a few are customers who withdrew their consent, many at once are a provider in trouble.

use super::Turn;
use crate::{ConnectionId, Timestamp};
use serde::{Deserialize, Serialize};

/// So many different connections have to be rejected.
const CONNECTIONS: usize = 5;
/// Within so many minutes.
const MINUTES: i64 = 5;

/// What was answered of late. Counting begins with a rejection; while there is none, nothing is counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wave {
    /// The last few different connections that were rejected, each with the minute of the last time: oldest first.
    rejected: Vec<(ConnectionId, i64)>,
    /// What was counted, by minute.
    tallies: Vec<Tally>,
}

/// One minute's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tally {
    minute: i64,
    rejected: u32,
    answered: u32,
}

impl Wave {
    /// Whether nothing is being counted.
    pub const fn is_still(&self) -> bool {
        self.rejected.is_empty() && self.tallies.is_empty()
    }

    pub(super) fn answered(&mut self, now: Timestamp) {
        let minute = self.forget(now);
        if !self.rejected.is_empty() {
            let tally = self.tally(minute);
            tally.answered = tally.answered.saturating_add(1);
        }
    }

    pub(super) fn rejected(&mut self, now: Timestamp, connection: ConnectionId) -> Option<Turn> {
        let minute = self.forget(now);
        self.rejected.retain(|(known, _)| *known != connection);
        if self.rejected.len() == CONNECTIONS {
            self.rejected.remove(0);
        }
        self.rejected.push((connection, minute));
        let tally = self.tally(minute);
        tally.rejected = tally.rejected.saturating_add(1);

        let sum = |part: fn(&Tally) -> u32| self.tallies.iter().map(|tally| u64::from(part(tally))).sum::<u64>();
        let many = self.rejected.len() == CONNECTIONS;
        let most = sum(|tally| tally.rejected) > sum(|tally| tally.answered);
        (many && most).then(|| {
            *self = Self::default();
            Turn::Wave
        })
    }

    /// Drops what is too old, or of a time to come because a clock was set back; answers the minute that it is.
    fn forget(&mut self, now: Timestamp) -> i64 {
        let minute = now.timestamp().div_euclid(60);
        let recent = |of: i64| of <= minute && of > minute - MINUTES;
        self.rejected.retain(|(_, at)| recent(*at));
        self.tallies.retain(|tally| recent(tally.minute));
        if self.rejected.is_empty() {
            self.tallies.clear();
        }
        minute
    }

    fn tally(&mut self, minute: i64) -> &mut Tally {
        let index = self.tallies.iter().position(|tally| tally.minute == minute).unwrap_or_else(|| {
            self.tallies.push(Tally { minute, rejected: 0, answered: 0 });
            self.tallies.len() - 1
        });
        &mut self.tallies[index]
    }
}
