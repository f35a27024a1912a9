//! Taking back what was moved: every connection speaks the version again that it spoke before, and what failed since is
//! tried again, also where the customer was already to be asked.

use super::Move;
use super::batch::{CHUNK, touch};
use crate::entity::moved_connections as notes;
use crate::events::{self, NewEvent};
use crate::row::{Reading, impossible};
use crate::sql::Sql;
use crate::transaction::transact;
use crate::{Result, Store, time};
use mortise_domain::{ConnectionId, EventId, EventKind, MoveState, StateReason, Timestamp};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DatabaseTransaction, EntityTrait as _, QueryFilter as _, QueryResult,
};
use serde_json::json;
use std::collections::BTreeMap;
use uuid::Uuid;

/// A connection that is taken back.
struct Back {
    id: ConnectionId,
    to: i32,
    /// It consented anew since, or ended: nothing of it is the move's any more.
    elsewhere: bool,
    failing: bool,
    given_up: bool,
    now: Timestamp,
}

impl Store {
    /// Takes back five hundred at most that nobody is at, and answers how many. `place` says when what failed is tried again.
    /// `None`: the move is not what was seen, or is not being taken back.
    pub async fn move_take_back(
        &self,
        seen: &Move,
        mut place: impl FnMut(Timestamp) -> Timestamp + Send,
        mut event_id: impl FnMut(Timestamp) -> EventId + Send,
    ) -> Result<Option<u64>> {
        transact!(self, tx, {
            let Some(row) = self.move_locked(tx, seen).await? else { return Ok(None) };
            if row.state != MoveState::RollingBack.as_str() {
                return Ok(None);
            }
            let all = self.moved(tx, seen).await?;
            let Some(now) = all.first().map(|back| back.now) else { return Ok(Some(0)) };
            let ours: Vec<_> = all.iter().filter(|back| !back.elsewhere).collect();
            self.restore_versions(tx, now, &ours).await?;
            self.revive(tx, now, &ours).await?;
            let harmed = ours.iter().filter(|back| back.failing || back.given_up);
            let harmed: Vec<_> = harmed.map(|back| (back.id, place(now))).collect();
            self.due_afresh(tx, &harmed).await?;
            let mut lines: Vec<_> = ours.iter().map(|back| line(seen, back, event_id(now)).row(back.id)).collect();
            events::append_all(tx, &mut lines).await?;
            notes::Entity::update_many()
                .col_expr(notes::Column::State, Expr::value("returned"))
                .filter(notes::Column::MoveId.eq(seen.id.as_uuid()))
                .filter(notes::Column::ConnectionId.is_in(all.iter().map(|back| back.id.as_uuid())))
                .exec(tx)
                .await?;
            touch(tx, seen, now).await?;
            Ok(Some(all.len() as u64))
        })
    }

    async fn moved(&self, tx: &DatabaseTransaction, of: &Move) -> Result<Vec<Back>> {
        let select = format!(
            "SELECT connections.id AS id, moved_connections.from_version AS from_version, {} AS db_now, \
             CASE WHEN connections.connector_version <> moves.to_version OR connections.state = 'revoked' THEN 1 ELSE 0 \
             END AS elsewhere, \
             CASE WHEN connections.failures > 0 OR connections.suspicions > 0 THEN 1 ELSE 0 END AS failing, \
             CASE WHEN connections.state = 'needs_reauth' AND connections.state_since >= moved_connections.moved_at AND \
             connections.state_reason IN ('refresh_token_rejected', 'credentials_rejected', 'lost_rotation', \
             'no_refresh_token') THEN 1 ELSE 0 END AS given_up \
             FROM moved_connections JOIN moves ON moves.id = moved_connections.move_id \
             JOIN connections ON connections.id = moved_connections.connection_id \
             WHERE moved_connections.state = 'moved' AND moved_connections.move_id = ",
            self.dialect.now()
        );
        let select = Sql::new(self.dialect, &select).bind(of.id.as_uuid()).text(" AND ").text(&self.unattended());
        let select = select.with(" ORDER BY connections.id LIMIT ", i64::try_from(CHUNK).unwrap_or(i64::MAX));
        let rows = tx.query_all_raw(select.text(self.dialect.for_update()).build()).await?;
        rows.iter().map(read).collect()
    }

    async fn restore_versions(&self, tx: &DatabaseTransaction, now: Timestamp, ours: &[&Back]) -> Result<()> {
        let mut by_version: BTreeMap<i32, Vec<Uuid>> = BTreeMap::new();
        for back in ours {
            by_version.entry(back.to).or_default().push(back.id.as_uuid());
        }
        for (version, ids) in by_version {
            let update = Sql::new(self.dialect, "UPDATE connections SET connector_version = ")
                .bind(version)
                .with(", updated_at = ", time::to_millis(now))
                .text(" WHERE id IN (")
                .list(ids)
                .text(")");
            tx.execute_raw(update.build()).await?;
        }
        Ok(())
    }

    /// A grant that was given up in the new version was given up by it, as far as anybody knows.
    async fn revive(&self, tx: &DatabaseTransaction, now: Timestamp, ours: &[&Back]) -> Result<()> {
        let given_up: Vec<_> = ours.iter().filter(|back| back.given_up).map(|back| back.id.as_uuid()).collect();
        if given_up.is_empty() {
            return Ok(());
        }
        let update = Sql::new(self.dialect, "UPDATE connections SET state = 'active', state_reason = ")
            .bind(StateReason::MoveRolledBack.as_str())
            .with(", state_since = ", time::to_millis(now))
            .text(", fence = fence + 1 WHERE state = 'needs_reauth' AND id IN (")
            .list(given_up)
            .text(")");
        tx.execute_raw(update.build()).await?;
        Ok(())
    }
}

fn line(of: &Move, back: &Back, id: EventId) -> NewEvent {
    let mut detail = json!({"move": of.id, "from": of.to_version, "to": back.to, "why": "rolled_back"});
    if back.given_up {
        detail["state_reason"] = json!(StateReason::MoveRolledBack);
    }
    NewEvent { id, kind: EventKind::Moved, at: back.now, detail }
}

fn read(row: &QueryResult) -> Result<Back> {
    let id: Uuid = row.try_get("", "id")?;
    let reading = Reading { table: "moved_connections", row: id };
    let flag = |name: &str| Ok::<_, crate::StoreError>(row.try_get::<i32>("", name)? == 1);
    let now: i64 = row.try_get("", "db_now")?;
    Ok(Back {
        id: ConnectionId::from_uuid(id),
        to: row.try_get("", "from_version")?,
        elsewhere: flag("elsewhere")?,
        failing: flag("failing")?,
        given_up: flag("given_up")?,
        now: reading.time("now", now).map_err(|_| impossible("clock", "now", Uuid::nil()))?,
    })
}
