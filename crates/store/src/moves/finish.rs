//! The end of a move: its app follows, or everything is back.

use super::Move;
use crate::entity::moves::{ActiveModel, Column, Entity};
use crate::entity::{apps, moved_connections as notes};
use crate::row::write_json;
use crate::sql::Sql;
use crate::transaction::transact;
use crate::{Result, Store, time};
use mortise_domain::{MoveEvidence, MoveState, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DatabaseTransaction, EntityTrait as _, ExprTrait as _, QueryFilter as _,
    QuerySelect as _,
};

impl Store {
    /// Pins the app to the new version and ends the move, if nothing is left to move; `false`: something is, or the move is
    /// not what was seen.
    pub async fn move_complete(&self, seen: &Move, known: &MoveEvidence) -> Result<bool> {
        let now = self.database_now().await?;
        transact!(self, tx, {
            let Some(row) = self.move_locked(tx, seen).await? else { return Ok(false) };
            let left = self.left(seen, "SELECT connections.id AS id").text(" LIMIT 1");
            if row.state != MoveState::Running.as_str() || tx.query_one_raw(left.build()).await?.is_some() {
                return Ok(false);
            }
            apps::Entity::update_many()
                .col_expr(apps::Column::ConnectorVersion, Expr::value(seen.to_version))
                .col_expr(apps::Column::Revision, Expr::col(apps::Column::Revision).add(1))
                .col_expr(apps::Column::UpdatedAt, Expr::value(time::to_millis(now)))
                .filter(apps::Column::Id.eq(seen.app.as_uuid()))
                .filter(apps::Column::ConnectorId.eq(seen.connector.as_uuid()))
                .filter(apps::Column::ConnectorVersion.ne(seen.to_version))
                .exec(tx)
                .await?;
            end(tx, seen, MoveState::Completed, known, now).await?;
            Ok(true)
        })
    }

    /// Ends a move of which everything is taken back; `false`: something is not, or the move is not what was seen.
    pub async fn move_rolled_back(&self, seen: &Move, known: &MoveEvidence) -> Result<bool> {
        let now = self.database_now().await?;
        transact!(self, tx, {
            let Some(row) = self.move_locked(tx, seen).await? else { return Ok(false) };
            let moved = notes::Entity::find()
                .filter(notes::Column::MoveId.eq(seen.id.as_uuid()))
                .filter(notes::Column::State.eq("moved"))
                .limit(1);
            if row.state != MoveState::RollingBack.as_str() || moved.one(tx).await?.is_some() {
                return Ok(false);
            }
            end(tx, seen, MoveState::RolledBack, known, now).await?;
            Ok(true)
        })
    }

    /// Forgets what became of each connection in moves that ended before; answers how many were forgotten.
    pub async fn moves_sweep(&self, before: Timestamp) -> Result<u64> {
        let delete = Sql::new(self.dialect, "DELETE FROM moved_connections WHERE move_id IN (SELECT id FROM moves")
            .with(" WHERE finished_at > 0 AND finished_at < ", time::to_millis(before))
            .text(")");
        Ok(self.write(delete.build()).await?.rows_affected())
    }
}

async fn end(
    tx: &DatabaseTransaction,
    seen: &Move,
    state: MoveState,
    known: &MoveEvidence,
    now: Timestamp,
) -> Result<()> {
    let ended = ActiveModel {
        state: Set(state.as_str().to_owned()),
        outcome: Set(Some(write_json(known)?)),
        revision: Set(seen.revision + 1),
        finished_at: Set(time::to_millis(now)),
        ..Default::default()
    };
    Entity::update_many().set(ended).filter(Column::Id.eq(seen.id.as_uuid())).exec(tx).await?;
    Ok(())
}
