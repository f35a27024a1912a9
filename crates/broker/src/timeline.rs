//! Lines for timelines.

use chrono::SubsecRound as _;
use mortise_domain::{Clock, Entropy, EventId, EventKind, Timestamp};
use mortise_store::NewEvent;

/// A line that says what happens now.
pub(crate) fn line(clock: &dyn Clock, entropy: &dyn Entropy, kind: EventKind, detail: serde_json::Value) -> NewEvent {
    line_at(clock.now(), entropy, kind, detail)
}

/// A line that says what happened at `at`, which is also its place among the others.
pub(crate) fn line_at(at: Timestamp, entropy: &dyn Entropy, kind: EventKind, detail: serde_json::Value) -> NewEvent {
    NewEvent { id: EventId::generate_at(at, entropy), kind, at, detail }
}

/// A time as the rest of the API tells it: to the millisecond.
pub(crate) fn told(at: Timestamp) -> Timestamp {
    at.trunc_subsecs(3)
}
