//! Holding an app whose client its provider refuses, and trying it again: one probe an interval over all processes.

use crate::entity::apps::{ActiveModel, Column, Entity};
use crate::{Result, Store, row, time};
use mortise_domain::{AppKey, AppState, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _, QueryTrait as _, UpdateMany};
use uuid::Uuid;

impl Store {
    /// Holds an app; `false` when it is held already or not there. The reason is cut at 255 characters.
    pub async fn app_hold(&self, key: AppKey, reason: &str, now: Timestamp, next_probe_at: Timestamp) -> Result<bool> {
        let held = ActiveModel {
            state: Set(AppState::Held.as_str().to_owned()),
            held_since: Set(Some(time::to_millis(now))),
            held_reason: Set(Some(row::short(reason))),
            next_probe_at: Set(Some(time::to_millis(next_probe_at))),
            ..Default::default()
        };
        self.change_from(key, AppState::Active, held, |update| update).await
    }

    /// Releases a held app; `false` when it is not held.
    pub async fn app_release(&self, key: AppKey) -> Result<bool> {
        let released = ActiveModel {
            state: Set(AppState::Active.as_str().to_owned()),
            held_since: Set(None),
            held_reason: Set(None),
            next_probe_at: Set(None),
            ..Default::default()
        };
        self.change_from(key, AppState::Held, released, |update| update).await
    }

    /// Every held app of every environment, with the time of its next probe.
    pub async fn apps_held(&self) -> Result<Vec<(AppKey, Option<Timestamp>)>> {
        let rows: Vec<(Uuid, Option<i64>)> = Entity::find()
            .select_only()
            .columns([Column::Id, Column::NextProbeAt])
            .filter(Column::HeldSince.is_not_null())
            .filter(Column::State.eq(AppState::Held.as_str()))
            .into_tuple()
            .all(&self.db)
            .await?;
        let read = |(id, probe): (Uuid, Option<i64>)| {
            let reading = row::Reading { table: "apps", row: id };
            Ok((AppKey::from_uuid(id), reading.some_time("next_probe_at", probe)?))
        };
        rows.into_iter().map(read).collect()
    }

    /// Takes the probe that was due at `due` and plans the next one; `false` when another process has it, or the app is
    /// not held any more.
    pub async fn app_probe_claim(&self, key: AppKey, due: Option<Timestamp>, next: Timestamp) -> Result<bool> {
        let planned = ActiveModel { next_probe_at: Set(Some(time::to_millis(next))), ..Default::default() };
        let still_due = |update: UpdateMany<Entity>| match due {
            Some(due) => update.filter(Column::NextProbeAt.eq(time::to_millis(due))),
            None => update.filter(Column::NextProbeAt.is_null()),
        };
        self.change_from(key, AppState::Held, planned, still_due).await
    }

    async fn change_from(
        &self,
        key: AppKey,
        from: AppState,
        to: ActiveModel,
        more: impl FnOnce(UpdateMany<Entity>) -> UpdateMany<Entity>,
    ) -> Result<bool> {
        let update = Entity::update_many()
            .set(to)
            .filter(Column::Id.eq(key.as_uuid()))
            .filter(Column::State.eq(from.as_str()))
            .filter(Column::DeletedAt.eq(0));
        Ok(self.write(more(update).build(self.dialect.backend())).await?.rows_affected() == 1)
    }
}
