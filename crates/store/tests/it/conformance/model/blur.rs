//! Two clocks never show the same: times of these days are compared by tens of minutes, in which no sequence ends and every
//! lease that lasts does last. Errors are compared by what they say.

use mortise_domain::gate::{Breaker, Gate, GateId, Retries, Turn, Wave};
use mortise_domain::{Clock as _, EventId, SystemClock, Timestamp};
use mortise_store::{ClaimOne, Claimed, Connection, DueClaims, Event, Overdue, StoreError, TokenRow};
use proptest::test_runner::TestCaseError;
use std::fmt::Debug;
use std::time::Duration;

const GRAIN: i64 = 600_000;
const DAY: i64 = 86_400_000;

/// Makes times of these days comparable.
pub struct Blur {
    start: i64,
}

impl Blur {
    pub fn new() -> Self {
        Self { start: (SystemClock::new().now() - Duration::from_secs(60)).timestamp_millis() }
    }

    fn time(&self, at: Timestamp) -> Timestamp {
        let since = at.timestamp_millis() - self.start;
        if since.abs() > 2 * DAY { at } else { crate::world::at(self.start + since.div_euclid(GRAIN) * GRAIN) }
    }

    pub fn row(&self, row: Connection) -> Connection {
        Connection {
            lease_until: row.lease_until.map(|at| self.time(at)),
            attempt_deadline: row.attempt_deadline.map(|at| self.time(at)),
            updated_at: self.time(row.updated_at),
            ..row
        }
    }

    pub fn token(&self, row: TokenRow) -> TokenRow {
        TokenRow { now: self.time(row.now), ..row }
    }

    pub fn claimed(&self, claimed: Claimed) -> Claimed {
        Claimed { now: self.time(claimed.now), connection: self.row(claimed.connection), ..claimed }
    }

    pub fn one(&self, claim: ClaimOne) -> ClaimOne {
        match claim {
            ClaimOne::Claimed(claimed) => ClaimOne::Claimed(Box::new(self.claimed(*claimed))),
            ClaimOne::Busy { until, now, leased } => {
                ClaimOne::Busy { until: self.time(until), now: self.time(now), leased }
            }
            ClaimOne::Gated { until, now } => ClaimOne::Gated { until: self.time(until), now: self.time(now) },
            told => told,
        }
    }

    pub fn due(&self, claims: DueClaims) -> DueClaims {
        DueClaims {
            claimed: claims.claimed.into_iter().map(|claim| self.claimed(claim)).collect(),
            gated: claims.gated.map(|at| self.time(at)),
            opens_in: None,
            herds: claims.herds,
        }
    }

    pub fn overdue(&self, overdue: Overdue) -> Overdue {
        Overdue { now: self.time(overdue.now), ..overdue }
    }

    pub fn turn(&self, (gate, turn): (GateId, Turn)) -> (GateId, Turn) {
        match turn {
            Turn::Shut { until } => (gate, Turn::Shut { until: self.time(until) }),
            turn => (gate, turn),
        }
    }

    /// A gate, and what its wave counts: its minutes are left out, because one may begin between the two clocks.
    pub fn gate(&self, gate: Gate) -> (Gate, Vec<String>, [u64; 2]) {
        let wave = serde_json::to_value(&gate.wave).unwrap();
        let rejected = wave["rejected"].as_array().unwrap().iter().map(|pair| pair[0].to_string()).collect();
        let sum = |of: &str| wave["tallies"].as_array().unwrap().iter().map(|tally| tally[of].as_u64().unwrap()).sum();
        let arrival = crate::world::at(gate.arrival.div_euclid(1_000));
        let time = |at: Option<Timestamp>| at.map(|at| self.time(at));
        let blurred = Gate {
            arrival: if gate.arrival == 0 { 0 } else { self.time(arrival).timestamp_micros() },
            closed_until: time(gate.closed_until),
            breaker: Breaker {
                failing_since: time(gate.breaker.failing_since),
                opened_at: time(gate.breaker.opened_at),
                next_probe_at: time(gate.breaker.next_probe_at),
                ..gate.breaker
            },
            retries: Retries { floor_at: time(gate.retries.floor_at), ..gate.retries },
            trouble_at: time(gate.trouble_at),
            wave: Wave::default(),
            ..gate
        };
        (blurred, rejected, [sum("rejected"), sum("answered")])
    }

    pub fn event(&self, event: Event) -> Event {
        Event { id: self.id(event.id), at: self.time(event.at), ..event }
    }

    /// A claim's line has its id by the clock of whoever keeps the books: only the chance in it is the same.
    pub fn id(&self, id: EventId) -> EventId {
        id.moved_to(crate::world::at(0))
    }
}

/// How a comparison ends.
pub type Compared<T = ()> = Result<T, TestCaseError>;

/// What both answered, if it is the same.
pub fn same<T: PartialEq + Debug>(
    database: Result<T, StoreError>,
    memory: Result<T, StoreError>,
) -> Compared<Option<T>> {
    let told = |error: StoreError| match error {
        // One of the ways in which PostgreSQL commits has no name for it.
        StoreError::Refused(_) => "event exists already".to_owned(),
        error => error.to_string(),
    };
    let (database, memory) = (database.map_err(told), memory.map_err(told));
    if database == memory {
        Ok(database.ok())
    } else {
        Err(TestCaseError::fail(format!("the database says {database:#?}, memory says {memory:#?}")))
    }
}
