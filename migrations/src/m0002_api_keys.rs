//! API keys: the digest of each, never the key.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m0002_api_keys",
    up: &[
        "CREATE TABLE api_keys (
            id {id} NOT NULL PRIMARY KEY,
            environment_id {id} NOT NULL,
            name {name} NOT NULL,
            digest {digest} NOT NULL,
            scopes {text} NOT NULL,
            created_at {millis} NOT NULL,
            expires_at {millis},
            revoked_at {millis},
            CONSTRAINT api_keys_environment FOREIGN KEY (environment_id) REFERENCES environments (id)
        ) {table}",
        "CREATE INDEX api_keys_listing ON api_keys (environment_id, id)",
    ],
    down: &["DROP TABLE api_keys"],
};
