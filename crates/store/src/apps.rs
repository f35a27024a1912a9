//! Apps: OAuth clients registered at providers, with their sealed secrets.

mod hold;

use crate::entity::apps::{ActiveModel, Column, Entity, Model};
use crate::entity::{authorization_attempts as attempts, connections, connectors, moves, revocations};
use crate::row::{Reading, read_scopes, write_json, write_scopes};
use crate::serving::serve;
use crate::sql::Sql;
use crate::transaction::transact;
use crate::{Page, Result, Store, StoreError, time};
use mortise_domain::{AppId, AppKey, AppState, ConnectionState, ConnectorId, ConnectorKey, EnvironmentKey};
use mortise_domain::{ScopeSet, Sealed, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DatabaseTransaction, EntityTrait as _, QueryFilter as _, QueryOrder as _,
};
use sea_orm::{QuerySelect as _, QueryTrait as _};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// An app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// Its row.
    pub key: AppKey,
    /// Where it belongs.
    pub environment: EnvironmentKey,
    /// Its name, unique among the environment's living apps.
    pub id: AppId,
    /// The connector's row.
    pub connector: ConnectorKey,
    /// The connector's name. Read only: it is the connector's to change.
    pub connector_id: ConnectorId,
    /// The version of it that the app is pinned to.
    pub connector_version: i32,
    /// The client id at the provider.
    pub client_id: String,
    /// The client secret, sealed.
    pub secret: Option<Sealed>,
    /// The one before it, while both are good.
    pub previous_secret: Option<Sealed>,
    /// Until when the one before it is.
    pub previous_secret_expires_at: Option<Timestamp>,
    /// What is asked for.
    pub scopes: ScopeSet,
    /// What its admin set.
    pub settings: AppSettings,
    /// Whether its client may be used.
    pub state: AppState,
    /// Since when it is held.
    pub held_since: Option<Timestamp>,
    /// Why it is held; cut at 255 characters.
    pub held_reason: Option<String>,
    /// When a held app may be tried next.
    pub next_probe_at: Option<Timestamp>,
    /// Counts the changes by its admin, for a compare-and-set.
    pub revision: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its admin changed it last.
    pub updated_at: Timestamp,
    /// When it was deleted: only [`Store::app_by_key`] still finds it, without its secrets. Not written by an insert or
    /// an update.
    pub deleted_at: Option<Timestamp>,
}

/// What an app lets its admin set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AppSettings {
    /// Where a browser may be sent after consent, compared as text.
    pub return_urls: Vec<String>,
    /// Values of the manifest's variables that are the same for every customer.
    pub variables: BTreeMap<String, String>,
    /// Refreshes of all its connections together; `None`: as many as its provider allows. Not written where it is not
    /// set, so that an older process, which knows nothing of it, reads the rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<AppRate>,
    /// Refreshes under way at once; the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// How its client came to be, where nobody entered it; the same. Not its admin's to write.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration: Option<AppRegistration>,
}

/// How an app's client came to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppRegistration {
    /// By which way.
    pub method: RegistrationMethod,
    /// What the provider's consent page calls it, if not by the app's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// The issuer that knows it, where the connector named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// When its secret ends, in unix seconds, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret_expires_at: Option<i64>,
}

/// The ways in which a client comes to be without an admin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationMethod {
    /// RFC 7591.
    Dynamic,
    /// Its id is the URL of a document about it.
    ClientIdMetadataDocument,
}

/// So many requests in so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppRate {
    /// How many.
    pub requests: u32,
    /// In how long.
    pub seconds: u32,
}

impl App {
    fn read(app: Model, connector: &connectors::Model) -> Result<Self> {
        let reading = Reading { table: "apps", row: app.id };
        Ok(Self {
            key: AppKey::from_uuid(app.id),
            environment: EnvironmentKey::from_uuid(app.environment_id),
            id: reading.word("name", &app.name)?,
            connector: ConnectorKey::from_uuid(app.connector_id),
            connector_id: Reading { table: "connectors", row: connector.id }.word("name", &connector.name)?,
            connector_version: app.connector_version,
            client_id: app.client_id,
            secret: app.secret.map(Sealed::from_bytes),
            previous_secret: app.previous_secret.map(Sealed::from_bytes),
            previous_secret_expires_at: reading
                .some_time("previous_secret_expires_at", app.previous_secret_expires_at)?,
            scopes: read_scopes(&app.scopes),
            settings: reading.json("settings", &app.settings)?,
            state: reading.word("state", &app.state)?,
            held_since: reading.some_time("held_since", app.held_since)?,
            held_reason: app.held_reason,
            next_probe_at: reading.some_time("next_probe_at", app.next_probe_at)?,
            revision: app.revision,
            created_at: reading.time("created_at", app.created_at)?,
            updated_at: reading.time("updated_at", app.updated_at)?,
            deleted_at: reading.some_time("deleted_at", Some(app.deleted_at).filter(|at| *at != 0))?,
        })
    }

    /// The columns that an admin's change may touch.
    fn changed(&self) -> Result<ActiveModel> {
        Ok(ActiveModel {
            connector_id: Set(self.connector.as_uuid()),
            connector_version: Set(self.connector_version),
            client_id: Set(self.client_id.clone()),
            secret: Set(self.secret.as_ref().map(|secret| secret.as_bytes().to_vec())),
            previous_secret: Set(self.previous_secret.as_ref().map(|secret| secret.as_bytes().to_vec())),
            previous_secret_expires_at: Set(self.previous_secret_expires_at.map(time::to_millis)),
            scopes: Set(write_scopes(&self.scopes)),
            settings: Set(write_json(&self.settings)?),
            state: Set(self.state.as_str().to_owned()),
            held_since: Set(self.held_since.map(time::to_millis)),
            held_reason: Set(self.held_reason.as_deref().map(crate::row::short)),
            next_probe_at: Set(self.next_probe_at.map(time::to_millis)),
            updated_at: Set(time::to_millis(self.updated_at)),
            ..Default::default()
        })
    }
}

async fn with_connectors(db: &impl ConnectionTrait, apps: Vec<Model>) -> Result<Vec<App>> {
    let ids: Vec<Uuid> = apps.iter().map(|app| app.connector_id).collect();
    let found = connectors::Entity::find().filter(connectors::Column::Id.is_in(ids)).all(db).await?;
    let connector = |app: Model| {
        let connector = found.iter().find(|connector| connector.id == app.connector_id);
        App::read(app, connector.ok_or(StoreError::Missing("the connector of an app"))?)
    };
    apps.into_iter().map(connector).collect()
}

impl Store {
    /// Stores a new app.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the environment has one of that id, [`StoreError::Missing`] when the connector or
    /// its version is not there.
    pub async fn app_insert(&self, app: &App) -> Result<()> {
        let row = ActiveModel {
            id: Set(app.key.as_uuid()),
            environment_id: Set(app.environment.as_uuid()),
            name: Set(app.id.to_string()),
            revision: Set(app.revision),
            created_at: Set(time::to_millis(app.created_at)),
            deleted_at: Set(0),
            ..app.changed()?
        };
        transact!(self, tx, {
            self.connector_alive(tx, app.connector).await?;
            self.version_usable(tx, app.connector.as_uuid(), app.connector_version).await?;
            Entity::insert(row.clone()).exec_without_returning(tx).await.map_err(StoreError::on_insert("app"))?;
            Ok(())
        })
    }

    /// The living app of that id.
    pub async fn app_get(&self, environment: EnvironmentKey, id: &AppId) -> Result<Option<App>> {
        let query = Entity::find()
            .filter(Column::EnvironmentId.eq(environment.as_uuid()))
            .filter(Column::Name.eq(id.as_str()))
            .filter(Column::DeletedAt.eq(0));
        let found = serve!(self, db, query.clone().all(db))?;
        Ok(serve!(self, db, with_connectors(db, found.clone()))?.pop())
    }

    /// The app of that row, deleted ones too: old connections and their revocations still name it.
    pub async fn app_by_key(&self, key: AppKey) -> Result<Option<App>> {
        let found = Entity::find_by_id(key.as_uuid()).all(&self.db).await?;
        Ok(with_connectors(&self.db, found).await?.pop())
    }

    /// A page of an environment's apps.
    pub async fn app_list(&self, environment: EnvironmentKey, page: Page) -> Result<(Vec<App>, Option<Uuid>)> {
        let rows = Entity::find()
            .filter(Column::EnvironmentId.eq(environment.as_uuid()))
            .filter(Column::DeletedAt.eq(0))
            .apply_if(page.after, |query, after| query.filter(Column::Id.gt(after)))
            .order_by_asc(Column::Id)
            .limit(page.fetch())
            .all(&self.db)
            .await?;
        let (rows, next) = page.cut(rows, |row| row.id);
        Ok((with_connectors(&self.db, rows).await?, next))
    }

    /// Replaces everything but id, environment and creation of an app whose revision still is `expected_revision`, and
    /// counts the revision up. Answers with what is stored now.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when it was changed or deleted, [`StoreError::Missing`] when the connector or its version is
    /// not there, [`StoreError::InUse`] when that version is retired, or when it is another one while the app's connections
    /// are being moved.
    pub async fn app_update(&self, expected_revision: i32, app: &App) -> Result<App> {
        let row = ActiveModel { revision: Set(expected_revision + 1), ..app.changed()? };
        transact!(self, tx, {
            self.connector_alive(tx, app.connector).await?;
            self.pin_is_free(tx, app).await?;
            let update = Entity::update_many()
                .set(row.clone())
                .filter(Column::Id.eq(app.key.as_uuid()))
                .filter(Column::EnvironmentId.eq(app.environment.as_uuid()))
                .filter(Column::Revision.eq(expected_revision))
                .filter(Column::DeletedAt.eq(0))
                .exec(tx)
                .await
                .map_err(StoreError::on_insert("app"))?;
            if update.rows_affected == 0 {
                return Err(StoreError::Stale("app"));
            }
            let stored = Entity::find_by_id(app.key.as_uuid()).all(tx).await?;
            with_connectors(tx, stored).await?.pop().ok_or(StoreError::Stale("app"))
        })
    }

    /// Deletes an app with its secrets and its unfinished flows; `false` when there is none.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while it has connections that are not revoked, or revocations that need its secret.
    pub async fn app_delete(&self, environment: EnvironmentKey, id: &AppId) -> Result<bool> {
        transact!(self, tx, {
            let query = Entity::find()
                .filter(Column::EnvironmentId.eq(environment.as_uuid()))
                .filter(Column::Name.eq(id.as_str()))
                .filter(Column::DeletedAt.eq(0))
                .lock_exclusive();
            let Some(app) = query.one(tx).await? else { return Ok(false) };
            let live = connections::Entity::find()
                .filter(connections::Column::AppId.eq(app.id))
                .filter(connections::Column::State.ne(ConnectionState::Revoked.as_str()));
            let queued = revocations::Entity::find().filter(revocations::Column::AppId.eq(app.id));
            if live.one(tx).await?.is_some() || queued.one(tx).await?.is_some() {
                return Err(StoreError::InUse("app"));
            }
            let flows = attempts::Entity::delete_many().filter(attempts::Column::AppId.eq(app.id));
            flows.exec(tx).await?;
            let bury = Sql::new(self.dialect, "UPDATE apps SET secret = NULL, previous_secret = NULL, deleted_at = ")
                .text(self.dialect.now())
                .with(", held_since = NULL, next_probe_at = NULL WHERE id = ", app.id);
            Ok(tx.execute_raw(bury.build()).await?.rows_affected() == 1)
        })
    }

    /// A move and a change of its app must not both say where the app is pinned to.
    async fn pin_is_free(&self, tx: &DatabaseTransaction, app: &App) -> Result<()> {
        let before = Entity::find_by_id(app.key.as_uuid()).lock_exclusive().one(tx).await?;
        let before = before.ok_or(StoreError::Stale("app"))?;
        if (before.connector_id, before.connector_version) == (app.connector.as_uuid(), app.connector_version) {
            return Ok(());
        }
        self.version_usable(tx, app.connector.as_uuid(), app.connector_version).await?;
        let standing =
            moves::Entity::find().filter(moves::Column::AppId.eq(before.id)).filter(moves::Column::FinishedAt.eq(0));
        if standing.one(tx).await?.is_some() { Err(StoreError::InUse("move")) } else { Ok(()) }
    }

    /// Whether an app has connections that are not revoked, or revocations that need its client.
    pub async fn app_in_use(&self, app: AppKey) -> Result<bool> {
        let live = connections::Entity::find()
            .filter(connections::Column::AppId.eq(app.as_uuid()))
            .filter(connections::Column::State.ne(ConnectionState::Revoked.as_str()));
        let queued = revocations::Entity::find().filter(revocations::Column::AppId.eq(app.as_uuid()));
        Ok(live.one(&self.db).await?.is_some() || queued.one(&self.db).await?.is_some())
    }

    async fn connector_alive(&self, tx: &impl ConnectionTrait, key: ConnectorKey) -> Result<()> {
        let select =
            Sql::new(self.dialect, "SELECT id FROM connectors WHERE deleted_at = 0 AND id = ").bind(key.as_uuid());
        let found = tx.query_one_raw(select.text(self.dialect.for_share()).build()).await?;
        found.map(drop).ok_or(StoreError::Missing("connector"))
    }
}
