//! Tokens of ended connections that their providers still have to be told about.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m0011_revocations",
    up: &[
        "CREATE TABLE revocations (
            id {id} NOT NULL PRIMARY KEY,
            environment_id {id} NOT NULL,
            connection_id {id} NOT NULL,
            app_id {id} NOT NULL,
            connector_version {int} NOT NULL,
            attempts {int} NOT NULL DEFAULT 0,
            variables {text},
            refresh_token {sealed},
            access_token {sealed},
            due_at {millis} NOT NULL,
            lease_until {millis},
            lease_owner {id},
            last_error {name},
            created_at {millis} NOT NULL,
            CONSTRAINT revocations_environment FOREIGN KEY (environment_id) REFERENCES environments (id),
            CONSTRAINT revocations_connection FOREIGN KEY (connection_id) REFERENCES connections (id),
            CONSTRAINT revocations_app FOREIGN KEY (app_id) REFERENCES apps (id)
        ) {table}",
        "CREATE INDEX revocations_due ON revocations (due_at)",
        "CREATE INDEX revocations_by_connection ON revocations (connection_id)",
        "CREATE INDEX revocations_by_app ON revocations (app_id)",
    ],
    down: &["DROP TABLE revocations"],
};
