//! Customers, by the ids of the people who run the broker.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m0006_customers",
    up: &[
        // A deleted customer stays as a tombstone without name and metadata; the id is free again.
        "CREATE TABLE customers (
            id {id} NOT NULL PRIMARY KEY,
            environment_id {id} NOT NULL,
            external_id {name} NOT NULL,
            name {name},
            metadata {text},
            created_at {millis} NOT NULL,
            updated_at {millis} NOT NULL,
            deleted_at {millis} NOT NULL DEFAULT 0,
            CONSTRAINT customers_external_id UNIQUE (environment_id, external_id, deleted_at),
            CONSTRAINT customers_environment FOREIGN KEY (environment_id) REFERENCES environments (id)
        ) {table}",
        "CREATE INDEX customers_listing ON customers (environment_id, id)",
    ],
    down: &["DROP TABLE customers"],
};
