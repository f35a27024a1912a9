//! Moves of an app's connections between versions of its connector, and versions that nobody may connect with any more.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m0018_moves",
    up: &[
        "ALTER TABLE connector_versions ADD COLUMN retired_at {millis}",
        "CREATE TABLE moves (
            id {id} NOT NULL PRIMARY KEY,
            environment_id {id} NOT NULL,
            app_id {id} NOT NULL,
            connector_id {id} NOT NULL,
            from_version {int} NOT NULL,
            to_version {int} NOT NULL,
            state {word} NOT NULL,
            stage {word} NOT NULL,
            reason {word},
            terms {text} NOT NULL,
            canary {long} NOT NULL,
            outcome {text},
            revision {int} NOT NULL,
            begun_by {id} NOT NULL,
            begun_at {millis} NOT NULL,
            stage_since {millis} NOT NULL,
            moved_at {millis} NOT NULL,
            finished_at {millis} NOT NULL DEFAULT 0,
            CONSTRAINT moves_environment FOREIGN KEY (environment_id) REFERENCES environments (id),
            CONSTRAINT moves_app FOREIGN KEY (app_id) REFERENCES apps (id),
            CONSTRAINT moves_version FOREIGN KEY (connector_id, to_version)
                REFERENCES connector_versions (connector_id, version)
        ) {table}",
        // One move of an app stands at a time.
        "CREATE UNIQUE INDEX moves_standing ON moves (app_id, finished_at)",
        "CREATE INDEX moves_listing ON moves (environment_id, id)",
        "CREATE INDEX moves_at_work ON moves (finished_at)",
        "CREATE INDEX moves_by_connector ON moves (connector_id, to_version)",
        // Beside the connections, because most of them never move and every refresh writes those.
        "CREATE TABLE moved_connections (
            move_id {id} NOT NULL,
            connection_id {id} NOT NULL,
            from_version {int} NOT NULL,
            state {word} NOT NULL,
            judged {int} NOT NULL,
            moved_at {millis} NOT NULL,
            PRIMARY KEY (move_id, connection_id),
            CONSTRAINT moved_connections_move FOREIGN KEY (move_id) REFERENCES moves (id)
        ) {clustered}",
    ],
    down: &[
        "DROP TABLE moved_connections",
        "DROP TABLE moves",
        "ALTER TABLE connector_versions DROP COLUMN retired_at",
    ],
};
