//! Chance that a seed decides.
//!
//! Invariant: the same seed and the same questions in the same order give the same answers. Deliberately absent: quality.
//! The generator (SplitMix64) is a few instructions, because a debug build draws millions of times.

use mortise_domain::Entropy;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

/// A stream of chance. Streams of one seed are independent, so that a question more in one of them moves no other.
#[derive(Debug)]
pub struct Dice(Mutex<u64>);

impl Dice {
    /// Stream number `stream` of `seed`.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mixed = Self(Mutex::new(seed ^ stream.wrapping_mul(0xD6E8_FEB8_6659_FD93)));
        let start = mixed.next();
        Self(Mutex::new(start))
    }

    fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Uniform in `[0, 1)`.
    pub fn share(&self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether something happens that happens in this share of cases. A share of nought draws nothing.
    pub fn chance(&self, share: f64) -> bool {
        share > 0.0 && self.share() < share
    }

    /// Below `end`, which is not 0.
    pub fn below(&self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// From `from` to `to`, to the millisecond, small ones more often.
    pub fn time(&self, from: Duration, to: Duration) -> Duration {
        let share = self.share();
        let millis = from.as_millis() as f64 + (to - from).as_millis() as f64 * share * share;
        Duration::from_millis(millis as u64)
    }

    /// The same in seconds, uniform.
    pub fn seconds(&self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from * 1000 + self.next() % ((to - from) * 1000).max(1))
    }

    /// One of them.
    pub fn pick<'a, T>(&self, among: &'a [T]) -> &'a T {
        &among[self.below(among.len())]
    }
}

impl Entropy for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let drawn = self.next().to_le_bytes();
            chunk.copy_from_slice(&drawn[..chunk.len()]);
        }
    }
}
