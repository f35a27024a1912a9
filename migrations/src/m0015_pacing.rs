//! What gates know beside their own state: who spreads a backlog, and how often one connection may be renewed. And whose
//! grants there are at providers that keep only so many of one account.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m0015_pacing",
    up: &[
        "ALTER TABLE gates ADD COLUMN spreading_until {millis}",
        "ALTER TABLE gates ADD COLUMN mint_requests {int}",
        "ALTER TABLE gates ADD COLUMN mint_seconds {int}",
        // Beside the connections, because few providers count and every refresh writes those.
        "CREATE TABLE upstream_accounts (
            connection_id {id} NOT NULL PRIMARY KEY,
            app_id {id} NOT NULL,
            account {digest} NOT NULL,
            granted_at {millis} NOT NULL,
            CONSTRAINT upstream_accounts_connection FOREIGN KEY (connection_id) REFERENCES connections (id)
        ) {table}",
        "CREATE INDEX upstream_accounts_by_account ON upstream_accounts (app_id, account, granted_at)",
    ],
    down: &[
        "DROP TABLE upstream_accounts",
        "ALTER TABLE gates DROP COLUMN mint_seconds",
        "ALTER TABLE gates DROP COLUMN mint_requests",
        "ALTER TABLE gates DROP COLUMN spreading_until",
    ],
};
