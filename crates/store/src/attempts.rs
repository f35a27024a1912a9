//! Authorization attempts: one round trip of a browser to a provider, usable once.

use crate::entity::authorization_attempts::{ActiveModel, Column, Entity, Model};
use crate::row::{Reading, read_scopes, write_scopes, write_variables};
use crate::sql::Sql;
use crate::{Result, Store, StoreError, time};
use mortise_domain::{AppKey, AttemptId, ConnectSessionId, EnvironmentKey, ScopeSet, Sealed, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QueryTrait as _};
use std::collections::BTreeMap;

/// An authorization attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its id.
    pub id: AttemptId,
    /// Where it belongs.
    pub environment: EnvironmentKey,
    /// The session that it serves.
    pub session: ConnectSessionId,
    /// The app that is being connected.
    pub app: AppKey,
    /// The connector's version that it began with.
    pub connector_version: i32,
    /// SHA-256 of the `state`.
    pub state_digest: [u8; 32],
    /// SHA-256 of the flow cookie.
    pub cookie_digest: [u8; 32],
    /// The PKCE verifier, sealed.
    pub verifier: Sealed,
    /// What the customer filled in.
    pub variables: BTreeMap<String, String>,
    /// What was asked for.
    pub scopes: ScopeSet,
    /// When it began.
    pub created_at: Timestamp,
    /// When its `state` ends.
    pub expires_at: Timestamp,
    /// When a callback used it.
    pub consumed_at: Option<Timestamp>,
    /// The provider's code, sealed, while it waits for the finisher check.
    pub code: Option<Sealed>,
    /// SHA-256 of the completion code.
    pub completion_digest: Option<[u8; 32]>,
    /// Until when the code waits.
    pub code_expires_at: Option<Timestamp>,
}

impl TryFrom<Model> for Attempt {
    type Error = StoreError;

    fn try_from(model: Model) -> Result<Self> {
        let reading = Reading { table: "authorization_attempts", row: model.id };
        Ok(Self {
            id: AttemptId::from_uuid(model.id),
            environment: EnvironmentKey::from_uuid(model.environment_id),
            session: ConnectSessionId::from_uuid(model.session_id),
            app: AppKey::from_uuid(model.app_id),
            connector_version: model.connector_version,
            state_digest: reading.digest("state_digest", model.state_digest)?,
            cookie_digest: reading.digest("cookie_digest", model.cookie_digest)?,
            verifier: Sealed::from_bytes(model.verifier),
            variables: reading.variables("variables", model.variables.as_deref())?,
            scopes: read_scopes(&model.scopes),
            created_at: reading.time("created_at", model.created_at)?,
            expires_at: reading.time("expires_at", model.expires_at)?,
            consumed_at: reading.some_time("consumed_at", model.consumed_at)?,
            code: model.code.map(Sealed::from_bytes),
            completion_digest: reading.some_digest("completion_digest", model.completion_digest)?,
            code_expires_at: reading.some_time("code_expires_at", model.code_expires_at)?,
        })
    }
}

/// Not consumed, and without a code.
impl TryFrom<&Attempt> for ActiveModel {
    type Error = StoreError;

    fn try_from(attempt: &Attempt) -> Result<Self> {
        Ok(Self {
            id: Set(attempt.id.as_uuid()),
            environment_id: Set(attempt.environment.as_uuid()),
            session_id: Set(attempt.session.as_uuid()),
            app_id: Set(attempt.app.as_uuid()),
            connector_version: Set(attempt.connector_version),
            state_digest: Set(attempt.state_digest.to_vec()),
            cookie_digest: Set(attempt.cookie_digest.to_vec()),
            verifier: Set(attempt.verifier.as_bytes().to_vec()),
            variables: Set(write_variables(&attempt.variables)?),
            scopes: Set(write_scopes(&attempt.scopes)),
            created_at: Set(time::to_millis(attempt.created_at)),
            expires_at: Set(time::to_millis(attempt.expires_at)),
            consumed_at: Set(None),
            code: Set(None),
            completion_digest: Set(None),
            code_expires_at: Set(None),
        })
    }
}

impl Store {
    /// Stores a new attempt, not consumed and without a code.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the id or the digest of its state is taken, [`StoreError::Missing`] when the session
    /// or the app is not there.
    pub async fn attempt_insert(&self, attempt: &Attempt) -> Result<()> {
        let row = ActiveModel::try_from(attempt)?;
        let _writer = self.writer().await;
        let inserted = Entity::insert(row).exec_without_returning(&self.db).await;
        inserted.map(drop).map_err(StoreError::on_insert("authorization attempt"))
    }

    /// The attempt of that `state`, consumed and ended ones too.
    pub async fn attempt_by_state(&self, digest: &[u8; 32]) -> Result<Option<Attempt>> {
        let found = Entity::find().filter(Column::StateDigest.eq(digest.to_vec())).one(&self.db).await?;
        found.map(TryInto::try_into).transpose()
    }

    /// Uses an attempt up, in one statement: of any number of callers one gets `true`. `false` when it was used, ended
    /// before `now`, or is not there.
    pub async fn attempt_consume(&self, id: AttemptId, now: Timestamp) -> Result<bool> {
        let now = time::to_millis(now);
        let update = Entity::update_many()
            .set(ActiveModel { consumed_at: Set(Some(now)), ..Default::default() })
            .filter(Column::Id.eq(id.as_uuid()))
            .filter(Column::ConsumedAt.is_null())
            .filter(Column::ExpiresAt.gt(now))
            .build(self.dialect.backend());
        Ok(self.write(update).await?.rows_affected() == 1)
    }

    /// Keeps the provider's code until the finisher check; `false` when the attempt is not consumed, holds a code
    /// already or is not there.
    pub async fn attempt_hold_code(
        &self,
        id: AttemptId,
        code: &Sealed,
        completion_digest: &[u8; 32],
        expires_at: Timestamp,
    ) -> Result<bool> {
        let held = ActiveModel {
            code: Set(Some(code.as_bytes().to_vec())),
            completion_digest: Set(Some(completion_digest.to_vec())),
            code_expires_at: Set(Some(time::to_millis(expires_at))),
            ..Default::default()
        };
        let update = Entity::update_many()
            .set(held)
            .filter(Column::Id.eq(id.as_uuid()))
            .filter(Column::ConsumedAt.is_not_null())
            // Also set on an attempt whose code was taken: no second one is kept.
            .filter(Column::CodeExpiresAt.is_null())
            .build(self.dialect.backend());
        Ok(self.write(update).await?.rows_affected() == 1)
    }

    /// The session's newest attempt that holds a code, ended or not.
    pub async fn attempt_awaiting(&self, session: ConnectSessionId) -> Result<Option<Attempt>> {
        let query = Entity::find()
            .filter(Column::SessionId.eq(session.as_uuid()))
            .filter(Column::Code.is_not_null())
            .order_by_desc(Column::Id);
        query.one(&self.db).await?.map(TryInto::try_into).transpose()
    }

    /// Takes the code away, in one statement: of any number of callers one gets `true`, and has what it read before.
    pub async fn attempt_take_code(&self, id: AttemptId) -> Result<bool> {
        let taken = ActiveModel { code: Set(None), completion_digest: Set(None), ..Default::default() };
        let update = Entity::update_many()
            .set(taken)
            .filter(Column::Id.eq(id.as_uuid()))
            .filter(Column::Code.is_not_null())
            .build(self.dialect.backend());
        Ok(self.write(update).await?.rows_affected() == 1)
    }

    /// Forgets attempts that ended before `before`, codes and verifiers with them. Says how many.
    pub async fn attempts_sweep(&self, before: Timestamp) -> Result<u64> {
        let polls = Sql::new(
            self.dialect,
            "DELETE FROM device_polls WHERE attempt_id IN (SELECT id FROM authorization_attempts",
        )
        .with(" WHERE expires_at < ", time::to_millis(before))
        .text(")");
        self.write(polls.build()).await?;
        let ended = Entity::delete_many().filter(Column::ExpiresAt.lt(time::to_millis(before)));
        Ok(self.write(ended.build(self.dialect.backend())).await?.rows_affected())
    }
}
