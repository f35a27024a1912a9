//! Answers of creating requests, kept sealed for a day, so that a repeated request is answered and not repeated.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m0012_idempotency_records",
    up: &[
        "CREATE TABLE idempotency_records (
            environment_id {id} NOT NULL,
            key_digest {digest} NOT NULL,
            request_digest {digest} NOT NULL,
            status {int},
            body {sealed},
            created_at {millis} NOT NULL,
            PRIMARY KEY (environment_id, key_digest),
            CONSTRAINT idempotency_records_environment FOREIGN KEY (environment_id) REFERENCES environments (id)
        ) {table}",
        "CREATE INDEX idempotency_records_by_age ON idempotency_records (created_at)",
    ],
    down: &["DROP TABLE idempotency_records"],
};
