//! Connections: the table that grows and that every fetch and every refresh reads. Lean on purpose.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m0007_connections",
    up: &[
        "CREATE TABLE connections (
            id {id} NOT NULL PRIMARY KEY,
            environment_id {id} NOT NULL,
            customer_id {id} NOT NULL,
            app_id {id} NOT NULL,
            connector_version {int} NOT NULL,
            family {int} NOT NULL,
            failures {int} NOT NULL DEFAULT 0,
            state {word} NOT NULL,
            state_reason {word} NOT NULL,
            state_since {millis} NOT NULL,
            generation {long} NOT NULL,
            fence {long} NOT NULL DEFAULT 0,
            granted_at {millis} NOT NULL,
            created_at {millis} NOT NULL,
            updated_at {millis} NOT NULL,
            expires_at {millis},
            refreshed_at {millis},
            next_refresh_at {millis},
            lease_until {millis},
            lease_owner {id},
            attempt_deadline {millis},
            attempt_id {id},
            requested_scopes {text} NOT NULL,
            granted_scopes {text},
            access_token {sealed},
            refresh_token {sealed},
            variables {text},
            metadata {text},
            last_error {name},
            CONSTRAINT connections_environment FOREIGN KEY (environment_id) REFERENCES environments (id),
            CONSTRAINT connections_customer FOREIGN KEY (customer_id) REFERENCES customers (id),
            CONSTRAINT connections_app FOREIGN KEY (app_id) REFERENCES apps (id)
        ) {table}",
        "CREATE INDEX connections_due ON connections (next_refresh_at)
            [partial] WHERE next_refresh_at IS NOT NULL",
        "CREATE INDEX connections_listing ON connections (environment_id, id)",
        "CREATE INDEX connections_natural_key ON connections (customer_id, app_id)",
        "CREATE INDEX connections_by_app ON connections (app_id)",
    ],
    down: &["DROP TABLE connections"],
};
