//! Versions of connectors: what uses each of them, and the end of one.
//!
//! Invariant: a retired version never comes back, and nothing begins with it: apps are pinned and moves begun under a lock
//! of the version that its retirement waits for. Deliberately absent: manifests, which would make a list of versions large.

use crate::connectors::alive;
use crate::entity::{apps, connector_versions as versions, moves};
use crate::row::Reading;
use crate::sql::Sql;
use crate::transaction::transact;
use crate::{Result, Store, StoreError, time};
use mortise_domain::{ConnectorId, EnvironmentKey, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A version and who uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionUse {
    /// From 1.
    pub version: i32,
    /// SHA-256 of the manifest's canonical form.
    pub digest: [u8; 32],
    /// When it was registered.
    pub created_at: Timestamp,
    /// Since when nobody may connect with it any more.
    pub retired_at: Option<Timestamp>,
    /// Apps that are pinned to it.
    pub apps: u64,
    /// Connections that speak it and have not ended.
    pub connections: u64,
}

type Columns = (i32, Vec<u8>, i64, Option<i64>);

impl Store {
    /// Every version of a connector, newest first; `None`: there is no such connector.
    pub async fn version_uses(&self, environment: EnvironmentKey, id: &ConnectorId) -> Result<Option<Vec<VersionUse>>> {
        let Some(connector) = alive(&self.db, environment, id).await? else { return Ok(None) };
        let rows: Vec<Columns> = versions::Entity::find()
            .select_only()
            .columns([
                versions::Column::Version,
                versions::Column::Digest,
                versions::Column::CreatedAt,
                versions::Column::RetiredAt,
            ])
            .filter(versions::Column::ConnectorId.eq(connector.id))
            .order_by_desc(versions::Column::Version)
            .into_tuple()
            .all(&self.db)
            .await?;
        let apps =
            "SELECT connector_version AS version, COUNT(*) AS uses FROM apps WHERE deleted_at = 0 AND connector_id = ";
        let apps = self.uses(Sql::new(self.dialect, apps).bind(connector.id)).await?;
        let connections = "SELECT connector_version AS version, COUNT(*) AS uses FROM connections WHERE state <> 'revoked' \
                           AND app_id IN (SELECT apps.id FROM apps WHERE apps.connector_id = ";
        let connections = self.uses(Sql::new(self.dialect, connections).bind(connector.id).text(")")).await?;
        let reading = Reading { table: "connector_versions", row: connector.id };
        let read = |(version, digest, created_at, retired_at): Columns| {
            Ok(VersionUse {
                version,
                digest: reading.digest("digest", digest)?,
                created_at: reading.time("created_at", created_at)?,
                retired_at: reading.some_time("retired_at", retired_at)?,
                apps: apps.get(&version).copied().unwrap_or_default(),
                connections: connections.get(&version).copied().unwrap_or_default(),
            })
        };
        rows.into_iter().map(read).collect::<Result<_>>().map(Some)
    }

    async fn uses(&self, select: Sql) -> Result<BTreeMap<i32, u64>> {
        let rows = self.db.query_all_raw(select.text(" GROUP BY connector_version").build()).await?;
        let read = |row: &sea_orm::QueryResult| {
            let uses: i64 = row.try_get("", "uses")?;
            Ok((row.try_get("", "version")?, u64::try_from(uses).unwrap_or_default()))
        };
        rows.iter().map(read).collect()
    }

    /// The newest version of a connector that is not retired.
    pub async fn newest_usable(&self, environment: EnvironmentKey, id: &ConnectorId) -> Result<Option<i32>> {
        let Some(connector) = alive(&self.db, environment, id).await? else { return Ok(None) };
        let newest = versions::Entity::find()
            .select_only()
            .column(versions::Column::Version)
            .filter(versions::Column::ConnectorId.eq(connector.id))
            .filter(versions::Column::RetiredAt.is_null())
            .order_by_desc(versions::Column::Version)
            .limit(1);
        Ok(newest.into_tuple().one(&self.db).await?)
    }

    /// Retires a version; once more changes nothing. `false`: there is no such version.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while an app is pinned to it, a connection speaks it, or a move goes there; the error says which.
    pub async fn version_retire(&self, environment: EnvironmentKey, id: &ConnectorId, version: i32) -> Result<bool> {
        let now = time::to_millis(self.database_now().await?);
        transact!(self, tx, {
            let Some(connector) = alive(tx, environment, id).await? else { return Ok(false) };
            let row = versions::Entity::find_by_id((connector.id, version)).lock_exclusive().one(tx).await?;
            match row {
                None => return Ok(false),
                Some(row) if row.retired_at.is_some() => return Ok(true),
                Some(_) => {}
            }
            let pinned = apps::Entity::find()
                .filter(apps::Column::ConnectorId.eq(connector.id))
                .filter(apps::Column::ConnectorVersion.eq(version))
                .filter(apps::Column::DeletedAt.eq(0));
            if pinned.count(tx).await? > 0 {
                return Err(StoreError::InUse("app"));
            }
            let moved_to = moves::Entity::find()
                .filter(moves::Column::ConnectorId.eq(connector.id))
                .filter(moves::Column::ToVersion.eq(version))
                .filter(moves::Column::FinishedAt.eq(0));
            if moved_to.count(tx).await? > 0 {
                return Err(StoreError::InUse("move"));
            }
            if tx.query_one_raw(self.speaks(connector.id, version).build()).await?.is_some() {
                return Err(StoreError::InUse("connection"));
            }
            versions::Entity::update_many()
                .set(versions::ActiveModel { retired_at: Set(Some(now)), ..Default::default() })
                .filter(versions::Column::ConnectorId.eq(connector.id))
                .filter(versions::Column::Version.eq(version))
                .exec(tx)
                .await?;
            Ok(true)
        })
    }

    /// A connection that has not ended and speaks that version.
    fn speaks(&self, connector: Uuid, version: i32) -> Sql {
        Sql::new(self.dialect, "SELECT connections.id AS id FROM connections WHERE connections.state <> 'revoked'")
            .with(" AND connections.connector_version = ", version)
            .with(" AND connections.app_id IN (SELECT apps.id FROM apps WHERE apps.connector_id = ", connector)
            .text(") LIMIT 1")
    }
}
