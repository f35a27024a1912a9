//! Authorization attempts: round trips of a browser to a provider.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m0010_authorization_attempts",
    up: &[
        "CREATE TABLE authorization_attempts (
            id {id} NOT NULL PRIMARY KEY,
            environment_id {id} NOT NULL,
            session_id {id} NOT NULL,
            app_id {id} NOT NULL,
            connector_version {int} NOT NULL,
            state_digest {digest} NOT NULL,
            cookie_digest {digest} NOT NULL,
            verifier {sealed} NOT NULL,
            variables {text},
            scopes {text} NOT NULL,
            created_at {millis} NOT NULL,
            expires_at {millis} NOT NULL,
            consumed_at {millis},
            code {sealed},
            completion_digest {digest},
            code_expires_at {millis},
            CONSTRAINT authorization_attempts_state UNIQUE (state_digest),
            CONSTRAINT authorization_attempts_environment FOREIGN KEY (environment_id) REFERENCES environments (id),
            CONSTRAINT authorization_attempts_session FOREIGN KEY (session_id) REFERENCES connect_sessions (id),
            CONSTRAINT authorization_attempts_app FOREIGN KEY (app_id) REFERENCES apps (id)
        ) {table}",
        "CREATE INDEX authorization_attempts_by_session ON authorization_attempts (session_id)",
        "CREATE INDEX authorization_attempts_by_app ON authorization_attempts (app_id)",
        "CREATE INDEX authorization_attempts_by_end ON authorization_attempts (expires_at)",
    ],
    down: &["DROP TABLE authorization_attempts"],
};
