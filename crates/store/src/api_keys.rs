//! API keys: known by a digest, which is all that is stored.

use crate::entity::api_keys::{ActiveModel, Column, Entity, Model};
use crate::row::{Reading, write_json};
use crate::serving::serve;
use crate::{Page, Result, Store, StoreError, time};
use mortise_domain::{ApiKeyId, ApiScope, EnvironmentKey, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, QueryTrait as _,
};
use uuid::Uuid;

/// An API key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The part of it that may be shown.
    pub id: ApiKeyId,
    /// The one environment that it opens.
    pub environment: EnvironmentKey,
    /// What it is for, in its maker's words; at most 255 characters.
    pub name: String,
    /// A keyed digest of the whole key.
    pub digest: [u8; 32],
    /// What it may do.
    pub scopes: Vec<ApiScope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl TryFrom<Model> for ApiKey {
    type Error = StoreError;

    fn try_from(model: Model) -> Result<Self> {
        let reading = Reading { table: "api_keys", row: model.id };
        Ok(Self {
            id: ApiKeyId::from_uuid(model.id),
            environment: EnvironmentKey::from_uuid(model.environment_id),
            name: model.name,
            digest: reading.digest("digest", model.digest)?,
            scopes: reading.json("scopes", &model.scopes)?,
            created_at: reading.time("created_at", model.created_at)?,
            expires_at: reading.some_time("expires_at", model.expires_at)?,
            revoked_at: reading.some_time("revoked_at", model.revoked_at)?,
        })
    }
}

impl Store {
    /// Stores a new key.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the id is taken.
    pub async fn api_key_insert(&self, key: &ApiKey) -> Result<()> {
        let row = ActiveModel {
            id: Set(key.id.as_uuid()),
            environment_id: Set(key.environment.as_uuid()),
            name: Set(key.name.clone()),
            digest: Set(key.digest.to_vec()),
            scopes: Set(write_json(&key.scopes)?),
            created_at: Set(time::to_millis(key.created_at)),
            expires_at: Set(key.expires_at.map(time::to_millis)),
            revoked_at: Set(key.revoked_at.map(time::to_millis)),
        };
        let _writer = self.writer().await;
        let inserted = Entity::insert(row).exec_without_returning(&self.db).await;
        inserted.map(drop).map_err(StoreError::on_insert("API key"))
    }

    /// The key of that id in whichever environment, revoked and ended ones too: for authentication, which learns the
    /// environment from it.
    pub async fn api_key_by_id(&self, id: ApiKeyId) -> Result<Option<ApiKey>> {
        let found = serve!(self, db, Entity::find_by_id(id.as_uuid()).one(db))?;
        found.map(TryInto::try_into).transpose()
    }

    /// A page of an environment's keys, oldest first, revoked ones too.
    pub async fn api_key_list(&self, environment: EnvironmentKey, page: Page) -> Result<(Vec<ApiKey>, Option<Uuid>)> {
        let rows = Entity::find()
            .filter(Column::EnvironmentId.eq(environment.as_uuid()))
            .apply_if(page.after, |query, after| query.filter(Column::Id.gt(after)))
            .order_by_asc(Column::Id)
            .limit(page.fetch())
            .all(&self.db)
            .await?;
        let (rows, next) = page.cut(rows, |row| row.id);
        Ok((rows.into_iter().map(TryInto::try_into).collect::<Result<_>>()?, next))
    }

    /// Revokes a key; `false` when the environment has no such key that is not revoked yet.
    pub async fn api_key_revoke(&self, environment: EnvironmentKey, id: ApiKeyId, now: Timestamp) -> Result<bool> {
        let update = Entity::update_many()
            .set(ActiveModel { revoked_at: Set(Some(time::to_millis(now))), ..Default::default() })
            .filter(Column::Id.eq(id.as_uuid()))
            .filter(Column::EnvironmentId.eq(environment.as_uuid()))
            .filter(Column::RevokedAt.is_null())
            .build(self.dialect.backend());
        Ok(self.write(update).await?.rows_affected() == 1)
    }
}
