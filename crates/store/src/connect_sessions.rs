//! Connect sessions: short-lived links for customers' browsers, known by a digest of their token.

use crate::entity::connect_sessions::{ActiveModel, Column, Entity, Model};
use crate::row::{Reading, short, write_json};
use crate::sql::Sql;
use crate::{Result, Store, StoreError, time};
use mortise_domain::{AppKey, ConnectSessionId, ConnectionId, CustomerKey, EnvironmentKey, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryTrait as _};
use std::str::FromStr;

/// A connect session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectSession {
    /// Its id.
    pub id: ConnectSessionId,
    /// Where it belongs.
    pub environment: EnvironmentKey,
    /// Whose browser it is for.
    pub customer: CustomerKey,
    /// SHA-256 of the link's token.
    pub token_digest: [u8; 32],
    /// Which apps may be connected.
    pub apps: Vec<AppKey>,
    /// The connection to repair.
    pub connection: Option<ConnectionId>,
    /// Where the browser goes afterwards.
    pub return_url: Option<String>,
    /// How far it is.
    pub status: SessionStatus,
    /// The connection that came of it.
    pub result_connection: Option<ConnectionId>,
    /// Why it failed; cut at 255 characters.
    pub error: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the link ends.
    pub expires_at: Timestamp,
}

/// How far a connect session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionStatus {
    /// The link may be used.
    Open,
    /// Somebody consented; the backend has to confirm who.
    AwaitingCompletion,
    /// A connection came of it.
    Completed,
    /// Nothing came of it.
    Failed,
}

impl SessionStatus {
    /// The word that the API shows and the database stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::AwaitingCompletion => "awaiting_completion",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }
}

impl FromStr for SessionStatus {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        let all = [Self::Open, Self::AwaitingCompletion, Self::Completed, Self::Failed];
        all.into_iter().find(|status| status.as_str() == text).ok_or(())
    }
}

impl TryFrom<Model> for ConnectSession {
    type Error = StoreError;

    fn try_from(model: Model) -> Result<Self> {
        let reading = Reading { table: "connect_sessions", row: model.id };
        Ok(Self {
            id: ConnectSessionId::from_uuid(model.id),
            environment: EnvironmentKey::from_uuid(model.environment_id),
            customer: CustomerKey::from_uuid(model.customer_id),
            token_digest: reading.digest("token_digest", model.token_digest)?,
            apps: reading.json("apps", &model.apps)?,
            connection: model.connection_id.map(ConnectionId::from_uuid),
            return_url: model.return_url,
            status: reading.word("status", &model.status)?,
            result_connection: model.result_connection_id.map(ConnectionId::from_uuid),
            error: model.error,
            created_at: reading.time("created_at", model.created_at)?,
            expires_at: reading.time("expires_at", model.expires_at)?,
        })
    }
}

impl Store {
    /// Stores a new session.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the id or the digest is taken, [`StoreError::Missing`] when the customer is not
    /// there.
    pub async fn connect_session_insert(&self, session: &ConnectSession) -> Result<()> {
        let row = ActiveModel {
            id: Set(session.id.as_uuid()),
            environment_id: Set(session.environment.as_uuid()),
            customer_id: Set(session.customer.as_uuid()),
            token_digest: Set(session.token_digest.to_vec()),
            apps: Set(write_json(&session.apps)?),
            connection_id: Set(session.connection.map(|id| id.as_uuid())),
            return_url: Set(session.return_url.clone()),
            status: Set(session.status.as_str().to_owned()),
            result_connection_id: Set(session.result_connection.map(|id| id.as_uuid())),
            error: Set(session.error.as_deref().map(short)),
            created_at: Set(time::to_millis(session.created_at)),
            expires_at: Set(time::to_millis(session.expires_at)),
        };
        let _writer = self.writer().await;
        let inserted = Entity::insert(row).exec_without_returning(&self.db).await;
        inserted.map(drop).map_err(StoreError::on_insert("connect session"))
    }

    /// The session of that id.
    pub async fn connect_session_get(
        &self,
        environment: EnvironmentKey,
        id: ConnectSessionId,
    ) -> Result<Option<ConnectSession>> {
        let query = Entity::find_by_id(id.as_uuid()).filter(Column::EnvironmentId.eq(environment.as_uuid()));
        query.one(&self.db).await?.map(TryInto::try_into).transpose()
    }

    /// The session of that link, ended ones too.
    pub async fn connect_session_by_token(&self, digest: &[u8; 32]) -> Result<Option<ConnectSession>> {
        let found = Entity::find().filter(Column::TokenDigest.eq(digest.to_vec())).one(&self.db).await?;
        found.map(TryInto::try_into).transpose()
    }

    /// Moves a session that is in one of `from` to `to`; `false` when it is in none of them or not there. The error is
    /// cut at 255 characters.
    pub async fn connect_session_set_status(
        &self,
        id: ConnectSessionId,
        from: &[SessionStatus],
        to: SessionStatus,
        error: Option<&str>,
    ) -> Result<bool> {
        let row =
            ActiveModel { status: Set(to.as_str().to_owned()), error: Set(error.map(short)), ..Default::default() };
        let update = Entity::update_many()
            .set(row)
            .filter(Column::Id.eq(id.as_uuid()))
            .filter(Column::Status.is_in(from.iter().map(|status| status.as_str())))
            .build(self.dialect.backend());
        Ok(self.write(update).await?.rows_affected() == 1)
    }

    /// Forgets sessions that ended before `before` and have no authorization attempt left: sweep those first. Says how
    /// many.
    pub async fn connect_sessions_sweep(&self, before: Timestamp) -> Result<u64> {
        let sql = Sql::new(self.dialect, "DELETE FROM connect_sessions WHERE expires_at < ")
            .bind(time::to_millis(before))
            .text(" AND NOT EXISTS (SELECT 1 FROM authorization_attempts")
            .text(" WHERE authorization_attempts.session_id = connect_sessions.id)");
        Ok(self.write(sql.build()).await?.rows_affected())
    }
}
