//! Environments, and the two that every installation starts with.

use crate::step::Step;

// The settings are what the product gives a new environment of that name; a test of the store holds the two together.
pub(crate) const STEP: Step = Step {
    name: "m0001_environments",
    up: &[
        "CREATE TABLE environments (
            id {id} NOT NULL PRIMARY KEY,
            name {word} NOT NULL,
            settings {text} NOT NULL,
            created_at {millis} NOT NULL,
            CONSTRAINT environments_name UNIQUE (name)
        ) {table}",
        r#"INSERT INTO environments (id, name, settings, created_at) VALUES (
            {bytes:0199a000000070008000000000000001:bytes}, 'dev',
            '{"finisher_check":"off","display_name":"Mortise (dev)"}', {now})"#,
        r#"INSERT INTO environments (id, name, settings, created_at) VALUES (
            {bytes:0199a000000070008000000000000002:bytes}, 'prod',
            '{"finisher_check":"required","display_name":"Mortise (prod)"}', {now})"#,
    ],
    down: &["DROP TABLE environments"],
};
