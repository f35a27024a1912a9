//! What the rows say of a move: who was renewed since, and who fails.

use super::Move;
use super::batch::{MOVABLE, SOUND};
use crate::sql::Sql;
use crate::{Result, Store, time};
use mortise_domain::MoveEvidence;
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult};
use uuid::Uuid;

/// One attempt that failed may be anybody's trouble; a second one, a refusal, or a first one after which a second has to wait
/// for long, is held against the version. `{since}` is
/// when it was moved, or when the move began.
const FAILS: &str = "((connections.state = 'active' AND (connections.suspicions > 0 OR connections.failures > 1 OR \
     (connections.failures = 1 AND connections.next_refresh_at > {now} + 600000))) OR \
     (connections.state = 'needs_reauth' AND connections.state_since >= {since} AND connections.state_reason IN \
     ('refresh_token_rejected', 'credentials_rejected', 'lost_rotation', 'no_refresh_token')))";
const RENEWED: &str = "(connections.state = 'active' AND connections.failures = 0 AND connections.suspicions = 0 AND connections.refreshed_at >= {since})";

impl Store {
    /// What is known of a move now.
    pub async fn move_evidence(&self, of: &Move) -> Result<MoveEvidence> {
        let known = self.of_the_moved(of);
        let moved = self.db.query_one_raw(known.build()).await?;
        let others = self.db.query_one_raw(self.of_the_others(of).build()).await?;
        let moved = |name: &str| count(moved.as_ref(), name);
        let others = |name: &str| count(others.as_ref(), name);
        Ok(MoveEvidence {
            moved: moved("moved")?,
            skipped: moved("skipped")?,
            returned: moved("returned")?,
            judged: moved("judged")?,
            renewed: moved("renewed")?,
            failed: moved("failed")?,
            remaining: others("remaining")?,
            others_renewed: others("renewed")?,
            others_failed: others("failed")?,
        })
    }

    fn of_the_moved(&self, of: &Move) -> Sql {
        let (fails, renewed) = (self.since(FAILS, "notes.moved_at"), self.since(RENEWED, "notes.moved_at"));
        // What an admin switched off meanwhile, what ended, and what consented anew elsewhere tells nothing.
        let judged = "notes.state = 'moved' AND notes.judged = 1 AND connections.connector_version = moves.to_version \
                      AND connections.state IN ('active', 'needs_reauth')";
        let select = format!(
            "SELECT COUNT(CASE WHEN notes.state = 'moved' THEN 1 END) AS moved, \
             COUNT(CASE WHEN notes.state = 'skipped' THEN 1 END) AS skipped, \
             COUNT(CASE WHEN notes.state = 'returned' THEN 1 END) AS returned, \
             COUNT(CASE WHEN {judged} THEN 1 END) AS judged, \
             COUNT(CASE WHEN {judged} AND {renewed} THEN 1 END) AS renewed, \
             COUNT(CASE WHEN {judged} AND {fails} THEN 1 END) AS failed \
             FROM moved_connections notes JOIN moves ON moves.id = notes.move_id \
             JOIN connections ON connections.id = notes.connection_id WHERE notes.move_id = "
        );
        Sql::new(self.dialect, &select).bind(of.id.as_uuid())
    }

    /// Those that failed already when the move began are no measure: their tokens had ended.
    fn of_the_others(&self, of: &Move) -> Sql {
        let begun = time::to_millis(of.begun_at).to_string();
        let (fails, renewed) = (self.since(FAILS, &begun), self.since(RENEWED, &begun));
        let select = format!(
            "SELECT COUNT(*) AS remaining, COUNT(CASE WHEN {renewed} THEN 1 END) AS renewed, \
             COUNT(CASE WHEN {fails} AND connections.updated_at >= {begun} AND connections.expires_at >= {begun} \
             THEN 1 END) AS failed"
        );
        self.left(of, &select)
    }

    fn since(&self, condition: &str, then: &str) -> String {
        condition.replace("{since}", then).replace("{now}", self.dialect.now())
    }

    /// How many connections of an app, in other versions than that one, tell something when they are renewed.
    pub(super) async fn renewable(&self, tx: &DatabaseTransaction, app: Uuid, version: i32) -> Result<u64> {
        let select = Sql::new(self.dialect, "SELECT COUNT(*) AS renewable FROM connections WHERE app_id = ")
            .bind(app)
            .with(" AND connector_version <> ", version)
            .text(" AND ")
            .text(MOVABLE)
            .text(" AND ")
            .text(SOUND);
        count(tx.query_one_raw(select.build()).await?.as_ref(), "renewable")
    }
}

fn count(row: Option<&QueryResult>, name: &str) -> Result<u64> {
    let counted = row.map(|row| row.try_get::<i64>("", name)).transpose()?;
    Ok(u64::try_from(counted.unwrap_or_default()).unwrap_or_default())
}
