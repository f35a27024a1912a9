//! The end of a token in store that became known only after its pair was stored.

use crate::events::{self, NewEvent};
use crate::sql::Sql;
use crate::transaction::transact;
use crate::{Result, Store, time};
use mortise_domain::{ConnectionId, EnvironmentKey, Timestamp};
use sea_orm::ConnectionTrait as _;

/// When a token ends, and when its connection is to be refreshed then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifetimeLearned {
    /// Where the connection belongs.
    pub environment: EnvironmentKey,
    /// Which one.
    pub id: ConnectionId,
    /// The grant.
    pub family: i32,
    /// The pair whose access token it is.
    pub generation: i64,
    /// When the access token ends.
    pub expires_at: Timestamp,
    /// When the next refresh is due; `None`: when somebody needs it.
    pub next_refresh_at: Option<Timestamp>,
}

impl Store {
    /// Writes down when the token in store ends, with its line in the timeline, if it still is the one in store and its end
    /// is not known; answers whether. The plan stays what it is where somebody is at the connection or a refresh of it has
    /// failed: then it knows better.
    pub async fn connection_lifetime_learned(&self, learned: &LifetimeLearned, event: NewEvent) -> Result<bool> {
        let event = event.row(learned.id);
        transact!(self, tx, {
            if tx.execute_raw(self.lifetime(learned).build()).await?.rows_affected() == 0 {
                return Ok(false);
            }
            events::append(tx, vec![event.clone()]).await?;
            Ok(true)
        })
    }

    fn lifetime(&self, learned: &LifetimeLearned) -> Sql {
        Sql::new(self.dialect, "UPDATE connections SET expires_at = ")
            .bind(time::to_millis(learned.expires_at))
            .with(
                ", next_refresh_at = CASE WHEN state = 'active' AND lease_owner IS NULL AND failures = 0 THEN ",
                learned.next_refresh_at.map(time::to_millis),
            )
            .text(" ELSE next_refresh_at END, updated_at = ")
            .text(self.dialect.now())
            .with(" WHERE id = ", learned.id.as_uuid())
            .with(" AND environment_id = ", learned.environment.as_uuid())
            .with(" AND family = ", learned.family)
            .with(" AND generation = ", learned.generation)
            .text(" AND expires_at IS NULL AND state <> 'revoked'")
    }
}
