//! The calls that a sequence is made of, and what may be wrong with each.

use mortise_domain::ConnectionId;
use mortise_domain::gate::{Limits, Outcome, Rate};
use mortise_store::Doubt;
use proptest::prelude::*;
use proptest::sample::Index;
use std::time::Duration;
use uuid::Uuid;

/// What a call names otherwise than it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    Nothing,
    Family,
    Generation,
    Fence,
    Attempt,
    Environment,
    Owner,
    /// An event whose id is taken.
    Event,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    Never,
    Past,
    Future,
}

/// How long a claim and its request last: for good, or no time at all.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    pub lease: bool,
    pub attempt: bool,
}

#[derive(Debug, Clone)]
pub enum Move {
    /// A new grant, in the place of what is there or as if nothing were; or the last one that was stored, once more.
    Grant {
        slot: usize,
        replaces: bool,
        again: bool,
        wrong: Wrong,
        due: Due,
        narrow: bool,
    },
    ClaimDue {
        limit: usize,
        held: Option<usize>,
        terms: Terms,
    },
    /// With so much room at a provider, of which so much is taken.
    Claim {
        limit: usize,
        held: Option<usize>,
        provider: usize,
        room: (usize, usize),
        terms: Terms,
    },
    ClaimOne {
        slot: usize,
        wrong: Wrong,
        terms: Terms,
    },
    ClaimProbe {
        app: usize,
        terms: Terms,
    },
    Commit {
        claim: Index,
        wrong: Wrong,
        due: Due,
        narrow: bool,
        rotates: bool,
        ends: Option<i64>,
    },
    Fail {
        claim: Index,
        wrong: Wrong,
        due: Due,
        doubt: Doubt,
        suspicions: i32,
    },
    SetState {
        slot: usize,
        wrong: Wrong,
        to: Index,
        reason: Index,
    },
    Revoke {
        slot: usize,
        wrong: Wrong,
        told: bool,
    },
    Enqueue {
        slot: usize,
        wrong: Wrong,
    },
    /// What others than the engine write.
    Touched {
        slot: usize,
    },
    LeaseEnds {
        slot: usize,
    },
    AttemptEnds {
        slot: usize,
    },
    Hold {
        app: usize,
    },
    Release {
        app: usize,
    },
    Probe {
        app: usize,
        right: bool,
    },
    /// What is overdue at an app gets other times.
    Smear {
        app: usize,
    },
    /// A provider's or an app's.
    Limit {
        gate: (bool, usize),
        limits: Limits,
    },
    /// What came of requests; a rejection is that of a connection.
    Note {
        notes: Vec<((bool, usize), Outcome)>,
    },
    Page {
        slot: usize,
        limit: u64,
        after: Option<Index>,
        wrong: Wrong,
    },
}

/// How many connections, and how many apps, a sequence is about; each app has a connector of its own, and each customer
/// a connection at each.
pub const SLOTS: usize = 4;
pub const APPS: usize = 2;

pub fn moves() -> impl Strategy<Value = Vec<Move>> {
    proptest::collection::vec(a_move(), 1..40)
}

fn a_move() -> impl Strategy<Value = Move> {
    let (slot, app) = (|| 0..SLOTS, || 0..APPS);
    let (claim, yes) = (any::<Index>, any::<bool>);
    let held = proptest::option::weighted(0.3, app());
    let ends = proptest::option::of(prop_oneof![Just(0_i64), Just(86_400_000), Just(86_400_001), Just(-86_400_000)]);
    prop_oneof![
        8 => (slot(), any::<bool>(), proptest::bool::weighted(0.1), wrong(), due(), yes()).prop_map(
            |(slot, replaces, again, wrong, due, narrow)| Move::Grant { slot, replaces, again, wrong, due, narrow }),
        8 => (0_usize..4, held, terms()).prop_map(|(limit, held, terms)| Move::ClaimDue { limit, held, terms }),
        4 => (0_usize..6, proptest::option::weighted(0.2, app()), app(), (0_usize..4, 0_usize..3), terms()).prop_map(
            |(limit, held, provider, room, terms)| Move::Claim { limit, held, provider, room, terms }),
        2 => app().prop_map(|app| Move::Smear { app }),
        2 => (gate(), limits()).prop_map(|(gate, limits)| Move::Limit { gate, limits }),
        4 => proptest::collection::vec((gate(), outcome()), 1..6).prop_map(|notes| Move::Note { notes }),
        6 => (slot(), wrong(), terms()).prop_map(|(slot, wrong, terms)| Move::ClaimOne { slot, wrong, terms }),
        3 => (app(), terms()).prop_map(|(app, terms)| Move::ClaimProbe { app, terms }),
        10 => (claim(), wrong(), due(), yes(), yes(), ends).prop_map(
            |(claim, wrong, due, narrow, rotates, ends)| Move::Commit { claim, wrong, due, narrow, rotates, ends }),
        8 => (claim(), wrong(), due(), doubt(), 0..3).prop_map(
            |(claim, wrong, due, doubt, suspicions)| Move::Fail { claim, wrong, due, doubt, suspicions }),
        5 => (slot(), wrong(), claim(), claim()).prop_map(
            |(slot, wrong, to, reason)| Move::SetState { slot, wrong, to, reason }),
        2 => (slot(), wrong(), yes()).prop_map(|(slot, wrong, told)| Move::Revoke { slot, wrong, told }),
        2 => (slot(), wrong()).prop_map(|(slot, wrong)| Move::Enqueue { slot, wrong }),
        2 => slot().prop_map(|slot| Move::Touched { slot }),
        4 => slot().prop_map(|slot| Move::LeaseEnds { slot }),
        4 => slot().prop_map(|slot| Move::AttemptEnds { slot }),
        2 => app().prop_map(|app| Move::Hold { app }),
        2 => app().prop_map(|app| Move::Release { app }),
        2 => (app(), yes()).prop_map(|(app, right)| Move::Probe { app, right }),
        2 => (slot(), 0_u64..5, proptest::option::of(claim()), wrong()).prop_map(
            |(slot, limit, after, wrong)| Move::Page { slot, limit, after, wrong }),
    ]
}

fn wrong() -> impl Strategy<Value = Wrong> {
    use Wrong::*;
    let odd = proptest::sample::select(vec![Family, Generation, Fence, Attempt, Environment, Owner, Event]);
    prop_oneof![3 => Just(Nothing), 1 => odd]
}

fn due() -> impl Strategy<Value = Due> {
    prop_oneof![1 => Just(Due::Never), 4 => Just(Due::Past), 1 => Just(Due::Future)]
}

fn doubt() -> impl Strategy<Value = Doubt> {
    let (over, never) = (crate::world::at(5), crate::world::at(4_000_000_000_000));
    let until = [Doubt::UnderWayUntil(over), Doubt::UnderWayUntil(never)];
    proptest::sample::select([[Doubt::None, Doubt::Processed, Doubt::UnderWay].as_slice(), &until].concat())
}

fn terms() -> impl Strategy<Value = Terms> {
    (any::<bool>(), proptest::bool::weighted(0.3)).prop_map(|(lease, attempt)| Terms { lease, attempt })
}

fn gate() -> impl Strategy<Value = (bool, usize)> {
    (any::<bool>(), 0..APPS)
}

/// Rates whose next request is due in multiples of ten minutes, or at once, so that it does not matter how long a sequence
/// takes.
fn limits() -> impl Strategy<Value = Limits> {
    let rates = [(1, 3_600), (4, 2_400), (7, 3_600), (1_000_000, 1)];
    let rate = proptest::sample::select(rates.to_vec()).prop_map(|(requests, seconds)| Rate { requests, seconds });
    (proptest::option::of(rate), proptest::option::of(0_u32..3)).prop_map(|(rate, concurrency)| Limits {
        rate,
        concurrency,
        mint: None,
    })
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let quiet = proptest::option::of(prop_oneof![Just(3_600), Just(1_000_000)]);
    prop_oneof![
        3 => Just(Outcome::Answered),
        6 => Just(Outcome::Down),
        1 => quiet.prop_map(|quiet| Outcome::Throttled { retry_after: quiet.map(Duration::from_secs) }),
        4 => (0_u128..6).prop_map(|number| Outcome::Rejected(ConnectionId::from_uuid(Uuid::from_u128(number)))),
        1 => Just(Outcome::NotSent),
    ]
}
