//! Apps: OAuth clients registered at providers.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m0005_apps",
    up: &[
        // A deleted app stays as a tombstone without secrets, so that old connections can still be named.
        "CREATE TABLE apps (
            id {id} NOT NULL PRIMARY KEY,
            environment_id {id} NOT NULL,
            name {word} NOT NULL,
            connector_id {id} NOT NULL,
            connector_version {int} NOT NULL,
            client_id {text} NOT NULL,
            secret {sealed},
            previous_secret {sealed},
            previous_secret_expires_at {millis},
            scopes {text} NOT NULL,
            settings {text} NOT NULL,
            state {word} NOT NULL,
            held_since {millis},
            held_reason {name},
            next_probe_at {millis},
            revision {int} NOT NULL,
            created_at {millis} NOT NULL,
            updated_at {millis} NOT NULL,
            deleted_at {millis} NOT NULL DEFAULT 0,
            CONSTRAINT apps_name UNIQUE (environment_id, name, deleted_at),
            CONSTRAINT apps_environment FOREIGN KEY (environment_id) REFERENCES environments (id),
            CONSTRAINT apps_connector FOREIGN KEY (connector_id, connector_version)
                REFERENCES connector_versions (connector_id, version)
        ) {table}",
        "CREATE INDEX apps_listing ON apps (environment_id, id)",
        "CREATE INDEX apps_by_connector ON apps (connector_id, connector_version)",
        "CREATE INDEX apps_held ON apps (held_since)
            [partial] WHERE held_since IS NOT NULL",
    ],
    down: &["DROP TABLE apps"],
};
