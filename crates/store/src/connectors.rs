//! Connectors: a name, and versions that never change.

use crate::entity::{apps, connector_versions as versions, connectors};
use crate::row::Reading;
use crate::sql::Sql;
use crate::transaction::transact;
use crate::{Page, Result, Store, StoreError, time};
use mortise_domain::{ConnectorId, ConnectorKey, EnvironmentKey, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use sea_orm::{PaginatorTrait as _, QuerySelect as _, QueryTrait as _};
use uuid::Uuid;

/// One version of a connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connector {
    /// The connector's row.
    pub key: ConnectorKey,
    /// Where it belongs.
    pub environment: EnvironmentKey,
    /// Its name, unique among the environment's living connectors.
    pub id: ConnectorId,
    /// The version, from 1.
    pub version: i32,
    /// SHA-256 of the manifest's canonical form.
    pub digest: [u8; 32],
    /// The manifest as canonical JSON.
    pub manifest: String,
    /// The manifest as it was given.
    pub source: String,
    /// When this version was made.
    pub created_at: Timestamp,
    /// Since when nobody may connect with it any more.
    pub retired_at: Option<Timestamp>,
}

impl Connector {
    fn read(connector: &connectors::Model, version: versions::Model) -> Result<Self> {
        let reading = Reading { table: "connector_versions", row: version.connector_id };
        Ok(Self {
            key: ConnectorKey::from_uuid(connector.id),
            environment: EnvironmentKey::from_uuid(connector.environment_id),
            id: Reading { table: "connectors", row: connector.id }.word("name", &connector.name)?,
            version: version.version,
            digest: reading.digest("digest", version.digest)?,
            manifest: version.manifest,
            source: version.source,
            created_at: reading.time("created_at", version.created_at)?,
            retired_at: reading.some_time("retired_at", version.retired_at)?,
        })
    }

    fn version_row(&self) -> versions::ActiveModel {
        versions::ActiveModel {
            connector_id: Set(self.key.as_uuid()),
            version: Set(self.version),
            digest: Set(self.digest.to_vec()),
            manifest: Set(self.manifest.clone()),
            source: Set(self.source.clone()),
            created_at: Set(time::to_millis(self.created_at)),
            retired_at: Set(None),
        }
    }
}

pub(crate) async fn alive(
    db: &impl ConnectionTrait,
    env: EnvironmentKey,
    id: &ConnectorId,
) -> Result<Option<connectors::Model>> {
    let query = connectors::Entity::find()
        .filter(connectors::Column::EnvironmentId.eq(env.as_uuid()))
        .filter(connectors::Column::Name.eq(id.as_str()))
        .filter(connectors::Column::DeletedAt.eq(0));
    Ok(query.one(db).await?)
}

async fn version_of(
    db: &impl ConnectionTrait,
    connector: &connectors::Model,
    version: i32,
) -> Result<Option<Connector>> {
    let found = versions::Entity::find_by_id((connector.id, version)).one(db).await?;
    found.map(|version| Connector::read(connector, version)).transpose()
}

impl Store {
    /// Stores a connector with its first version, whatever version it says.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the environment has one of that id.
    pub async fn connector_insert(&self, connector: &Connector) -> Result<()> {
        let first = Connector { version: 1, ..connector.clone() };
        let row = connectors::ActiveModel {
            id: Set(first.key.as_uuid()),
            environment_id: Set(first.environment.as_uuid()),
            name: Set(first.id.to_string()),
            newest_version: Set(1),
            created_at: Set(time::to_millis(first.created_at)),
            deleted_at: Set(0),
        };
        transact!(self, tx, {
            let inserted = connectors::Entity::insert(row.clone()).exec_without_returning(tx).await;
            inserted.map_err(StoreError::on_insert("connector"))?;
            versions::Entity::insert(first.version_row()).exec_without_returning(tx).await?;
            Ok(())
        })
    }

    /// Adds a version and answers with it. A digest equal to the newest version's adds nothing and answers with that one,
    /// unless it is retired: that never comes back.
    /// Two at the same instant get two numbers. `None` when there is no such connector.
    pub async fn connector_add_version(
        &self,
        environment: EnvironmentKey,
        id: &ConnectorId,
        digest: [u8; 32],
        manifest: &str,
        source: &str,
        now: Timestamp,
    ) -> Result<Option<Connector>> {
        transact!(self, tx, {
            let Some(found) = alive(tx, environment, id).await? else { return Ok(None) };
            // Locked by its key, so that the second of two sees what the first one made.
            let locked = connectors::Entity::find_by_id(found.id).lock_exclusive();
            let Some(row) = locked.one(tx).await?.filter(|row| row.deleted_at == 0) else { return Ok(None) };
            let newest = version_of(tx, &row, row.newest_version).await?;
            if let Some(newest) = newest.filter(|newest| newest.digest == digest && newest.retired_at.is_none()) {
                return Ok(Some(newest));
            }
            let added = Connector {
                key: ConnectorKey::from_uuid(row.id),
                environment,
                id: id.clone(),
                version: row.newest_version + 1,
                digest,
                manifest: manifest.to_owned(),
                source: source.to_owned(),
                created_at: now,
                retired_at: None,
            };
            versions::Entity::insert(added.version_row()).exec_without_returning(tx).await?;
            connectors::Entity::update_many()
                .set(connectors::ActiveModel { newest_version: Set(added.version), ..Default::default() })
                .filter(connectors::Column::Id.eq(row.id))
                .exec(tx)
                .await?;
            Ok(Some(added))
        })
    }

    /// One version, or the newest.
    pub async fn connector_get(
        &self,
        environment: EnvironmentKey,
        id: &ConnectorId,
        version: Option<i32>,
    ) -> Result<Option<Connector>> {
        match alive(&self.db, environment, id).await? {
            Some(row) => version_of(&self.db, &row, version.unwrap_or(row.newest_version)).await,
            None => Ok(None),
        }
    }

    /// One version by the connector's row, for those who hold on to it: deleted connectors are found too.
    pub async fn connector_by_key(&self, key: ConnectorKey, version: i32) -> Result<Option<Connector>> {
        match connectors::Entity::find_by_id(key.as_uuid()).one(&self.db).await? {
            Some(row) => version_of(&self.db, &row, version).await,
            None => Ok(None),
        }
    }

    /// A page of an environment's connectors, each in its newest version.
    pub async fn connector_list(
        &self,
        environment: EnvironmentKey,
        page: Page,
    ) -> Result<(Vec<Connector>, Option<Uuid>)> {
        let rows = connectors::Entity::find()
            .filter(connectors::Column::EnvironmentId.eq(environment.as_uuid()))
            .filter(connectors::Column::DeletedAt.eq(0))
            .apply_if(page.after, |query, after| query.filter(connectors::Column::Id.gt(after)))
            .order_by_asc(connectors::Column::Id)
            .limit(page.fetch())
            .all(&self.db)
            .await?;
        let (rows, next) = page.cut(rows, |row| row.id);
        let mut items = Vec::with_capacity(rows.len());
        for row in rows {
            items.extend(version_of(&self.db, &row, row.newest_version).await?);
        }
        Ok((items, next))
    }

    /// Deletes a connector; `false` when there is none. Its versions stay for the connections that used them.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while apps use it.
    pub async fn connector_delete(&self, environment: EnvironmentKey, id: &ConnectorId) -> Result<bool> {
        transact!(self, tx, {
            let Some(row) = alive(tx, environment, id).await? else { return Ok(false) };
            connectors::Entity::find_by_id(row.id).lock_exclusive().one(tx).await?;
            let used = apps::Entity::find()
                .filter(apps::Column::ConnectorId.eq(row.id))
                .filter(apps::Column::DeletedAt.eq(0))
                .count(tx)
                .await?;
            if used > 0 {
                return Err(StoreError::InUse("connector"));
            }
            let bury = Sql::new(self.dialect, "UPDATE connectors SET deleted_at = ")
                .text(self.dialect.now())
                .with(" WHERE deleted_at = 0 AND id = ", row.id);
            Ok(tx.execute_raw(bury.build()).await?.rows_affected() == 1)
        })
    }
}
