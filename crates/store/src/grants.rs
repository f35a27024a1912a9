//! Storing a grant: as a new connection, or in the place of an older grant. Idempotent, because grants are kept on disk
//! until they are stored and may be stored again from there.

use crate::entity::connections::{ActiveModel, Entity, Model};
use crate::events::{self, NewEvent};
use crate::row::{write_scopes, write_variables};
use crate::sql::Sql;
use crate::transaction::transact;
use crate::{Result, Store, StoreError, time};
use mortise_domain::{
    AppKey, ConnectSessionId, ConnectionId, ConnectionState, CustomerKey, EnvironmentKey, ScopeSet, Sealed,
    StateReason, Timestamp,
};
use sea_orm::ActiveValue::Set;
use sea_orm::{ConnectionTrait as _, DatabaseTransaction, EntityTrait as _, QuerySelect as _};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A grant to store.
#[derive(Debug, Clone)]
pub struct NewGrant {
    /// The connection that it makes, or whose grant it replaces.
    pub id: ConnectionId,
    /// Where it belongs.
    pub environment: EnvironmentKey,
    /// Whose it is.
    pub customer: CustomerKey,
    /// At which app.
    pub app: AppKey,
    /// The connector's version that it was got with.
    pub connector_version: i32,
    /// How it came to be.
    pub reason: StateReason,
    /// `None` makes a connection, with family 1. Otherwise the family that it replaces with the next.
    pub replaces_family: Option<i32>,
    /// The token pair's generation, to which the ciphertexts are bound: 1, or one more than what it replaces.
    pub generation: i64,
    /// The access token, sealed.
    pub access: Sealed,
    /// The refresh token, sealed.
    pub refresh: Option<Sealed>,
    /// When the provider gave it; with the family it tells one grant from another.
    pub granted_at: Timestamp,
    /// When the access token ends.
    pub expires_at: Option<Timestamp>,
    /// When a refresh is due; `None`: never.
    pub next_refresh_at: Option<Timestamp>,
    /// What was granted; `None`: what was requested.
    pub granted_scopes: Option<ScopeSet>,
    /// What was requested.
    pub requested_scopes: ScopeSet,
    /// What the customer filled in.
    pub variables: BTreeMap<String, String>,
    /// When the grant ends whatever is done; `None`: it is not known to end.
    pub grant_expires_at: Option<Timestamp>,
    /// When the refresh token ends unless it is used before; `None`: it is not known to.
    pub refresh_idle_at: Option<Timestamp>,
}

/// A connection before its first grant.
#[derive(Debug, Clone)]
pub struct NewPending {
    /// Its id.
    pub id: ConnectionId,
    /// Where it belongs.
    pub environment: EnvironmentKey,
    /// Whose it is.
    pub customer: CustomerKey,
    /// At which app.
    pub app: AppKey,
    /// The connector's version that it will be made with.
    pub connector_version: i32,
    /// What is known of the variables.
    pub variables: BTreeMap<String, String>,
    /// What will be requested.
    pub requested_scopes: ScopeSet,
    /// When.
    pub at: Timestamp,
}

impl NewGrant {
    const fn family(&self) -> i32 {
        match self.replaces_family {
            Some(family) => family + 1,
            None => 1,
        }
    }

    /// The columns that a grant fills, whatever was there before.
    fn columns(&self, now: i64) -> Result<ActiveModel> {
        let granted = self.granted_scopes.as_ref().filter(|granted| **granted != self.requested_scopes);
        Ok(ActiveModel {
            connector_version: Set(self.connector_version),
            family: Set(self.family()),
            failures: Set(0),
            state: Set(ConnectionState::Active.as_str().to_owned()),
            state_reason: Set(self.reason.as_str().to_owned()),
            state_since: Set(now),
            generation: Set(self.generation),
            granted_at: Set(time::to_millis(self.granted_at)),
            updated_at: Set(now),
            expires_at: Set(self.expires_at.map(time::to_millis)),
            refreshed_at: Set(Some(time::to_millis(self.granted_at))),
            next_refresh_at: Set(self.next_refresh_at.map(time::to_millis)),
            lease_until: Set(None),
            lease_owner: Set(None),
            attempt_deadline: Set(None),
            attempt_id: Set(None),
            requested_scopes: Set(write_scopes(&self.requested_scopes)),
            granted_scopes: Set(granted.map(write_scopes)),
            access_token: Set(Some(self.access.as_bytes().to_vec())),
            refresh_token: Set(self.refresh.as_ref().map(|token| token.as_bytes().to_vec())),
            variables: Set(write_variables(&self.variables)?),
            last_error: Set(None),
            suspicions: Set(0),
            suspected_at: Set(None),
            previous_refresh_token: Set(None),
            grant_expires_at: Set(self.grant_expires_at.map(time::to_millis)),
            refresh_idle_at: Set(self.refresh_idle_at.map(time::to_millis)),
            reauth_warned: Set(None),
            ..Default::default()
        })
    }

    fn is_stored_in(&self, row: &Model) -> bool {
        row.family == self.family() && row.granted_at == time::to_millis(self.granted_at)
    }

    fn replaces(&self, row: &Model) -> bool {
        self.replaces_family == Some(row.family)
            && row.generation + 1 == self.generation
            && row.environment_id == self.environment.as_uuid()
            && row.customer_id == self.customer.as_uuid()
            && row.app_id == self.app.as_uuid()
            && row.state != ConnectionState::Revoked.as_str()
    }
}

fn new_row(of: (ConnectionId, EnvironmentKey, CustomerKey, AppKey), now: i64, columns: ActiveModel) -> ActiveModel {
    let (id, environment, customer, app) = of;
    ActiveModel {
        id: Set(id.as_uuid()),
        environment_id: Set(environment.as_uuid()),
        customer_id: Set(customer.as_uuid()),
        app_id: Set(app.as_uuid()),
        fence: Set(0),
        created_at: Set(now),
        metadata: Set(None),
        ..columns
    }
}

impl Store {
    /// Stores a grant with its event and completes the session that it came by, in one transaction. Storing it once more
    /// changes nothing. A session that has ended in the meantime does not keep the grant out. What a hold reaches is stored
    /// switched off.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when what it replaces is gone, ended or was replaced or refreshed since: read it again, seal
    /// for its next generation and repeat. [`StoreError::Missing`] when the customer or the app was deleted.
    pub async fn connection_store_grant(
        &self,
        grant: &NewGrant,
        event: NewEvent,
        session: Option<ConnectSessionId>,
    ) -> Result<()> {
        let now = time::to_millis(event.at);
        let columns = grant.columns(now)?;
        let of = (grant.id, grant.environment, grant.customer, grant.app);
        let mut raced = false;
        loop {
            let stored: Result<()> = transact!(self, tx, {
                let row = Entity::find_by_id(grant.id.as_uuid()).lock_exclusive().one(tx).await?;
                match row {
                    Some(row) if grant.is_stored_in(&row) => return Ok(()),
                    Some(row) if grant.replaces(&row) => {
                        let next = ActiveModel { id: Set(row.id), fence: Set(row.fence + 1), ..columns.clone() };
                        Entity::update(next).exec_without_returning(tx).await?;
                    }
                    None if grant.replaces_family.is_none() => {
                        self.owners_alive(tx, grant.customer, grant.app).await?;
                        let inserted =
                            Entity::insert(new_row(of, now, columns.clone())).exec_without_returning(tx).await;
                        inserted.map_err(StoreError::on_insert("connection"))?;
                    }
                    Some(_) | None => return Err(StoreError::Stale("connection")),
                }
                events::append(tx, vec![event.row(grant.id)]).await?;
                self.held_if_covered(tx, grant.id, &event).await?;
                if let Some(session) = session {
                    tx.execute_raw(self.completed(session, grant.id).build()).await?;
                }
                Ok(())
            });
            match stored {
                // The same grant was stored at the same instant from elsewhere: now it is there to be seen.
                Err(StoreError::Conflict(_)) if !raced => raced = true,
                stored => break stored,
            }
        }
    }

    /// Stores a connection that waits for its first consent: family and generation 0, no tokens.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the id is taken, [`StoreError::Missing`] when the customer or the app was deleted.
    pub async fn connection_insert_pending(&self, pending: &NewPending) -> Result<()> {
        let now = time::to_millis(pending.at);
        let columns = ActiveModel {
            connector_version: Set(pending.connector_version),
            family: Set(0),
            failures: Set(0),
            state: Set(ConnectionState::Pending.as_str().to_owned()),
            state_reason: Set(StateReason::Consented.as_str().to_owned()),
            state_since: Set(now),
            generation: Set(0),
            granted_at: Set(now),
            updated_at: Set(now),
            requested_scopes: Set(write_scopes(&pending.requested_scopes)),
            variables: Set(write_variables(&pending.variables)?),
            suspicions: Set(0),
            ..Default::default()
        };
        let row = new_row((pending.id, pending.environment, pending.customer, pending.app), now, columns);
        transact!(self, tx, {
            self.owners_alive(tx, pending.customer, pending.app).await?;
            let inserted = Entity::insert(row.clone()).exec_without_returning(tx).await;
            inserted.map(drop).map_err(StoreError::on_insert("connection"))
        })
    }

    /// Locked against their deletion until the connection is in.
    async fn owners_alive(&self, tx: &DatabaseTransaction, customer: CustomerKey, app: AppKey) -> Result<()> {
        self.alive(tx, "SELECT 1 FROM customers", customer.as_uuid(), "customer").await?;
        self.alive(tx, "SELECT 1 FROM apps", app.as_uuid(), "app").await
    }

    async fn alive(&self, tx: &DatabaseTransaction, select: &str, id: Uuid, what: &'static str) -> Result<()> {
        let select = Sql::new(self.dialect, select).with(" WHERE deleted_at = 0 AND id = ", id);
        let found = tx.query_one_raw(select.text(self.dialect.for_share()).build()).await?;
        found.map(drop).ok_or(StoreError::Missing(what))
    }

    fn completed(&self, session: ConnectSessionId, connection: ConnectionId) -> Sql {
        Sql::new(
            self.dialect,
            "UPDATE connect_sessions SET status = 'completed', error = NULL, result_connection_id = ",
        )
        .bind(connection.as_uuid())
        .with(" WHERE id = ", session.as_uuid())
        .text(" AND status IN ('open', 'awaiting_completion')")
    }
}
