//! Gates in the database, where all processes see the same: budgets of providers and apps.
//!
//! Invariant: a gate is read under a lock, changed by the rules of [`mortise_domain::gate`] and written in one transaction,
//! and locks on gates are taken in the order of their ids. A row exists only where something is limited or was wrong of
//! late, so that a product without trouble pays one select of an empty table. A row that does not read is logged and
//! counts as a gate at rest: it must not stop all that are well. Deliberately absent: what gates allow (the domain's), and
//! what to do when one turns (the caller's).

mod model;
pub(crate) mod note;
mod standing;

use crate::dialect::Dialect;
use crate::entity::gates::{Column, Entity, Model};
use crate::row::impossible;
use crate::sql::Sql;
use crate::transaction::transact;
use crate::{Result, Store, StoreError, time};
use mortise_domain::Timestamp;
use mortise_domain::gate::{Gate, GateId, Limits};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DatabaseTransaction, EntityTrait as _, FromQueryResult as _, Iterable as _,
    QueryFilter as _, QueryTrait as _,
};
pub(crate) use standing::{Gates, ask_of};
use uuid::Uuid;

/// Gates as they are, and the database's clock; none when there are no gates.
type Seen = Option<(Vec<Gate>, Timestamp)>;

impl Store {
    /// Every gate that there is something to say about.
    pub async fn gates(&self) -> Result<Vec<Gate>> {
        Ok(self.gates_seen(&self.db, self.select_gates()).await?.map(|(gates, _)| gates).unwrap_or_default())
    }

    /// Sets what a gate allows; `false` when it is that already. Call it wherever a connector's manifest may have changed:
    /// asking is one select.
    pub async fn gate_limit(&self, id: GateId, limits: Limits) -> Result<bool> {
        let one = self.select_gates().with(" WHERE id = ", id.as_uuid());
        let now = self.gates_seen(&self.db, one).await?.and_then(|(gates, _)| gates.into_iter().next());
        if now.map_or(Limits::default(), |gate| gate.limits) == limits {
            return Ok(false);
        }
        let update = Entity::update_many().set(model::limits(limits)).filter(Column::Id.eq(id.as_uuid()));
        let update = update.build(self.dialect.backend());
        transact!(self, tx, {
            self.insert_gates(tx, &[id]).await?;
            tx.execute_raw(update.clone()).await?;
            Ok(true)
        })
    }

    /// Removes gates that are at rest, and those of connectors and apps that were deleted; answers how many.
    pub async fn gates_sweep(&self) -> Result<u64> {
        let Some((gates, now)) = self.gates_seen(&self.db, self.select_gates()).await? else { return Ok(0) };
        let mut removed = 0;
        for (kind, table) in [("provider", "connectors"), ("app", "apps")] {
            let gone = Sql::new(self.dialect, "DELETE FROM gates WHERE kind = ")
                .bind(kind)
                .text(&format!(" AND id NOT IN (SELECT id FROM {table} WHERE deleted_at = 0)"));
            removed += self.write(gone.build()).await?.rows_affected();
        }
        let resting: Vec<GateId> = gates.into_iter().filter(|gate| gate.is_at_rest(now)).map(|gate| gate.id).collect();
        if resting.is_empty() {
            return Ok(removed);
        }
        transact!(self, tx, {
            // Looked at again under the lock: trouble may have come since.
            let Some((gates, now)) = self.gates_locked(tx, &resting).await? else { return Ok(removed) };
            let ids: Vec<Uuid> =
                gates.into_iter().filter(|gate| gate.is_at_rest(now)).map(|gate| gate.id.as_uuid()).collect();
            let deleted = Entity::delete_many().filter(Column::Id.is_in(ids)).exec(tx).await?;
            Ok(removed + deleted.rows_affected)
        })
    }

    fn select_gates(&self) -> Sql {
        Sql::new(self.dialect, "SELECT gates.*, ").text(self.dialect.now()).text(" AS db_now FROM gates")
    }

    async fn gates_seen(&self, db: &impl ConnectionTrait, select: Sql) -> Result<Seen> {
        let rows = db.query_all_raw(select.build()).await?;
        let Some(first) = rows.first() else { return Ok(None) };
        let millis: i64 = first.try_get("", "db_now")?;
        let now = time::from_millis(millis).ok_or_else(|| impossible("clock", "now", Uuid::nil()))?;
        let mut gates = Vec::with_capacity(rows.len());
        for row in rows {
            match Model::from_query_result(&row, "").map_err(StoreError::from).and_then(Gate::try_from) {
                Ok(gate) => gates.push(gate),
                Err(error) => tracing::error!(error = ?error, "a gate does not read and is left out"),
            }
        }
        Ok(Some((gates, now)))
    }

    /// What stands before everything, read without a lock.
    pub(crate) async fn gates_standing(&self) -> Result<Seen> {
        self.gates_seen(&self.db, self.select_gates()).await
    }

    /// Locks those of `ids` that have a row, in their order.
    pub(crate) async fn gates_locked(&self, tx: &DatabaseTransaction, ids: &[GateId]) -> Result<Seen> {
        let mut ids: Vec<Uuid> = ids.iter().map(|id| id.as_uuid()).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(None);
        }
        let select = self.select_gates().text(" WHERE id IN (").list(ids).text(") ORDER BY id");
        self.gates_seen(tx, select.text(self.dialect.for_update())).await
    }

    /// Makes rows for those of `ids` that have none.
    pub(crate) async fn insert_gates(&self, tx: &DatabaseTransaction, ids: &[GateId]) -> Result<()> {
        let mut ids = ids.to_vec();
        ids.sort_unstable_by_key(|id| id.as_uuid());
        ids.dedup();
        let mut insert = Sql::new(self.dialect, "INSERT INTO gates (id, kind) VALUES ");
        for (index, id) in ids.iter().enumerate() {
            insert = insert.text(if index == 0 { "(" } else { ", (" }).bind(id.as_uuid());
            insert = insert.with(", ", id.kind().as_str()).text(")");
        }
        let insert = insert.text(match self.dialect {
            Dialect::Postgres | Dialect::Sqlite => " ON CONFLICT (id) DO NOTHING",
            Dialect::MySql => " ON DUPLICATE KEY UPDATE id = gates.id",
        });
        tx.execute_raw(insert.build()).await?;
        Ok(())
    }

    /// Writes gates whose rows are locked.
    pub(crate) async fn gates_save(&self, tx: &DatabaseTransaction, gates: &[&Gate]) -> Result<()> {
        if gates.is_empty() {
            return Ok(());
        }
        let rows = gates.iter().map(|gate| model::row(gate)).collect::<Result<Vec<_>>>()?;
        let columns = Column::iter().filter(|column| !matches!(column, Column::Id));
        let replace = OnConflict::column(Column::Id).update_columns(columns).to_owned();
        Entity::insert_many(rows).on_conflict(replace).exec_without_returning(tx).await?;
        Ok(())
    }
}
