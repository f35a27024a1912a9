//! What a seed makes of a world: who lives in it, and for how long things go wrong.

use crate::dice::Dice;
use mortise_sandbox::RecoveryClass;
use std::time::Duration;

/// The givens of one run.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub seed: u64,
    /// Machines, each with a disk and one process at a time.
    pub machines: usize,
    /// One app each.
    pub houses: Vec<House>,
    pub connections: usize,
    /// Of access tokens.
    pub lifetime: Duration,
    /// Class G: of a spent refresh token.
    pub grace: Duration,
    /// How long a refresh may wait for its provider.
    pub refresh_deadline: Duration,
    /// How long things go wrong.
    pub trouble: Duration,
    /// How long there is peace before the reckoning.
    pub peace: Duration,
    /// How far apart incidents begin, at the most.
    pub incidents_every: u64,
    /// How far apart callers come, at the most.
    pub callers_every: u64,
    /// A connection whose ciphertext is not its own.
    pub poisoned: bool,
    /// Customers change their minds while a refresh is out, and processes die with a pair in hand: rare things, often.
    pub hasty: bool,
    pub season: Season,
    pub bug: Option<Bug>,
}

/// What goes wrong more often than the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Season {
    /// Nothing.
    Usual,
    /// Processes stand still, or do not reach the database, for longer than a lease, and providers take their time.
    Slow,
}

/// A provider, by what it does with refresh tokens.
#[derive(Debug, Clone)]
pub struct House {
    pub class: RecoveryClass,
    pub kills_prior: bool,
    pub reuse_penalty: bool,
    /// Requests in so many seconds.
    pub rate: Option<(u32, u32)>,
    /// Requests at once.
    pub concurrency: Option<u32>,
}

/// What is broken on purpose, to see whether the judges notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// The ledger stores a pair whatever the row says by now.
    CommitOverwrites,
    /// The spill takes entries and forgets them.
    SpillForgets,
    /// Leases end after seconds.
    LeaseIsShort,
    /// An attempt without an outcome is repeated at once.
    RetryInsideDeadline,
    /// One refusal is the end of a connection.
    DeadAtFirstRefusal,
    /// Claims are made without a look at what is held.
    HeldIsClaimed,
    /// The network layer sends again by itself.
    TransportRetries,
    /// What comes for a grant that has been replaced is dropped.
    LateRepliesDropped,
    /// The ledger confirms pairs that it does not store.
    CommitForgets,
    /// The engine is told that a row is its own when another one has it.
    ClaimsAreShared,
    /// What is on disk is not replayed.
    NothingReplayed,
    /// A connection whose seal is broken is left as it was.
    QuarantineForgotten,
}

impl Bug {
    pub const ALL: [Self; 12] = [
        Self::CommitOverwrites,
        Self::SpillForgets,
        Self::LeaseIsShort,
        Self::RetryInsideDeadline,
        Self::DeadAtFirstRefusal,
        Self::HeldIsClaimed,
        Self::TransportRetries,
        Self::LateRepliesDropped,
        Self::CommitForgets,
        Self::ClaimsAreShared,
        Self::NothingReplayed,
        Self::QuarantineForgotten,
    ];
}

impl Scenario {
    /// The scenario that `seed` stands for.
    pub fn of(seed: u64) -> Self {
        let dice = Dice::new(seed, 1);
        let mut classes = RecoveryClass::ALL.to_vec();
        let houses = 1 + dice.below(3);
        let houses = (0..houses).map(|_| {
            let class = classes.remove(dice.below(classes.len()));
            let single_use = matches!(class, RecoveryClass::S | RecoveryClass::F);
            House {
                class,
                kills_prior: dice.chance(0.15),
                reuse_penalty: single_use && dice.chance(0.15),
                rate: dice.chance(0.3).then(|| rate(&dice)),
                concurrency: dice.chance(0.3).then(|| 1 + dice.below(3) as u32),
            }
        });
        let houses: Vec<_> = houses.collect();
        Self {
            seed,
            machines: 2 + dice.below(3),
            connections: houses.len() * if dice.chance(0.2) { 6 } else { 1 + dice.below(3) },
            houses,
            lifetime: dice.seconds(90, 400),
            grace: dice.seconds(30, 120),
            refresh_deadline: dice.seconds(8, 30),
            trouble: dice.seconds(300, 700),
            peace: dice.seconds(60, 120),
            incidents_every: 20 + dice.below(120) as u64,
            callers_every: 5 + dice.below(60) as u64,
            poisoned: dice.chance(0.1),
            hasty: false,
            season: Season::Usual,
            bug: None,
        }
    }

    /// After how long a request of an attempt is over, counted from its claim: the judges' own arithmetic.
    pub fn attempt(&self) -> Duration {
        self.refresh_deadline + Duration::from_secs(1)
    }

    /// How long a claim holds a connection at the most.
    pub fn lease(&self) -> Duration {
        self.attempt() + Duration::from_secs(30)
    }

    /// The same world in a hurry.
    #[must_use]
    pub fn hasty(self) -> Self {
        Self { hasty: true, ..self }
    }

    /// The same world in a hurry, with many connections at each provider.
    #[cfg(feature = "known-bad")]
    #[must_use]
    pub fn crowded(self) -> Self {
        Self { connections: 6 * self.houses.len(), ..self.hasty() }
    }

    /// The same world in a hurry, in which processes stand still for minutes, and providers take their time.
    #[cfg(feature = "known-bad")]
    #[must_use]
    pub fn slow(self) -> Self {
        Self { season: Season::Slow, callers_every: 8, ..self.hasty() }
    }

    /// The same world, with a connection whose ciphertext is not its own.
    #[cfg(feature = "known-bad")]
    #[must_use]
    pub fn poisoned(self) -> Self {
        Self { poisoned: true, ..self }
    }

    /// The same world with something broken in it.
    #[must_use]
    pub fn with(self, bug: Bug) -> Self {
        Self { bug: Some(bug), ..self }
    }
}

/// Requests in seconds: enough for everybody, and not for all at once.
fn rate(dice: &Dice) -> (u32, u32) {
    let seconds = 10 + dice.below(40) as u32;
    (seconds / 5 + 1 + dice.below(4) as u32, seconds)
}
