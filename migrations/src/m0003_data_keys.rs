//! Data keys, wrapped by key-encryption keys that the database never sees.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m0003_data_keys",
    up: &[
        // The owner is a customer, an environment, or nil for the installation itself: no one table to refer to.
        "CREATE TABLE data_keys (
            id {id} NOT NULL PRIMARY KEY,
            environment_id {id},
            owner {id} NOT NULL,
            key_encryption_key {word} NOT NULL,
            wrapped {sealed} NOT NULL,
            created_at {millis} NOT NULL,
            CONSTRAINT data_keys_owner UNIQUE (owner),
            CONSTRAINT data_keys_environment FOREIGN KEY (environment_id) REFERENCES environments (id)
        ) {table}",
        "CREATE INDEX data_keys_by_wrapping ON data_keys (key_encryption_key, id)",
    ],
    down: &["DROP TABLE data_keys"],
};
