//! Connect sessions: the digest of each link's token, never the token.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m0009_connect_sessions",
    up: &[
        "CREATE TABLE connect_sessions (
            id {id} NOT NULL PRIMARY KEY,
            environment_id {id} NOT NULL,
            customer_id {id} NOT NULL,
            token_digest {digest} NOT NULL,
            apps {text} NOT NULL,
            connection_id {id},
            return_url {text},
            status {word} NOT NULL,
            result_connection_id {id},
            error {name},
            created_at {millis} NOT NULL,
            expires_at {millis} NOT NULL,
            CONSTRAINT connect_sessions_token UNIQUE (token_digest),
            CONSTRAINT connect_sessions_environment FOREIGN KEY (environment_id) REFERENCES environments (id),
            CONSTRAINT connect_sessions_customer FOREIGN KEY (customer_id) REFERENCES customers (id)
        ) {table}",
        "CREATE INDEX connect_sessions_by_customer ON connect_sessions (customer_id)",
        "CREATE INDEX connect_sessions_by_end ON connect_sessions (expires_at)",
    ],
    down: &["DROP TABLE connect_sessions"],
};
