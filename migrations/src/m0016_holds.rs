//! Holds: what an admin switched off, why, and when it was switched on again.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m0016_holds",
    up: &[
        // What is held may be of five kinds, so there is no reference to it; and what is no longer there holds nothing.
        "CREATE TABLE holds (
            id {id} NOT NULL PRIMARY KEY,
            environment_id {id} NOT NULL,
            scope {word} NOT NULL,
            target_id {id} NOT NULL,
            target_name {name} NOT NULL,
            reason {name} NOT NULL,
            held_by {id} NOT NULL,
            held_at {millis} NOT NULL,
            lifted_by {id},
            lifted_at {millis} NOT NULL DEFAULT 0,
            CONSTRAINT holds_environment FOREIGN KEY (environment_id) REFERENCES environments (id)
        ) {table}",
        // One hold of one thing stands at a time.
        "CREATE UNIQUE INDEX holds_standing ON holds (target_id, lifted_at)",
        "CREATE INDEX holds_listing ON holds (environment_id, id)",
        "CREATE INDEX holds_lifted ON holds (lifted_at)",
    ],
    down: &["DROP TABLE holds"],
};
