//! Gates: what may be sent to a provider or for an app, where there is a limit or trouble.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m0014_gates",
    up: &[
        // The id is that of a connector or of an app; a reference to either would have every change of theirs lock this.
        "CREATE TABLE gates (
            id {id} NOT NULL PRIMARY KEY,
            kind {word} NOT NULL,
            rate_requests {int},
            rate_seconds {int},
            concurrency {int},
            arrival {long} NOT NULL DEFAULT 0,
            closed_until {millis},
            failures {int} NOT NULL DEFAULT 0,
            failing_since {millis},
            opened_at {millis},
            next_probe_at {millis},
            retry_credit {int} NOT NULL DEFAULT 0,
            retry_floor_at {millis},
            wave {text},
            trouble_at {millis}
        ) {table}",
        // Whoever asks how much is under way, or what was left lying, reads only that.
        "CREATE INDEX connections_leased ON connections (lease_until, app_id)
            [partial] WHERE lease_until IS NOT NULL",
    ],
    down: &["DROP INDEX connections_leased{on_connections}", "DROP TABLE gates"],
};
