//! An instant of expiry as a lifetime: `exp` and `iat` of JWTs (RFC 7519 section 4.1) and introspection (RFC 7662).

use super::lifetime::LONGEST;
use mortise_domain::Timestamp;
use serde::Deserialize;
use std::time::Duration;

/// When something ends and when it began, in seconds after 1970 by the provider's clock (`NumericDate`, RFC 7519
/// section 2).
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub(crate) struct Expiry {
    pub(crate) exp: f64,
    #[serde(default)]
    pub(crate) iat: Option<f64>,
}

impl Expiry {
    /// How long it lives from `now` on by our clock. The provider's clock may be another, and the same token may have
    /// come before: the shorter of its whole life and what is left of it is never too long for either reason. `None`
    /// where neither is known, or the result is none to plan with.
    pub(crate) fn life(&self, now: Option<Timestamp>) -> Option<Duration> {
        let whole = self.iat.map(|iat| self.exp - iat);
        let left = now.map(|now| self.exp - now.timestamp_millis() as f64 / 1000.0);
        let life = [whole, left].into_iter().flatten().reduce(f64::min)?;
        (1.0..=LONGEST).contains(&life).then(|| Duration::from_secs(life as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn life(exp: f64, iat: Option<f64>, now: Option<i64>) -> Option<u64> {
        let now = now.map(|now| Timestamp::from_timestamp(now, 0).expect("an instant"));
        Expiry { exp, iat }.life(now).map(|life| life.as_secs())
    }

    #[test]
    fn the_shorter_of_the_whole_life_and_what_is_left_counts() {
        let table = [
            (5000.0, Some(1400.0), None, Some(3600)),
            (5000.0, Some(1400.0), Some(1400), Some(3600)),
            (5000.0, Some(1400.0), Some(4000), Some(1000)), // came before, or our clock is ahead
            (5000.0, Some(1400.0), Some(1000), Some(3600)), // our clock is behind
            (5000.0, None, Some(1400), Some(3600)),
            (5000.5, None, Some(1400), Some(3600)),
            (5000.0, None, None, None),
            (5000.0, Some(5000.0), None, None),
            (5000.0, Some(6000.0), None, None),
            (5000.0, None, Some(5000), None),
            (5000.0, Some(1400.0), Some(9000), None), // ended: no lifetime to plan with
            (-1.0, None, Some(0), None),
            (f64::MAX, Some(0.0), None, None),
            (f64::NAN, Some(0.0), Some(0), None),
            (f64::INFINITY, None, Some(0), None),
        ];
        for (exp, iat, now, expected) in table {
            assert_eq!(life(exp, iat, now), expected, "{exp} {iat:?} {now:?}");
        }
    }
}
