//! Environments: nothing is shared between two.

use crate::entity::environments::{ActiveModel, Column, Entity, Model};
use crate::row::{Reading, write_json};
use crate::{Result, Store, StoreError, time};
use mortise_domain::{EnvironmentKey, EnvironmentName, EnvironmentSettings, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QueryTrait as _};

/// An environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Its row.
    pub key: EnvironmentKey,
    /// Its name, unique in the installation.
    pub name: EnvironmentName,
    /// What its admin set.
    pub settings: EnvironmentSettings,
    /// When it was made.
    pub created_at: Timestamp,
}

impl TryFrom<Model> for Environment {
    type Error = StoreError;

    fn try_from(model: Model) -> Result<Self> {
        let reading = Reading { table: "environments", row: model.id };
        Ok(Self {
            key: EnvironmentKey::from_uuid(model.id),
            name: reading.word("name", &model.name)?,
            settings: reading.json("settings", &model.settings)?,
            created_at: reading.time("created_at", model.created_at)?,
        })
    }
}

impl Store {
    /// Makes an environment.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the name is taken.
    pub async fn environment_insert(&self, environment: &Environment) -> Result<()> {
        let row = ActiveModel {
            id: Set(environment.key.as_uuid()),
            name: Set(environment.name.to_string()),
            settings: Set(write_json(&environment.settings)?),
            created_at: Set(time::to_millis(environment.created_at)),
        };
        let _writer = self.writer().await;
        let inserted = Entity::insert(row).exec_without_returning(&self.db).await;
        inserted.map(drop).map_err(StoreError::on_insert("environment"))
    }

    /// The environment of that name.
    pub async fn environment_by_name(&self, name: &EnvironmentName) -> Result<Option<Environment>> {
        let found = Entity::find().filter(Column::Name.eq(name.as_str())).one(&self.db).await?;
        found.map(TryInto::try_into).transpose()
    }

    /// The environment of that row.
    pub async fn environment_by_key(&self, key: EnvironmentKey) -> Result<Option<Environment>> {
        Entity::find_by_id(key.as_uuid()).one(&self.db).await?.map(TryInto::try_into).transpose()
    }

    /// All environments, oldest first. There are few.
    pub async fn environment_list(&self) -> Result<Vec<Environment>> {
        let rows = Entity::find().order_by_asc(Column::Id).all(&self.db).await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// Replaces the settings; `false` when there is no such environment.
    pub async fn environment_set_settings(&self, key: EnvironmentKey, settings: &EnvironmentSettings) -> Result<bool> {
        let update = Entity::update_many()
            .set(ActiveModel { settings: Set(write_json(settings)?), ..Default::default() })
            .filter(Column::Id.eq(key.as_uuid()))
            .build(self.dialect.backend());
        Ok(self.write(update).await?.rows_affected() == 1)
    }
}
