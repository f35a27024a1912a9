//! Data keys, wrapped: one an owner. Whoever destroys the row destroys what it sealed.

use crate::entity::data_keys::{ActiveModel, Column, Entity, Model};
use crate::row::Reading;
use crate::serving::serve;
use crate::sql::Sql;
use crate::{Result, Store, StoreError, time};
use mortise_domain::{DataKeyId, EnvironmentKey, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use sea_orm::{QuerySelect as _, QueryTrait as _};
use uuid::Uuid;

/// A wrapped data key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataKeyRow {
    /// Its id, which stands in every ciphertext that it made.
    pub id: DataKeyId,
    /// The environment of its owner; `None` for the installation's own.
    pub environment: Option<EnvironmentKey>,
    /// A customer's key, an environment's key, or nil for the installation.
    pub owner: Uuid,
    /// Which key-encryption key wraps it; at most 64 characters.
    pub key_encryption_key: String,
    /// The wrapped key.
    pub wrapped: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl TryFrom<Model> for DataKeyRow {
    type Error = StoreError;

    fn try_from(model: Model) -> Result<Self> {
        let reading = Reading { table: "data_keys", row: model.id };
        Ok(Self {
            id: DataKeyId::from_uuid(model.id),
            environment: model.environment_id.map(EnvironmentKey::from_uuid),
            owner: model.owner,
            key_encryption_key: model.key_encryption_key,
            wrapped: model.wrapped,
            created_at: reading.time("created_at", model.created_at)?,
        })
    }
}

impl Store {
    /// Stores a new data key.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the owner has one already.
    pub async fn data_key_insert(&self, key: &DataKeyRow) -> Result<()> {
        let row = ActiveModel {
            id: Set(key.id.as_uuid()),
            environment_id: Set(key.environment.map(|environment| environment.as_uuid())),
            owner: Set(key.owner),
            key_encryption_key: Set(key.key_encryption_key.clone()),
            wrapped: Set(key.wrapped.clone()),
            created_at: Set(time::to_millis(key.created_at)),
        };
        let _writer = self.writer().await;
        let inserted = Entity::insert(row).exec_without_returning(&self.db).await;
        inserted.map(drop).map_err(StoreError::on_insert("data key"))
    }

    /// The data key of an owner.
    pub async fn data_key_by_owner(&self, owner: Uuid) -> Result<Option<DataKeyRow>> {
        let found = serve!(self, db, Entity::find().filter(Column::Owner.eq(owner)).one(db))?;
        found.map(TryInto::try_into).transpose()
    }

    /// The data key of that id.
    pub async fn data_key_by_id(&self, id: DataKeyId) -> Result<Option<DataKeyRow>> {
        let found = serve!(self, db, Entity::find_by_id(id.as_uuid()).one(db))?;
        found.map(TryInto::try_into).transpose()
    }

    /// One data key for each key-encryption key in use: enough to prove at start that every one is at hand.
    pub async fn data_key_one_per_kek(&self) -> Result<Vec<DataKeyRow>> {
        let mut rows = Vec::new();
        for (kek, _) in self.data_key_counts().await? {
            let found = Entity::find().filter(Column::KeyEncryptionKey.eq(kek)).order_by_asc(Column::Id).one(&self.db);
            rows.extend(found.await?.map(TryInto::try_into).transpose()?);
        }
        Ok(rows)
    }

    /// At most `limit` data keys that another key-encryption key than `kek` wraps.
    pub async fn data_keys_not_under(&self, kek: &str, limit: u64) -> Result<Vec<DataKeyRow>> {
        let query = Entity::find().filter(Column::KeyEncryptionKey.ne(kek)).order_by_asc(Column::Id).limit(limit);
        query.all(&self.db).await?.into_iter().map(TryInto::try_into).collect()
    }

    /// Replaces the wrapping; `false` when `from_kek` no longer is what wraps it.
    pub async fn data_key_rewrap(&self, id: DataKeyId, from_kek: &str, to_kek: &str, wrapped: Vec<u8>) -> Result<bool> {
        let row =
            ActiveModel { key_encryption_key: Set(to_kek.to_owned()), wrapped: Set(wrapped), ..Default::default() };
        let update = Entity::update_many()
            .set(row)
            .filter(Column::Id.eq(id.as_uuid()))
            .filter(Column::KeyEncryptionKey.eq(from_kek))
            .build(self.dialect.backend());
        Ok(self.write(update).await?.rows_affected() == 1)
    }

    /// How many data keys each key-encryption key wraps, by its name.
    pub async fn data_key_counts(&self) -> Result<Vec<(String, u64)>> {
        let sql = "SELECT key_encryption_key, COUNT(*) AS held FROM data_keys GROUP BY key_encryption_key ORDER BY 1";
        let rows = self.db.query_all_raw(Sql::new(self.dialect, sql).build()).await?;
        let count = |row: &sea_orm::QueryResult| -> Result<(String, u64)> {
            let held: i64 = row.try_get("", "held")?;
            Ok((row.try_get("", "key_encryption_key")?, u64::try_from(held).unwrap_or_default()))
        };
        rows.iter().map(count).collect()
    }
}
