//! Moves of an app's connections between versions of its connector.
//!
//! Invariant: a connection and what is noted of its move change in one transaction, which first locks the move and looks
//! whether it still is as its reader saw it (its revision): so two workers at one move, or one that died in the middle of
//! it, never move anything twice, and nothing is moved once somebody has said stop. Whoever is at a connection is let
//! finish. Deliberately absent: when to move what (the domain says), and whether values fit (the caller does).

mod batch;
mod evidence;
mod finish;
mod take_back;

use crate::entity::moves::{ActiveModel, Column, Entity, Model};
use crate::entity::{apps, connector_versions as versions};
use crate::row::{Reading, write_json};
use crate::sql::Sql;
use crate::transaction::transact;
use crate::{Page, Result, Store, StoreError, time};
use mortise_domain::{
    ApiKeyId, AppKey, ConnectorKey, EnvironmentKey, MoveEvidence, MoveId, MoveReason, MoveStage, MoveState, MoveTerms,
    Timestamp,
};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DatabaseTransaction, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, QueryTrait as _,
};
use std::collections::BTreeSet;
use uuid::Uuid;

pub use batch::{Batch, Candidate, Fit};

/// A move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// Its id.
    pub id: MoveId,
    /// Where it belongs.
    pub environment: EnvironmentKey,
    /// Whose connections are moved.
    pub app: AppKey,
    /// Between versions of this connector.
    pub connector: ConnectorKey,
    /// What the app was pinned to when it began.
    pub from_version: i32,
    /// Where they are moved to.
    pub to_version: i32,
    /// Where it is.
    pub state: MoveState,
    /// How far it has come.
    pub stage: MoveStage,
    /// Why it is paused, or was taken back.
    pub reason: Option<MoveReason>,
    /// How it goes about it.
    pub terms: MoveTerms,
    /// How many go first.
    pub canary: u64,
    /// What was known when it ended.
    pub outcome: Option<MoveEvidence>,
    /// Counts its changes, for a compare-and-set.
    pub revision: i32,
    /// By whom it was begun.
    pub begun_by: ApiKeyId,
    /// When.
    pub begun_at: Timestamp,
    /// When its stage began.
    pub stage_since: Timestamp,
    /// When something was moved last.
    pub moved_at: Timestamp,
    /// When it ended; `None`: it stands.
    pub finished_at: Option<Timestamp>,
}

/// A move to be. By the database's clock it begins when it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMove {
    /// Its id.
    pub id: MoveId,
    /// Where it belongs.
    pub environment: EnvironmentKey,
    /// Whose connections are moved.
    pub app: AppKey,
    /// Where they are moved to.
    pub to_version: i32,
    /// How it goes about it.
    pub terms: MoveTerms,
    /// By whom.
    pub by: ApiKeyId,
}

impl TryFrom<Model> for Move {
    type Error = StoreError;

    fn try_from(model: Model) -> Result<Self> {
        let reading = Reading { table: "moves", row: model.id };
        Ok(Self {
            id: MoveId::from_uuid(model.id),
            environment: EnvironmentKey::from_uuid(model.environment_id),
            app: AppKey::from_uuid(model.app_id),
            connector: ConnectorKey::from_uuid(model.connector_id),
            from_version: model.from_version,
            to_version: model.to_version,
            state: reading.word("state", &model.state)?,
            stage: reading.word("stage", &model.stage)?,
            reason: model.reason.map(|reason| reading.word("reason", &reason)).transpose()?,
            terms: reading.json("terms", &model.terms)?,
            canary: u64::try_from(model.canary).unwrap_or_default(),
            outcome: model.outcome.map(|outcome| reading.json("outcome", &outcome)).transpose()?,
            revision: model.revision,
            begun_by: ApiKeyId::from_uuid(model.begun_by),
            begun_at: reading.time("begun_at", model.begun_at)?,
            stage_since: reading.time("stage_since", model.stage_since)?,
            moved_at: reading.time("moved_at", model.moved_at)?,
            finished_at: reading.some_time("finished_at", (model.finished_at > 0).then_some(model.finished_at))?,
        })
    }
}

impl Store {
    /// Begins a move: counts how many connections go first, and writes it down. The connections follow by
    /// [`Store::move_batch`].
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when one of this app stands, [`StoreError::Missing`] when the app or the version is not
    /// there, [`StoreError::InUse`] when the version is retired.
    pub async fn move_begin(&self, new: &NewMove) -> Result<Move> {
        let now = time::to_millis(self.database_now().await?);
        transact!(self, tx, {
            let app = apps::Entity::find_by_id(new.app.as_uuid())
                .filter(apps::Column::EnvironmentId.eq(new.environment.as_uuid()))
                .filter(apps::Column::DeletedAt.eq(0))
                .lock_exclusive();
            let app = app.one(tx).await?.ok_or(StoreError::Missing("app"))?;
            self.version_usable(tx, app.connector_id, new.to_version).await?;
            let renewable = self.renewable(tx, app.id, new.to_version).await?;
            let row = Model {
                id: new.id.as_uuid(),
                environment_id: new.environment.as_uuid(),
                app_id: app.id,
                connector_id: app.connector_id,
                from_version: app.connector_version,
                to_version: new.to_version,
                state: MoveState::Running.as_str().to_owned(),
                stage: MoveStage::Canary.as_str().to_owned(),
                reason: None,
                terms: write_json(&new.terms)?,
                canary: i64::try_from(new.terms.canary_of(renewable)).unwrap_or(i64::MAX),
                outcome: None,
                revision: 1,
                begun_by: new.by.as_uuid(),
                begun_at: now,
                stage_since: now,
                moved_at: now,
                finished_at: 0,
            };
            let inserted = Entity::insert(ActiveModel::from(row.clone())).exec_without_returning(tx).await;
            inserted.map_err(StoreError::on_insert("move"))?;
            row.try_into()
        })
    }

    /// One move, those that ended too.
    pub async fn move_get(&self, environment: EnvironmentKey, id: MoveId) -> Result<Option<Move>> {
        let query = Entity::find_by_id(id.as_uuid()).filter(Column::EnvironmentId.eq(environment.as_uuid()));
        query.one(&self.db).await?.map(TryInto::try_into).transpose()
    }

    /// A page of an environment's moves, or of one of its apps, oldest first, those that ended too.
    pub async fn move_list(
        &self,
        environment: EnvironmentKey,
        app: Option<AppKey>,
        page: Page,
    ) -> Result<(Vec<Move>, Option<Uuid>)> {
        let rows = Entity::find()
            .filter(Column::EnvironmentId.eq(environment.as_uuid()))
            .apply_if(app, |query, app| query.filter(Column::AppId.eq(app.as_uuid())))
            .apply_if(page.after, |query, after| query.filter(Column::Id.gt(after)))
            .order_by_asc(Column::Id)
            .limit(page.fetch())
            .all(&self.db)
            .await?;
        let (rows, next) = page.cut(rows, |row| row.id);
        Ok((rows.into_iter().map(TryInto::try_into).collect::<Result<_>>()?, next))
    }

    /// The moves of all environments that stand.
    pub async fn moves_at_work(&self) -> Result<Vec<Move>> {
        let rows = Entity::find().filter(Column::FinishedAt.eq(0)).order_by_asc(Column::Id).all(&self.db).await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// The move of an app that stands.
    pub async fn move_of_app(&self, app: AppKey) -> Result<Option<Move>> {
        let query = Entity::find().filter(Column::AppId.eq(app.as_uuid())).filter(Column::FinishedAt.eq(0));
        query.one(&self.db).await?.map(TryInto::try_into).transpose()
    }

    /// The versions that an app's connections speak.
    pub async fn versions_spoken(&self, app: AppKey) -> Result<BTreeSet<i32>> {
        let select = "SELECT DISTINCT connector_version AS version FROM connections WHERE app_id = ";
        let select = Sql::new(self.dialect, select).bind(app.as_uuid()).text(" AND ").text(batch::MOVABLE);
        let rows = self.db.query_all_raw(select.build()).await?;
        rows.iter().map(|row| Ok(row.try_get("", "version")?)).collect()
    }

    /// Writes down another state or stage of a move that stands and is as it was read; `false`: it is not any more.
    pub async fn move_change(
        &self,
        seen: &Move,
        state: MoveState,
        stage: MoveStage,
        reason: Option<MoveReason>,
    ) -> Result<bool> {
        let now = time::to_millis(self.database_now().await?);
        let since = if stage == seen.stage { time::to_millis(seen.stage_since) } else { now };
        let changed = ActiveModel {
            state: Set(state.as_str().to_owned()),
            stage: Set(stage.as_str().to_owned()),
            reason: Set(reason.map(|reason| reason.as_str().to_owned())),
            stage_since: Set(since),
            revision: Set(seen.revision + 1),
            ..Default::default()
        };
        let update = Entity::update_many()
            .set(changed)
            .filter(Column::Id.eq(seen.id.as_uuid()))
            .filter(Column::Revision.eq(seen.revision))
            .filter(Column::FinishedAt.eq(0))
            .build(self.dialect.backend());
        Ok(self.write(update).await?.rows_affected() == 1)
    }

    /// Locks a move that stands and is as it was read; `None`: it is not any more.
    async fn move_locked(&self, tx: &DatabaseTransaction, seen: &Move) -> Result<Option<Model>> {
        let row = Entity::find_by_id(seen.id.as_uuid()).lock_exclusive().one(tx).await?;
        Ok(row.filter(|row| row.revision == seen.revision && row.finished_at == 0))
    }

    /// Whether apps may be pinned to that version, which stays so until the transaction ends.
    pub(crate) async fn version_usable(&self, tx: &DatabaseTransaction, connector: Uuid, version: i32) -> Result<()> {
        let found = versions::Entity::find_by_id((connector, version)).lock_shared().one(tx).await?;
        match found.ok_or(StoreError::Missing("version of the connector"))?.retired_at {
            Some(_) => Err(StoreError::InUse("retired version")),
            None => Ok(()),
        }
    }
}
