//! Queued revocations: tokens of ended connections that their providers still have to be told about.

use crate::entity::revocations::{ActiveModel, Entity, Model};
use crate::events::{self, NewEvent};
use crate::row::{Reading, short, write_variables};
use crate::sql::Sql;
use crate::transaction::transact;
use crate::{Result, Store, StoreError, time};
use mortise_domain::{AppKey, ConnectionId, EnvironmentKey, LeaseOwner, RevocationId, Sealed, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::{ConnectionTrait, DatabaseTransaction, EntityTrait as _, FromQueryResult as _};
use std::collections::BTreeMap;
use std::time::Duration;
use uuid::Uuid;

/// For how long a row that does not read is left alone.
const PUT_OFF: Duration = Duration::from_secs(600);

/// A revocation to queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRevocation {
    /// Its id, to which the ciphertexts are bound.
    pub id: RevocationId,
    /// Where it belongs.
    pub environment: EnvironmentKey,
    /// Whose tokens.
    pub connection: ConnectionId,
    /// At which app.
    pub app: AppKey,
    /// The connector's version that says how.
    pub connector_version: i32,
    /// What the customer filled in.
    pub variables: BTreeMap<String, String>,
    /// The refresh token, sealed.
    pub refresh: Option<Sealed>,
    /// The access token, sealed.
    pub access: Option<Sealed>,
    /// When to tell.
    pub due_at: Timestamp,
}

/// A queued revocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// Its id, to which the ciphertexts are bound.
    pub id: RevocationId,
    /// Where it belongs.
    pub environment: EnvironmentKey,
    /// Whose tokens.
    pub connection: ConnectionId,
    /// At which app.
    pub app: AppKey,
    /// The connector's version that says how.
    pub connector_version: i32,
    /// What the customer filled in.
    pub variables: BTreeMap<String, String>,
    /// The refresh token, sealed.
    pub refresh: Option<Sealed>,
    /// The access token, sealed.
    pub access: Option<Sealed>,
    /// When to tell next.
    pub due_at: Timestamp,
    /// How often it was tried.
    pub attempts: i32,
    /// Until when somebody is at it, by the database's clock.
    pub lease_until: Option<Timestamp>,
    /// How the last try ended; cut at 255 characters.
    pub last_error: Option<String>,
}

impl TryFrom<Model> for Revocation {
    type Error = StoreError;

    fn try_from(model: Model) -> Result<Self> {
        let reading = Reading { table: "revocations", row: model.id };
        Ok(Self {
            id: RevocationId::from_uuid(model.id),
            environment: EnvironmentKey::from_uuid(model.environment_id),
            connection: ConnectionId::from_uuid(model.connection_id),
            app: AppKey::from_uuid(model.app_id),
            connector_version: model.connector_version,
            variables: reading.variables("variables", model.variables.as_deref())?,
            refresh: model.refresh_token.map(Sealed::from_bytes),
            access: model.access_token.map(Sealed::from_bytes),
            due_at: reading.time("due_at", model.due_at)?,
            attempts: model.attempts,
            lease_until: reading.some_time("lease_until", model.lease_until)?,
            last_error: model.last_error,
        })
    }
}

/// Queues a revocation inside whoever's transaction.
pub(crate) async fn insert(tx: &impl ConnectionTrait, new: &NewRevocation, now: Timestamp) -> Result<()> {
    let row = ActiveModel {
        id: Set(new.id.as_uuid()),
        environment_id: Set(new.environment.as_uuid()),
        connection_id: Set(new.connection.as_uuid()),
        app_id: Set(new.app.as_uuid()),
        connector_version: Set(new.connector_version),
        attempts: Set(0),
        variables: Set(write_variables(&new.variables)?),
        refresh_token: Set(new.refresh.as_ref().map(|token| token.as_bytes().to_vec())),
        access_token: Set(new.access.as_ref().map(|token| token.as_bytes().to_vec())),
        due_at: Set(time::to_millis(new.due_at)),
        lease_until: Set(None),
        lease_owner: Set(None),
        last_error: Set(None),
        created_at: Set(time::to_millis(now)),
    };
    Entity::insert(row).exec_without_returning(tx).await.map(drop).map_err(StoreError::on_insert("revocation"))
}

impl Store {
    /// Queues a revocation of tokens that no connection holds, with a line in the timeline of the one that they were for.
    pub async fn revocation_enqueue(&self, new: NewRevocation, event: NewEvent) -> Result<()> {
        transact!(self, tx, {
            insert(tx, &new, event.at).await?;
            events::append(tx, vec![event.row(new.connection)]).await
        })
    }

    /// Takes at most `limit` due revocations that nobody is at, longest due first.
    pub async fn revocations_claim(&self, owner: LeaseOwner, limit: usize, lease: Duration) -> Result<Vec<Revocation>> {
        transact!(self, tx, {
            let due = self
                .free_revocations()
                .text(" AND due_at <= ")
                .text(self.dialect.now())
                .with(" ORDER BY due_at LIMIT ", i64::try_from(limit.clamp(1, 500)).unwrap_or(500))
                .text(self.dialect.skip_locked());
            self.lease_revocations(tx, due, owner, lease).await
        })
    }

    /// Takes one revocation, due or not; `None` when it is done or somebody is at it.
    pub async fn revocation_claim_one(
        &self,
        id: RevocationId,
        owner: LeaseOwner,
        lease: Duration,
    ) -> Result<Option<Revocation>> {
        transact!(self, tx, {
            let one = self.free_revocations().with(" AND id = ", id.as_uuid()).text(self.dialect.skip_locked());
            Ok(self.lease_revocations(tx, one, owner, lease).await?.pop())
        })
    }

    fn free_revocations(&self) -> Sql {
        let now = self.dialect.now();
        Sql::new(self.dialect, "SELECT revocations.*, ")
            .text(now)
            .text(" AS db_now FROM revocations WHERE (lease_until IS NULL OR lease_until <= ")
            .text(now)
            .text(")")
    }

    async fn lease_revocations(
        &self,
        tx: &DatabaseTransaction,
        select: Sql,
        owner: LeaseOwner,
        lease: Duration,
    ) -> Result<Vec<Revocation>> {
        let (mut taken, mut unread, mut now) = (Vec::new(), Vec::new(), 0);
        for row in tx.query_all_raw(select.build()).await? {
            now = row.try_get::<i64>("", "db_now")?;
            let id: Uuid = row.try_get("", "id")?;
            let model = Model::from_query_result(&row, "").map_err(StoreError::from);
            match model.and_then(Revocation::try_from) {
                Ok(revocation) => taken.push(revocation),
                Err(error) => {
                    tracing::error!(revocation = %id, error = ?error, "a queued revocation does not read and is put off");
                    unread.push(id);
                }
            }
        }
        if !unread.is_empty() {
            let update =
                Sql::new(self.dialect, "UPDATE revocations SET due_at = ").bind(now + time::millis_of(PUT_OFF));
            tx.execute_raw(update.text(" WHERE id IN (").list(unread).text(")").build()).await?;
        }
        let until = now.saturating_add(time::millis_of(lease));
        if !taken.is_empty() {
            let update = Sql::new(self.dialect, "UPDATE revocations SET lease_owner = ")
                .bind(owner.as_uuid())
                .with(", lease_until = ", until)
                .text(" WHERE id IN (")
                .list(taken.iter().map(|revocation| revocation.id.as_uuid()))
                .text(")");
            tx.execute_raw(update.build()).await?;
        }
        taken.iter_mut().for_each(|revocation: &mut Revocation| revocation.lease_until = time::from_millis(until));
        Ok(taken)
    }

    /// Ends a revocation, with or without success, and says so in the timeline. Doing it again changes nothing.
    pub async fn revocation_done(&self, id: RevocationId, event: NewEvent) -> Result<()> {
        transact!(self, tx, {
            let Some(row) = Entity::find_by_id(id.as_uuid()).one(tx).await? else { return Ok(()) };
            if Entity::delete_by_id(id.as_uuid()).exec(tx).await?.rows_affected == 1 {
                events::append(tx, vec![event.row(ConnectionId::from_uuid(row.connection_id))]).await?;
            }
            Ok(())
        })
    }

    /// Plans the next try, the `attempts`th having failed. The error is cut at 255 characters. A try that counts less than
    /// what is stored came too late and changes nothing.
    pub async fn revocation_retry(
        &self,
        id: RevocationId,
        due_at: Timestamp,
        attempts: i32,
        last_error: &str,
    ) -> Result<()> {
        let update = Sql::new(self.dialect, "UPDATE revocations SET lease_owner = NULL, lease_until = NULL, due_at = ")
            .bind(time::to_millis(due_at))
            .with(", attempts = ", attempts)
            .with(", last_error = ", short(last_error))
            .with(" WHERE id = ", id.as_uuid())
            .with(" AND attempts < ", attempts);
        self.write(update.build()).await.map(drop)
    }
}
