//! What is known of a grant beside its tokens: doubts, the sibling of its refresh token, its deadlines and its use.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m0013_grant_deadlines",
    up: &[
        "ALTER TABLE connections ADD COLUMN suspicions {int} NOT NULL DEFAULT 0",
        "ALTER TABLE connections ADD COLUMN suspected_at {millis}",
        "ALTER TABLE connections ADD COLUMN previous_refresh_token {sealed}",
        "ALTER TABLE connections ADD COLUMN grant_expires_at {millis}",
        "ALTER TABLE connections ADD COLUMN refresh_idle_at {millis}",
        "ALTER TABLE connections ADD COLUMN used_at {millis}",
        "ALTER TABLE connections ADD COLUMN reauth_warned {int}",
        "CREATE INDEX connections_by_grant_end ON connections (grant_expires_at, id)
            [partial] WHERE grant_expires_at IS NOT NULL",
    ],
    down: &[
        "DROP INDEX connections_by_grant_end{on_connections}",
        "ALTER TABLE connections DROP COLUMN reauth_warned",
        "ALTER TABLE connections DROP COLUMN used_at",
        "ALTER TABLE connections DROP COLUMN refresh_idle_at",
        "ALTER TABLE connections DROP COLUMN grant_expires_at",
        "ALTER TABLE connections DROP COLUMN previous_refresh_token",
        "ALTER TABLE connections DROP COLUMN suspected_at",
        "ALTER TABLE connections DROP COLUMN suspicions",
    ],
};
