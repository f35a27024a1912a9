//! Device flows (RFC 8628): when the provider is asked next whether the customer has decided.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m0017_device_polls",
    up: &[
        "CREATE TABLE device_polls (
            attempt_id {id} NOT NULL PRIMARY KEY,
            environment_id {id} NOT NULL,
            interval_seconds {int} NOT NULL,
            poll_at {millis},
            completion_digest {digest} NOT NULL,
            failure {word},
            CONSTRAINT device_polls_attempt FOREIGN KEY (attempt_id) REFERENCES authorization_attempts (id)
        ) {table}",
        "CREATE INDEX device_polls_due ON device_polls (poll_at)
            [partial] WHERE poll_at IS NOT NULL",
    ],
    down: &["DROP TABLE device_polls"],
};
