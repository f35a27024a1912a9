//! A row of `connections` as a connection.

use super::Connection;
use crate::entity::connections::Model;
use crate::row::{Reading, read_scopes};
use crate::{Result, StoreError};
use mortise_domain::{AppKey, AttemptId, ConnectionId, CustomerKey, EnvironmentKey, LeaseOwner, Sealed};

impl TryFrom<Model> for Connection {
    type Error = StoreError;

    fn try_from(model: Model) -> Result<Self> {
        let reading = Reading { table: "connections", row: model.id };
        Ok(Self {
            id: ConnectionId::from_uuid(model.id),
            environment: EnvironmentKey::from_uuid(model.environment_id),
            customer: CustomerKey::from_uuid(model.customer_id),
            app: AppKey::from_uuid(model.app_id),
            connector_version: model.connector_version,
            state: reading.word("state", &model.state)?,
            state_reason: reading.word("state_reason", &model.state_reason)?,
            state_since: reading.time("state_since", model.state_since)?,
            family: model.family,
            generation: model.generation,
            access: model.access_token.map(Sealed::from_bytes),
            refresh: model.refresh_token.map(Sealed::from_bytes),
            expires_at: reading.some_time("expires_at", model.expires_at)?,
            refreshed_at: reading.some_time("refreshed_at", model.refreshed_at)?,
            next_refresh_at: reading.some_time("next_refresh_at", model.next_refresh_at)?,
            granted_scopes: model.granted_scopes.as_deref().map(read_scopes),
            requested_scopes: read_scopes(&model.requested_scopes),
            variables: reading.variables("variables", model.variables.as_deref())?,
            metadata: reading.object("metadata", model.metadata.as_deref())?,
            failures: model.failures,
            lease_owner: model.lease_owner.map(LeaseOwner::from_uuid),
            lease_until: reading.some_time("lease_until", model.lease_until)?,
            fence: model.fence,
            attempt: model.attempt_id.map(AttemptId::from_uuid),
            attempt_deadline: reading.some_time("attempt_deadline", model.attempt_deadline)?,
            last_error: model.last_error,
            suspicions: model.suspicions,
            suspected_at: reading.some_time("suspected_at", model.suspected_at)?,
            previous_refresh: model.previous_refresh_token.map(Sealed::from_bytes),
            grant_expires_at: reading.some_time("grant_expires_at", model.grant_expires_at)?,
            refresh_idle_at: reading.some_time("refresh_idle_at", model.refresh_idle_at)?,
            used_at: reading.some_time("used_at", model.used_at)?,
            reauth_warned: model.reauth_warned,
            granted_at: reading.time("granted_at", model.granted_at)?,
            created_at: reading.time("created_at", model.created_at)?,
            updated_at: reading.time("updated_at", model.updated_at)?,
        })
    }
}
