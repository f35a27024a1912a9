//! Connectors and their immutable versions.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m0004_connectors",
    up: &[
        // A deleted connector stays as a tombstone, so that old connections can still be read; its id is free again.
        "CREATE TABLE connectors (
            id {id} NOT NULL PRIMARY KEY,
            environment_id {id} NOT NULL,
            name {word} NOT NULL,
            newest_version {int} NOT NULL,
            created_at {millis} NOT NULL,
            deleted_at {millis} NOT NULL DEFAULT 0,
            CONSTRAINT connectors_name UNIQUE (environment_id, name, deleted_at),
            CONSTRAINT connectors_environment FOREIGN KEY (environment_id) REFERENCES environments (id)
        ) {table}",
        "CREATE INDEX connectors_listing ON connectors (environment_id, id)",
        "CREATE TABLE connector_versions (
            connector_id {id} NOT NULL,
            version {int} NOT NULL,
            digest {digest} NOT NULL,
            manifest {text} NOT NULL,
            source {text} NOT NULL,
            created_at {millis} NOT NULL,
            PRIMARY KEY (connector_id, version),
            CONSTRAINT connector_versions_connector FOREIGN KEY (connector_id) REFERENCES connectors (id)
        ) {table}",
    ],
    down: &["DROP TABLE connector_versions", "DROP TABLE connectors"],
};
