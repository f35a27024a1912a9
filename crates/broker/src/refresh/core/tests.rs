//! The rules of a refresh, one after the other as tables, and against a model written a second time.
//!
//! All moments count from [`NOW`]: the connection was granted long before, its token ends in ten minutes.

mod begin;
mod belief;
mod commits;
mod drive;
mod facts;
mod first;
mod lives;
mod model;
mod next;
mod pairs;
mod properties;
mod refusals;
mod totality;
mod worlds;

use super::*;
use mortise_connectors::RecoveryClass;
use mortise_domain::{Deadlines, RefreshRules, Timestamp};

/// The database's time at the claim, in seconds.
const NOW: i64 = 1_700_000_000;
/// The monotonic time at the claim.
const CLAIMED: Duration = Duration::from_secs(1_000);

const CLASSES: [RecoveryClass; 6] =
    [RecoveryClass::N, RecoveryClass::M, RecoveryClass::G, RecoveryClass::U, RecoveryClass::S, RecoveryClass::F];
const FAILURES: [FailureClass; 6] = [
    FailureClass::NotSent,
    FailureClass::Ambiguous,
    FailureClass::Throttled,
    FailureClass::AppMisconfigured,
    FailureClass::GrantRejected,
    FailureClass::Unknown,
];
const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// An instant by its seconds from [`NOW`].
fn instant(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(NOW + seconds, 0).expect("an instant in range")
}

/// Milliseconds from [`NOW`] to `at`.
fn millis(at: Timestamp) -> i64 {
    at.timestamp_millis() - NOW * 1_000
}

/// A moment so many seconds after the claim, with no randomness.
fn moment(seconds: u64) -> At {
    At { now: instant(0) + secs(seconds), elapsed: CLAIMED + secs(seconds), fraction: 0.0 }
}

/// The present, with a share of randomness.
fn drawn(fraction: f64) -> At {
    At { fraction, ..moment(0) }
}

fn rules(class: RecoveryClass) -> Rules {
    Rules {
        class,
        grace: (class == RecoveryClass::G).then_some(secs(60)),
        reuse_penalty: false,
        timing: RefreshRules::default(),
        default_lifetime: None,
    }
}

fn standing() -> Standing {
    Standing {
        granted_at: instant(-30 * DAY),
        refreshed_at: Some(instant(-50 * MINUTE)),
        expires_at: Some(instant(10 * MINUTE)),
        used_at: Some(instant(-HOUR)),
        ..Standing::new(instant(0))
    }
}

/// A healthy connection's attempt, with 121 seconds and one client.
fn attempt(class: RecoveryClass) -> Attempt {
    Attempt { rules: rules(class), standing: standing(), send_until: CLAIMED + secs(121), clients: 1, probe: false }
}

/// [`attempt`] with another standing.
fn standing_so(class: RecoveryClass, change: impl FnOnce(&mut Standing)) -> Attempt {
    let mut attempt = attempt(class);
    change(&mut attempt.standing);
    attempt
}

fn refusal(class: FailureClass) -> Refusal {
    Refusal { class, answered: class != FailureClass::NotSent, retry_after: None, definitive: false }
}

fn granted() -> Granted {
    Granted {
        others: Others::default(),
        asked_at: instant(0),
        lifetime: Some(secs(3_600)),
        deadlines: Deadlines::default(),
        rotated: true,
        unchanged: false,
    }
}

/// The state of a request that was sent at once, with the newest client.
fn in_flight(credential: Credential) -> State {
    State::InFlight { credential, client: 0, since: instant(0) }
}

/// What an effect that was asked for wrote down of a failure.
fn recorded(effects: &[Effect]) -> &Plan {
    let plans: Vec<_> =
        effects.iter().filter_map(|effect| if let Effect::Record(plan) = effect { Some(plan) } else { None }).collect();
    assert_eq!(plans.len(), 1, "one record of {effects:?}");
    plans[0]
}

/// What is written down when `refusal` comes in `at` to the connection's own refresh token.
fn plan_of(attempt: &Attempt, at: At, refusal: Refusal) -> Plan {
    let (state, effects) = step(attempt, in_flight(Credential::Current), at, Event::Refused(refusal));
    assert_eq!(state, State::Recording(End::Failed));
    recorded(&effects).clone()
}
