//! Customers, known outside by the ids of the people who run the broker.

use crate::end::{self, Ending};
use crate::entity::customers::{ActiveModel, Column, Entity, Model};
use crate::entity::{authorization_attempts as attempts, connect_sessions, connections, data_keys};
use crate::row::{Reading, short, write_object};
use crate::serving::serve;
use crate::sql::Sql;
use crate::transaction::transact;
use crate::{Page, Result, Store, StoreError, time};
use mortise_domain::{ConnectionState, CustomerId, CustomerKey, EnvironmentKey, StateReason, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use sea_orm::{QuerySelect as _, QueryTrait as _};
use uuid::Uuid;

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// Its row.
    pub key: CustomerKey,
    /// Where it belongs.
    pub environment: EnvironmentKey,
    /// Its id, unique among the environment's living customers; case counts.
    pub id: CustomerId,
    /// Its name.
    pub name: Option<String>,
    /// Whatever its owners keep with it: an object.
    pub metadata: serde_json::Value,
    /// When it was first put.
    pub created_at: Timestamp,
    /// When it was put last.
    pub updated_at: Timestamp,
    /// When it was deleted: only [`Store::customer_by_key`] still finds it, without name and metadata.
    pub deleted_at: Option<Timestamp>,
}

impl TryFrom<Model> for Customer {
    type Error = StoreError;

    fn try_from(model: Model) -> Result<Self> {
        let reading = Reading { table: "customers", row: model.id };
        Ok(Self {
            key: CustomerKey::from_uuid(model.id),
            environment: EnvironmentKey::from_uuid(model.environment_id),
            id: reading.word("external_id", &model.external_id)?,
            name: model.name,
            metadata: reading.object("metadata", model.metadata.as_deref())?,
            created_at: reading.time("created_at", model.created_at)?,
            updated_at: reading.time("updated_at", model.updated_at)?,
            deleted_at: reading.some_time("deleted_at", Some(model.deleted_at).filter(|at| *at != 0))?,
        })
    }
}

async fn alive(db: &impl ConnectionTrait, environment: EnvironmentKey, id: &CustomerId) -> Result<Option<Model>> {
    let query = Entity::find()
        .filter(Column::EnvironmentId.eq(environment.as_uuid()))
        .filter(Column::ExternalId.eq(id.as_str()))
        .filter(Column::DeletedAt.eq(0));
    Ok(query.one(db).await?)
}

impl Store {
    /// Makes the customer, as row `key`, or replaces the name and metadata of the one there is. Says whether it was made.
    /// The name is cut at 255 characters.
    pub async fn customer_put(
        &self,
        environment: EnvironmentKey,
        key: CustomerKey,
        id: &CustomerId,
        name: Option<&str>,
        metadata: &serde_json::Value,
        now: Timestamp,
    ) -> Result<(Customer, bool)> {
        let given = ActiveModel {
            name: Set(name.map(short)),
            metadata: Set(write_object(metadata)),
            updated_at: Set(time::to_millis(now)),
            ..Default::default()
        };
        let new = ActiveModel {
            id: Set(key.as_uuid()),
            environment_id: Set(environment.as_uuid()),
            external_id: Set(id.to_string()),
            created_at: Set(time::to_millis(now)),
            deleted_at: Set(0),
            ..given.clone()
        };
        let mut raced = false;
        loop {
            let put: Result<_> = transact!(self, tx, {
                let row = match alive(tx, environment, id).await? {
                    Some(row) => {
                        let update = Entity::update_many().set(given.clone()).filter(Column::Id.eq(row.id));
                        update.exec(tx).await?;
                        row.id
                    }
                    None => {
                        let inserted = Entity::insert(new.clone()).exec_without_returning(tx).await;
                        inserted.map_err(StoreError::on_insert("customer"))?;
                        key.as_uuid()
                    }
                };
                let stored = Entity::find_by_id(row).one(tx).await?.ok_or(StoreError::Stale("customer"))?;
                Ok((Customer::try_from(stored)?, row == key.as_uuid()))
            });
            match put {
                // Another process put the same customer first: now it is there to be replaced.
                Err(StoreError::Conflict(_)) if !raced => raced = true,
                put => break put,
            }
        }
    }

    /// The living customer of that id.
    pub async fn customer_get(&self, environment: EnvironmentKey, id: &CustomerId) -> Result<Option<Customer>> {
        serve!(self, db, alive(db, environment, id))?.map(TryInto::try_into).transpose()
    }

    /// The customer of that row, deleted ones too: old connections still name it.
    pub async fn customer_by_key(&self, key: CustomerKey) -> Result<Option<Customer>> {
        Entity::find_by_id(key.as_uuid()).one(&self.db).await?.map(TryInto::try_into).transpose()
    }

    /// A page of an environment's customers.
    pub async fn customer_list(
        &self,
        environment: EnvironmentKey,
        page: Page,
    ) -> Result<(Vec<Customer>, Option<Uuid>)> {
        let rows = Entity::find()
            .filter(Column::EnvironmentId.eq(environment.as_uuid()))
            .filter(Column::DeletedAt.eq(0))
            .apply_if(page.after, |query, after| query.filter(Column::Id.gt(after)))
            .order_by_asc(Column::Id)
            .limit(page.fetch())
            .all(&self.db)
            .await?;
        let (rows, next) = page.cut(rows, |row| row.id);
        Ok((rows.into_iter().map(TryInto::try_into).collect::<Result<_>>()?, next))
    }

    /// Deletes a customer in one transaction: every connection is revoked as `endings` say, and name, metadata, data key,
    /// links and unfinished flows go. `false` when there is none.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when `endings` are not the customer's connections as they are now: read them again.
    pub async fn customer_delete(
        &self,
        environment: EnvironmentKey,
        key: CustomerKey,
        endings: &[Ending],
        now: Timestamp,
    ) -> Result<bool> {
        transact!(self, tx, {
            let bury = Sql::new(self.dialect, "UPDATE customers SET name = NULL, metadata = NULL, deleted_at = ")
                .bind(time::to_millis(now))
                .with(", updated_at = ", time::to_millis(now))
                .with(" WHERE deleted_at = 0 AND id = ", key.as_uuid())
                .with(" AND environment_id = ", environment.as_uuid());
            if tx.execute_raw(bury.build()).await?.rows_affected() == 0 {
                return Ok(false);
            }
            for ending in endings {
                end::revoke(tx, self.dialect, ending, StateReason::CustomerDeleted, now).await?;
            }
            let left = connections::Entity::find()
                .filter(connections::Column::CustomerId.eq(key.as_uuid()))
                .filter(connections::Column::State.ne(ConnectionState::Revoked.as_str()));
            if left.one(tx).await?.is_some() {
                return Err(StoreError::Stale("customer"));
            }
            let links = connect_sessions::Entity::find()
                .select_only()
                .column(connect_sessions::Column::Id)
                .filter(connect_sessions::Column::CustomerId.eq(key.as_uuid()));
            let links: Vec<Uuid> = links.into_tuple().all(tx).await?;
            for batch in links.chunks(500) {
                let batch = || batch.iter().copied();
                let flows = attempts::Entity::delete_many().filter(attempts::Column::SessionId.is_in(batch()));
                flows.exec(tx).await?;
                let gone = connect_sessions::Entity::delete_many().filter(connect_sessions::Column::Id.is_in(batch()));
                gone.exec(tx).await?;
            }
            data_keys::Entity::delete_many().filter(data_keys::Column::Owner.eq(key.as_uuid())).exec(tx).await?;
            Ok(true)
        })
    }
}
