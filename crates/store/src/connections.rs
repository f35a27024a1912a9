//! Connections: reading them, and the one thing about them that is their owner's to change.

mod model;
mod reauth;
mod used;

use crate::entity::connections::{ActiveModel, Column, Entity};
use crate::row::write_object;
use crate::serving::serve;
use crate::sql::Sql;
use crate::{Page, Result, Store};
use mortise_domain::{
    AppKey, AttemptId, ConnectionId, ConnectionState, CustomerKey, EnvironmentKey, LeaseOwner, ScopeSet, Sealed,
    StateReason, Timestamp,
};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use sea_orm::{QuerySelect as _, QueryTrait as _};
use std::collections::BTreeMap;
use uuid::Uuid;

pub use reauth::ReauthDue;

/// A connection: one customer's grant at one app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Its id.
    pub id: ConnectionId,
    /// Where it belongs.
    pub environment: EnvironmentKey,
    /// Whose it is.
    pub customer: CustomerKey,
    /// At which app.
    pub app: AppKey,
    /// The connector's version that it was made with.
    pub connector_version: i32,
    /// What it is.
    pub state: ConnectionState,
    /// Why it is that.
    pub state_reason: StateReason,
    /// Since when.
    pub state_since: Timestamp,
    /// Counts the grants: 0 before the first, up with every new consent and with the end.
    pub family: i32,
    /// Counts the token pairs over all grants; the ciphertexts are bound to it.
    pub generation: i64,
    /// The access token, sealed.
    pub access: Option<Sealed>,
    /// The refresh token, sealed.
    pub refresh: Option<Sealed>,
    /// When the access token ends.
    pub expires_at: Option<Timestamp>,
    /// When it was got.
    pub refreshed_at: Option<Timestamp>,
    /// When a refresh is due; `None`: never.
    pub next_refresh_at: Option<Timestamp>,
    /// What was granted; `None`: what was requested.
    pub granted_scopes: Option<ScopeSet>,
    /// What was requested.
    pub requested_scopes: ScopeSet,
    /// What the customer filled in.
    pub variables: BTreeMap<String, String>,
    /// Whatever its owners keep with it: an object.
    pub metadata: serde_json::Value,
    /// Failed refreshes in a row.
    pub failures: i32,
    /// Who may refresh it now.
    pub lease_owner: Option<LeaseOwner>,
    /// Until when, by the database's clock.
    pub lease_until: Option<Timestamp>,
    /// Counts the claims and their ends: a writer of an older one is too late.
    pub fence: i64,
    /// A refresh that began and has no known outcome.
    pub attempt: Option<AttemptId>,
    /// Until when it may still be under way, by the database's clock.
    pub attempt_deadline: Option<Timestamp>,
    /// How the last failed refresh ended; cut at 255 characters.
    pub last_error: Option<String>,
    /// How often in a row the provider refused the refresh token without that being believed yet.
    pub suspicions: i32,
    /// When it did so first.
    pub suspected_at: Option<Timestamp>,
    /// The refresh token before the present one, sealed for the generation before, where it may still be good.
    pub previous_refresh: Option<Sealed>,
    /// When the grant ends whatever is done; `None`: it is not known to end.
    pub grant_expires_at: Option<Timestamp>,
    /// When the refresh token ends unless it is used before; `None`: it is not known to.
    pub refresh_idle_at: Option<Timestamp>,
    /// When somebody last fetched a token, to the hour.
    pub used_at: Option<Timestamp>,
    /// The last warning of the grant's end: how many days ahead it told of.
    pub reauth_warned: Option<i32>,
    /// When the provider gave the present grant.
    pub granted_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last, claims apart.
    pub updated_at: Timestamp,
}

/// Which connections are wanted; `None` does not restrict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ConnectionFilter {
    /// Of this customer.
    pub customer: Option<CustomerKey>,
    /// At this app.
    pub app: Option<AppKey>,
    /// In this state.
    pub state: Option<ConnectionState>,
}

impl Store {
    /// One connection, revoked ones too.
    pub async fn connection_get(&self, environment: EnvironmentKey, id: ConnectionId) -> Result<Option<Connection>> {
        let query = Entity::find_by_id(id.as_uuid()).filter(Column::EnvironmentId.eq(environment.as_uuid()));
        query.one(&self.db).await?.map(TryInto::try_into).transpose()
    }

    /// The customer's connections at an app that are not revoked, oldest first.
    pub async fn connection_find(
        &self,
        environment: EnvironmentKey,
        customer: CustomerKey,
        app: AppKey,
    ) -> Result<Vec<Connection>> {
        self.not_revoked(environment, customer, Some(app)).await
    }

    /// All of the customer's connections that are not revoked, oldest first.
    pub async fn connections_of_customer(
        &self,
        environment: EnvironmentKey,
        customer: CustomerKey,
    ) -> Result<Vec<Connection>> {
        self.not_revoked(environment, customer, None).await
    }

    async fn not_revoked(
        &self,
        environment: EnvironmentKey,
        customer: CustomerKey,
        app: Option<AppKey>,
    ) -> Result<Vec<Connection>> {
        let query = Entity::find()
            .filter(Column::CustomerId.eq(customer.as_uuid()))
            .apply_if(app, |query, app| query.filter(Column::AppId.eq(app.as_uuid())))
            .filter(Column::EnvironmentId.eq(environment.as_uuid()))
            .filter(Column::State.ne(ConnectionState::Revoked.as_str()))
            .order_by_asc(Column::Id);
        let rows = serve!(self, db, query.clone().all(db))?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// A page of an environment's connections, revoked ones too.
    pub async fn connection_list(
        &self,
        environment: EnvironmentKey,
        filter: &ConnectionFilter,
        page: Page,
    ) -> Result<(Vec<Connection>, Option<Uuid>)> {
        let rows = Entity::find()
            .filter(Column::EnvironmentId.eq(environment.as_uuid()))
            .apply_if(filter.customer, |query, key| query.filter(Column::CustomerId.eq(key.as_uuid())))
            .apply_if(filter.app, |query, key| query.filter(Column::AppId.eq(key.as_uuid())))
            .apply_if(filter.state, |query, state| query.filter(Column::State.eq(state.as_str())))
            .apply_if(page.after, |query, after| query.filter(Column::Id.gt(after)))
            .order_by_asc(Column::Id)
            .limit(page.fetch())
            .all(&self.db)
            .await?;
        let (rows, next) = page.cut(rows, |row| row.id);
        Ok((rows.into_iter().map(TryInto::try_into).collect::<Result<_>>()?, next))
    }

    /// Replaces the metadata; `false` when there is no such connection.
    pub async fn connection_set_metadata(
        &self,
        environment: EnvironmentKey,
        id: ConnectionId,
        metadata: &serde_json::Value,
    ) -> Result<bool> {
        let update = Entity::update_many()
            .set(ActiveModel { metadata: Set(write_object(metadata)), ..Default::default() })
            .filter(Column::Id.eq(id.as_uuid()))
            .filter(Column::EnvironmentId.eq(environment.as_uuid()))
            .build(self.dialect.backend());
        Ok(self.write(update).await?.rows_affected() == 1)
    }

    pub(crate) async fn connection_exists(&self, environment: EnvironmentKey, id: ConnectionId) -> Result<bool> {
        let select = Sql::new(self.dialect, "SELECT 1 FROM connections WHERE id = ")
            .bind(id.as_uuid())
            .with(" AND environment_id = ", environment.as_uuid());
        Ok(self.db.query_one_raw(select.build()).await?.is_some())
    }
}
