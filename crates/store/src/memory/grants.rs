//! Storing a grant: as a new connection, or in the place of an older grant. Again changes nothing.

use super::books::{Books, whole};
use crate::{Connection, NewEvent, NewGrant, Result, StoreError};
use mortise_domain::{ConnectSessionId, ConnectionState, Timestamp};

impl Books {
    pub(super) fn store_grant(
        &mut self,
        grant: &NewGrant,
        event: &NewEvent,
        session: Option<ConnectSessionId>,
    ) -> Result<()> {
        let family = grant.replaces_family.map_or(1, |family| family + 1);
        let row = match self.row(grant.id) {
            Some(row) if row.family == family && row.granted_at == whole(grant.granted_at) => return Ok(()),
            Some(row) if replaces(grant, row) => {
                Connection { fence: row.fence + 1, ..granted(grant, family, event.at, row.clone()) }
            }
            None if grant.replaces_family.is_none() => {
                if !self.knows_customer(grant.customer) {
                    return Err(StoreError::Missing("customer"));
                }
                if !self.apps.contains_key(&grant.app) {
                    return Err(StoreError::Missing("app"));
                }
                granted(grant, family, event.at, blank(grant, event.at))
            }
            Some(_) | None => return Err(StoreError::Stale("connection")),
        };
        self.write_with(row, event)?;
        if let Some(session) = session {
            self.complete(session, grant.id);
        }
        Ok(())
    }
}

fn replaces(grant: &NewGrant, row: &Connection) -> bool {
    grant.replaces_family == Some(row.family)
        && row.generation + 1 == grant.generation
        && row.environment == grant.environment
        && row.customer == grant.customer
        && row.app == grant.app
        && row.state != ConnectionState::Revoked
}

/// What a grant fills in, whatever was there before; `row` has the rest.
fn granted(grant: &NewGrant, family: i32, now: Timestamp, row: Connection) -> Connection {
    let granted_scopes = grant.granted_scopes.clone().filter(|granted| *granted != grant.requested_scopes);
    Connection {
        connector_version: grant.connector_version,
        state: ConnectionState::Active,
        state_reason: grant.reason,
        state_since: now,
        family,
        generation: grant.generation,
        access: Some(grant.access.clone()),
        refresh: grant.refresh.clone(),
        expires_at: grant.expires_at,
        refreshed_at: Some(grant.granted_at),
        next_refresh_at: grant.next_refresh_at,
        granted_scopes,
        requested_scopes: grant.requested_scopes.clone(),
        variables: grant.variables.clone(),
        failures: 0,
        lease_owner: None,
        lease_until: None,
        attempt: None,
        attempt_deadline: None,
        last_error: None,
        suspicions: 0,
        suspected_at: None,
        previous_refresh: None,
        grant_expires_at: grant.grant_expires_at,
        refresh_idle_at: grant.refresh_idle_at,
        reauth_warned: None,
        granted_at: grant.granted_at,
        updated_at: now,
        ..row
    }
}

/// A connection that has nothing yet.
fn blank(grant: &NewGrant, now: Timestamp) -> Connection {
    Connection {
        id: grant.id,
        environment: grant.environment,
        customer: grant.customer,
        app: grant.app,
        connector_version: grant.connector_version,
        state: ConnectionState::Pending,
        state_reason: grant.reason,
        state_since: now,
        family: 0,
        generation: 0,
        access: None,
        refresh: None,
        expires_at: None,
        refreshed_at: None,
        next_refresh_at: None,
        granted_scopes: None,
        requested_scopes: grant.requested_scopes.clone(),
        variables: grant.variables.clone(),
        metadata: serde_json::json!({}),
        failures: 0,
        lease_owner: None,
        lease_until: None,
        fence: 0,
        attempt: None,
        attempt_deadline: None,
        last_error: None,
        suspicions: 0,
        suspected_at: None,
        previous_refresh: None,
        grant_expires_at: None,
        refresh_idle_at: None,
        used_at: None,
        reauth_warned: None,
        granted_at: grant.granted_at,
        created_at: now,
        updated_at: now,
    }
}
