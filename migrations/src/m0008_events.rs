//! The timelines of connections.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m0008_events",
    up: &[
        // Ids are time-ordered, so the key itself is the order of a timeline and no second index is needed.
        "CREATE TABLE events (
            connection_id {id} NOT NULL,
            id {id} NOT NULL,
            kind {word} NOT NULL,
            at {millis} NOT NULL,
            detail {text},
            PRIMARY KEY (connection_id, id),
            CONSTRAINT events_connection FOREIGN KEY (connection_id) REFERENCES connections (id)
        ) {clustered}",
    ],
    down: &["DROP TABLE events"],
};
