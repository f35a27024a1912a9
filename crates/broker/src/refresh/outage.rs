//! What an outage of the database asks for afterwards: a while in which nobody claims.
//!
//! While the database is away leases run out, and replies that came meanwhile lie on the disks of those who got them.
//! Whoever claimed such a row first would present a refresh token that is spent. So every process that saw the outage
//! stores what it holds as soon as the database is back, and claims only when all others have had the time to do so too.

use crate::{Error, Result};
use mortise_domain::Clock;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// From the last sign of an outage on: a statement that waits for a connection takes 10 s to fail, so the database may be
/// back for almost none of that time.
const QUIET: Duration = Duration::from_secs(15);

/// When the database was last seen to be away.
#[derive(Debug, Default)]
pub(crate) struct Outage(Mutex<Option<Duration>>);

impl Outage {
    fn note(&self, now: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// Hands a result on, and remembers if it says that the database is away.
    pub(crate) fn noted<T>(&self, clock: &dyn Clock, result: Result<T>) -> Result<T> {
        if matches!(result, Err(Error::Unavailable(_))) {
            self.note(clock.monotonic());
        }
        result
    }

    /// The last sign of one.
    pub(crate) fn seen(&self) -> Option<Duration> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long nothing is to be claimed yet.
    pub(crate) fn left(&self, now: Duration) -> Option<Duration> {
        (self.seen()? + QUIET).checked_sub(now).filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_claimed_for_a_while_after_the_last_sign() {
        let (outage, at) = (Outage::default(), Duration::from_secs);
        assert_eq!(outage.left(at(100)), None);
        outage.note(at(100));
        assert_eq!(outage.left(at(100)), Some(QUIET));
        assert_eq!(outage.left(at(114)), Some(at(1)));
        assert_eq!(outage.left(at(115)), None);
        outage.note(at(120));
        assert_eq!(outage.left(at(121)), Some(at(14)));
    }
}
