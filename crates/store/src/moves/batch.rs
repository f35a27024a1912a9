//! Moving a batch of connections.

use super::Move;
use crate::entity::moved_connections as notes;
use crate::entity::moves::{ActiveModel, Column, Entity};
use crate::events::{self, NewEvent};
use crate::row::{Reading, impossible, write_variables};
use crate::sql::Sql;
use crate::transaction::transact;
use crate::{Result, Store, time};
use mortise_domain::{ConnectionId, EventId, EventKind, MoveStage, MoveState, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DatabaseTransaction, EntityTrait as _, QueryFilter as _, QueryResult,
};
use serde_json::json;
use std::collections::BTreeMap;
use uuid::Uuid;

/// How many connections are changed in one transaction.
pub(super) const CHUNK: u64 = 500;

/// Nobody is at it, and no request of it may still be under way.
pub(super) const FREE: &str = "(connections.lease_until IS NULL OR connections.lease_until <= now_millis) AND \
     (connections.attempt_deadline IS NULL OR connections.attempt_deadline <= now_millis)";

/// Whether its renewals tell something: it is renewed by what it holds, or by its app before the token ends, and nothing
/// fails.
pub(super) const SOUND: &str = "connections.state = 'active' AND connections.failures = 0 AND connections.suspicions = 0 \
     AND (connections.refresh_token IS NOT NULL AND connections.next_refresh_at IS NOT NULL \
     OR connections.next_refresh_at < connections.expires_at)";

/// Moved connections, as far as they are their mover's to change: one without grant has nothing to move, and one that ended
/// keeps what its revocation is sent by.
pub(super) const MOVABLE: &str = "connections.state NOT IN ('pending', 'revoked')";

/// A connection that is about to be moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Which one.
    pub id: ConnectionId,
    /// What was filled in for it.
    pub variables: BTreeMap<String, String>,
    /// When its access token ends.
    pub expires_at: Option<Timestamp>,
    /// The database's clock.
    pub now: Timestamp,
    version: i32,
    sound: bool,
    failing: bool,
}

/// What is done with one that fits the new version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fit {
    /// When it is renewed; `None`: when it is due anyway.
    pub renew_at: Option<Timestamp>,
    /// What is filled in for it from now on; `None`: what was.
    pub variables: Option<BTreeMap<String, String>>,
}

/// What came of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Batch {
    /// Moved.
    pub moved: u64,
    /// Left where they are, because their values do not fit.
    pub skipped: u64,
}

impl Store {
    /// Connections that may be moved now: for the first ones only those that tell something, as long as there are any.
    pub async fn move_candidates(&self, of: &Move, sound_only: bool, limit: u64) -> Result<Vec<ConnectionId>> {
        let select = self.left(of, "SELECT connections.id AS id").text(" AND ").text(&self.unattended());
        let select = if sound_only { select.text(" AND ").text(SOUND) } else { select };
        let select = select.with(" ORDER BY connections.id LIMIT ", i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = self.db.query_all_raw(select.build()).await?;
        rows.iter().map(|row| Ok(ConnectionId::from_uuid(row.try_get("", "id")?))).collect()
    }

    /// Moves those of `ids`, five hundred at most, that still may be moved, and writes down who was. `fits` says what becomes
    /// of each; `None`: it stays where it is. `None` altogether: the move is not what was seen, or does not run.
    pub async fn move_batch(
        &self,
        seen: &Move,
        ids: &[ConnectionId],
        mut fits: impl FnMut(&Candidate) -> Option<Fit> + Send,
        mut event_id: impl FnMut(Timestamp) -> EventId + Send,
    ) -> Result<Option<Batch>> {
        let ids = &ids[..ids.len().min(CHUNK as usize)];
        if ids.is_empty() {
            return Ok(Some(Batch::default()));
        }
        transact!(self, tx, {
            let Some(row) = self.move_locked(tx, seen).await? else { return Ok(None) };
            if row.state != MoveState::Running.as_str() {
                return Ok(None);
            }
            let found = self.candidates(tx, seen, ids).await?;
            let Some(now) = found.first().map(|candidate| candidate.now) else { return Ok(Some(Batch::default())) };
            let decided = found.into_iter().map(|candidate| (fits(&candidate), candidate));
            let (fit, unfit): (Vec<_>, Vec<_>) = decided.partition(|(fit, _)| fit.is_some());
            self.change_version(tx, seen.to_version, now, &fit).await?;
            self.fill_in(tx, &fit).await?;
            self.renew(tx, &fit).await?;
            forget(tx, seen, fit.iter().chain(&unfit)).await?;
            let noted = fit.iter().map(|(_, candidate)| note(seen, candidate, "moved"));
            let noted = noted.chain(unfit.iter().map(|(_, candidate)| note(seen, candidate, "skipped")));
            notes::Entity::insert_many(noted).exec_without_returning(tx).await?;
            let lines = fit.iter().map(|(_, candidate)| line(seen, candidate, event_id(now)).row(candidate.id));
            let mut lines: Vec<_> = lines.collect();
            events::append_all(tx, &mut lines).await?;
            touch(tx, seen, now).await?;
            Ok(Some(Batch { moved: fit.len() as u64, skipped: unfit.len() as u64 }))
        })
    }

    /// The app's connections that still are to be moved, under the columns that `select` names.
    pub(super) fn left(&self, of: &Move, select: &str) -> Sql {
        Sql::new(self.dialect, select)
            .with(" FROM connections WHERE connections.app_id = ", of.app.as_uuid())
            .with(" AND connections.connector_version <> ", of.to_version)
            .text(" AND ")
            .text(MOVABLE)
            .text(" AND NOT EXISTS (SELECT 1 FROM moved_connections WHERE moved_connections.connection_id = connections.id")
            .with(" AND moved_connections.state = 'skipped' AND moved_connections.move_id = ", of.id.as_uuid())
            .text(")")
    }

    pub(super) fn unattended(&self) -> String {
        FREE.replace("now_millis", self.dialect.now())
    }

    async fn candidates(&self, tx: &DatabaseTransaction, of: &Move, ids: &[ConnectionId]) -> Result<Vec<Candidate>> {
        let columns = format!(
            "SELECT id, connector_version, variables, expires_at, {} AS db_now, CASE WHEN {SOUND} THEN 1 ELSE 0 END AS \
             sound, CASE WHEN connections.state = 'active' AND (connections.failures > 0 OR connections.suspicions > 0) \
             THEN 1 ELSE 0 END AS failing",
            self.dialect.now()
        );
        let select = self.left(of, &columns).text(" AND ").text(&self.unattended()).text(" AND connections.id IN (");
        let select = select.list(ids.iter().map(ConnectionId::as_uuid)).text(") ORDER BY connections.id");
        let rows = tx.query_all_raw(select.text(self.dialect.for_update()).build()).await?;
        rows.iter().map(read).collect()
    }

    async fn change_version(
        &self,
        tx: &DatabaseTransaction,
        version: i32,
        now: Timestamp,
        fit: &[(Option<Fit>, Candidate)],
    ) -> Result<()> {
        if fit.is_empty() {
            return Ok(());
        }
        let update = Sql::new(self.dialect, "UPDATE connections SET connector_version = ")
            .bind(version)
            .with(", updated_at = ", time::to_millis(now))
            .text(" WHERE id IN (")
            .list(fit.iter().map(|(_, candidate)| candidate.id.as_uuid()))
            .text(")");
        tx.execute_raw(update.build()).await?;
        Ok(())
    }

    /// Whatever a new version asks for in addition.
    async fn fill_in(&self, tx: &DatabaseTransaction, fit: &[(Option<Fit>, Candidate)]) -> Result<()> {
        for (fit, candidate) in fit {
            let Some(variables) = fit.as_ref().and_then(|fit| fit.variables.as_ref()) else { continue };
            let update = Sql::new(self.dialect, "UPDATE connections SET variables = ")
                .bind(write_variables(variables)?)
                .with(" WHERE id = ", candidate.id.as_uuid());
            tx.execute_raw(update.build()).await?;
        }
        Ok(())
    }

    /// Those that shall be renewed at a time of the mover's choice, and those that fail: a changed manifest deserves a fresh
    /// chance.
    async fn renew(&self, tx: &DatabaseTransaction, fit: &[(Option<Fit>, Candidate)]) -> Result<()> {
        let timed = fit.iter().filter_map(|(fit, candidate)| {
            let at = fit.as_ref()?.renew_at.filter(|_| candidate.sound || candidate.failing);
            let at = at.or(candidate.failing.then_some(candidate.now))?;
            Some((candidate.id, at))
        });
        self.due_afresh(tx, &timed.collect::<Vec<_>>()).await
    }

    /// Makes connections that are in use due at those times, their failures forgotten.
    pub(super) async fn due_afresh(&self, tx: &DatabaseTransaction, timed: &[(ConnectionId, Timestamp)]) -> Result<()> {
        if timed.is_empty() {
            return Ok(());
        }
        let mut update = Sql::new(
            self.dialect,
            "UPDATE connections SET failures = 0, suspicions = 0, suspected_at = NULL, last_error = NULL, \
             next_refresh_at = CASE id",
        );
        for (id, at) in timed {
            update = update.with(" WHEN ", id.as_uuid()).with(" THEN ", time::to_millis(*at));
        }
        let update = update.text(" END WHERE state = 'active' AND id IN (");
        tx.execute_raw(update.list(timed.iter().map(|(id, _)| id.as_uuid())).text(")").build()).await?;
        Ok(())
    }
}

/// One that consented anew in between may be moved once more.
async fn forget(
    tx: &DatabaseTransaction,
    of: &Move,
    all: impl Iterator<Item = &(Option<Fit>, Candidate)>,
) -> Result<()> {
    notes::Entity::delete_many()
        .filter(notes::Column::MoveId.eq(of.id.as_uuid()))
        .filter(notes::Column::ConnectionId.is_in(all.map(|(_, candidate)| candidate.id.as_uuid())))
        .exec(tx)
        .await?;
    Ok(())
}

fn note(of: &Move, candidate: &Candidate, state: &str) -> notes::ActiveModel {
    notes::ActiveModel {
        move_id: Set(of.id.as_uuid()),
        connection_id: Set(candidate.id.as_uuid()),
        from_version: Set(candidate.version),
        state: Set(state.to_owned()),
        judged: Set(i32::from(candidate.sound)),
        moved_at: Set(time::to_millis(candidate.now)),
    }
}

fn line(of: &Move, candidate: &Candidate, id: EventId) -> NewEvent {
    let why = if of.stage == MoveStage::Canary { "canary" } else { "batch" };
    let detail = json!({"move": of.id, "from": candidate.version, "to": of.to_version, "why": why});
    NewEvent { id, kind: EventKind::Moved, at: candidate.now, detail }
}

/// The move has gone on: whoever saw it before looks again.
pub(super) async fn touch(tx: &DatabaseTransaction, seen: &Move, now: Timestamp) -> Result<()> {
    Entity::update_many()
        .set(ActiveModel {
            revision: Set(seen.revision + 1),
            moved_at: Set(time::to_millis(now)),
            ..Default::default()
        })
        .filter(Column::Id.eq(seen.id.as_uuid()))
        .exec(tx)
        .await?;
    Ok(())
}

fn read(row: &QueryResult) -> Result<Candidate> {
    let id: Uuid = row.try_get("", "id")?;
    let reading = Reading { table: "connections", row: id };
    let clock = || impossible("clock", "now", Uuid::nil());
    let variables: Option<String> = row.try_get("", "variables")?;
    Ok(Candidate {
        id: ConnectionId::from_uuid(id),
        variables: reading.variables("variables", variables.as_deref())?,
        expires_at: reading.some_time("expires_at", row.try_get("", "expires_at")?)?,
        now: time::from_millis(row.try_get("", "db_now")?).ok_or_else(clock)?,
        version: row.try_get("", "connector_version")?,
        sound: row.try_get::<i32>("", "sound")? == 1,
        failing: row.try_get::<i32>("", "failing")? == 1,
    })
}
