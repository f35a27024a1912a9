//! Requests that may be sent twice: the first answer is kept, sealed, and given again.

use crate::entity::idempotency_records::{ActiveModel, Column, Entity, Model};
use crate::sql::Sql;
use crate::{Result, Store, StoreError, time};
use mortise_domain::{EnvironmentKey, Sealed, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryTrait as _};
use std::time::Duration;

/// A request that has no answer after this long was cut off; the next one of its key may try.
const ABANDONED: Duration = Duration::from_secs(300);

/// What a request is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Where it was sent.
    pub environment: EnvironmentKey,
    /// Digest of the key and of the route.
    pub digest: [u8; 32],
}

/// What is known of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdempotencyBegin {
    /// Nothing, until now: carry it out.
    New,
    /// Another one of the same key is being carried out.
    InFlight,
    /// It was answered.
    Replay {
        /// The status.
        status: i32,
        /// The body, sealed.
        body: Sealed,
    },
    /// The key belongs to another request.
    Mismatch,
}

impl IdempotencyKey {
    fn row(&self) -> (uuid::Uuid, Vec<u8>) {
        (self.environment.as_uuid(), self.digest.to_vec())
    }
}

impl Store {
    /// Notes that a request begins, or says what came of it. Of any number that begin at once, one is
    /// [`IdempotencyBegin::New`].
    pub async fn idempotency_begin(
        &self,
        key: &IdempotencyKey,
        request_digest: &[u8; 32],
        now: Timestamp,
    ) -> Result<IdempotencyBegin> {
        loop {
            if self.note(key, request_digest, now).await? {
                return Ok(IdempotencyBegin::New);
            }
            // Whoever forgets it between the two statements makes room for another round.
            if let Some(row) = Entity::find_by_id(key.row()).one(&self.db).await? {
                return self.known(key, row, request_digest, now).await;
            }
        }
    }

    async fn note(&self, key: &IdempotencyKey, request_digest: &[u8; 32], now: Timestamp) -> Result<bool> {
        let row = ActiveModel {
            environment_id: Set(key.environment.as_uuid()),
            key_digest: Set(key.digest.to_vec()),
            request_digest: Set(request_digest.to_vec()),
            status: Set(None),
            body: Set(None),
            created_at: Set(time::to_millis(now)),
        };
        let _writer = self.writer().await;
        let inserted = Entity::insert(row).exec_without_returning(&self.db).await;
        match inserted.map_err(StoreError::on_insert("idempotency key")) {
            Ok(_) => Ok(true),
            Err(StoreError::Conflict(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn known(
        &self,
        key: &IdempotencyKey,
        row: Model,
        request_digest: &[u8; 32],
        now: Timestamp,
    ) -> Result<IdempotencyBegin> {
        if row.request_digest != request_digest {
            return Ok(IdempotencyBegin::Mismatch);
        }
        match (row.status, row.body) {
            (Some(status), Some(body)) => Ok(IdempotencyBegin::Replay { status, body: Sealed::from_bytes(body) }),
            _ if row.created_at > time::to_millis(now) - time::millis_of(ABANDONED) => Ok(IdempotencyBegin::InFlight),
            _ => {
                let take = Entity::update_many()
                    .set(ActiveModel { created_at: Set(time::to_millis(now)), ..Default::default() })
                    .filter(Column::EnvironmentId.eq(key.environment.as_uuid()))
                    .filter(Column::KeyDigest.eq(key.digest.to_vec()))
                    .filter(Column::Status.is_null())
                    .filter(Column::CreatedAt.eq(row.created_at))
                    .build(self.dialect.backend());
                let taken = self.write(take).await?.rows_affected() == 1;
                Ok(if taken { IdempotencyBegin::New } else { IdempotencyBegin::InFlight })
            }
        }
    }

    /// Keeps the answer of a request that began. A second answer does not replace the first.
    pub async fn idempotency_finish(&self, key: &IdempotencyKey, status: i32, body: &Sealed) -> Result<()> {
        let update = Sql::new(self.dialect, "UPDATE idempotency_records SET status = ")
            .bind(status)
            .with(", body = ", body.as_bytes().to_vec())
            .with(" WHERE environment_id = ", key.environment.as_uuid())
            .with(" AND key_digest = ", key.digest.to_vec())
            .text(" AND status IS NULL");
        self.write(update.build()).await.map(drop)
    }

    /// Lets a key be used again whose request has no answer: it changed nothing.
    pub async fn idempotency_forget(&self, key: &IdempotencyKey) -> Result<()> {
        let delete = Entity::delete_many()
            .filter(Column::EnvironmentId.eq(key.environment.as_uuid()))
            .filter(Column::KeyDigest.eq(key.digest.to_vec()))
            .filter(Column::Status.is_null());
        self.write(delete.build(self.dialect.backend())).await.map(drop)
    }

    /// Forgets what began before `before`, answers with it. Says how many.
    pub async fn idempotency_sweep(&self, before: Timestamp) -> Result<u64> {
        let old = Entity::delete_many().filter(Column::CreatedAt.lt(time::to_millis(before)));
        Ok(self.write(old.build(self.dialect.backend())).await?.rows_affected())
    }
}
