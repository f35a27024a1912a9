//! What is in an entry: a grant as the row will hold it, tokens sealed, as one line of JSON.
//!
//! Invariant: what an earlier version wrote still reads; a member that is new has a default. Deliberately absent: any token
//! in clear.

use crate::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mortise_connectors::Values;
use mortise_domain::{
    AppKey, AttemptId, ConnectSessionId, ConnectionId, CustomerKey, EnvironmentKey, EventKind, ScopeSet, Sealed,
    StateReason, Timestamp,
};
use mortise_store::{NewGrant, RefreshResult};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One entry.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Entry {
    /// The answer to a refresh.
    Refresh(Box<SpilledRefresh>),
    /// A first grant, or one that replaces another.
    Grant(Box<SpilledGrant>),
}

/// A refreshed pair, as the row will hold it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SpilledRefresh {
    /// Where the connection belongs.
    pub environment: EnvironmentKey,
    /// Which one.
    pub connection: ConnectionId,
    /// The attempt that brought the pair.
    pub attempt: AttemptId,
    /// The grant that was refreshed.
    pub family: i32,
    /// The pair that was spent; the ciphertexts are bound to one more.
    pub parent_generation: i64,
    /// The access token.
    #[serde(with = "sealed")]
    pub access: Sealed,
    /// The refresh token that is good from now on.
    #[serde(with = "optional_sealed", default)]
    pub refresh: Option<Sealed>,
    /// The refresh token that was spent, sealed for `parent_generation`, where it may still be good.
    #[serde(with = "optional_sealed", default)]
    pub previous_refresh: Option<Sealed>,
    /// When the pair was asked for.
    pub refreshed_at: Timestamp,
    /// When the access token ends.
    pub expires_at: Option<Timestamp>,
    /// When the next refresh is due.
    pub next_refresh_at: Option<Timestamp>,
    /// When the grant ends whatever is done, as far as the reply tells.
    #[serde(default)]
    pub grant_expires_at: Option<Timestamp>,
    /// When the refresh token ends unless it is used before.
    #[serde(default)]
    pub refresh_idle_at: Option<Timestamp>,
    /// What was granted; `None`: what was requested.
    pub granted_scopes: Option<ScopeSet>,
    /// What the timeline says about it.
    pub detail: serde_json::Value,
}

/// A stored connection to be.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SpilledGrant {
    /// Where the connection belongs.
    pub environment: EnvironmentKey,
    /// Its id, new or of the one that is replaced.
    pub connection: ConnectionId,
    /// Whose it is.
    pub customer: CustomerKey,
    /// At which app.
    pub app: AppKey,
    /// The version of the app's connector that the grant was made with.
    pub connector_version: i32,
    /// How it came to be.
    pub reason: StateReason,
    /// The grant that it replaces; `None`: a new connection.
    pub replaces_family: Option<i32>,
    /// The generation that the ciphertexts are bound to.
    pub generation: i64,
    /// The access token.
    #[serde(with = "sealed")]
    pub access: Sealed,
    /// The refresh token.
    #[serde(with = "optional_sealed", default)]
    pub refresh: Option<Sealed>,
    /// When it was asked for.
    pub sent_at: Timestamp,
    /// When the access token ends.
    pub expires_at: Option<Timestamp>,
    /// When the next refresh is due.
    pub next_refresh_at: Option<Timestamp>,
    /// When the grant ends whatever is done.
    #[serde(default)]
    pub grant_expires_at: Option<Timestamp>,
    /// When the refresh token ends unless it is used before.
    #[serde(default)]
    pub refresh_idle_at: Option<Timestamp>,
    /// What was granted; `None`: what was requested.
    pub granted_scopes: Option<ScopeSet>,
    /// What was requested.
    pub requested_scopes: ScopeSet,
    /// What the customer filled in.
    pub variables: Values,
    /// The session that it came by.
    pub session: Option<ConnectSessionId>,
    /// What the timeline calls it.
    pub event: EventKind,
    /// What the timeline says about it.
    pub detail: serde_json::Value,
}

impl Entry {
    /// What is put into the spill.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok(serde_json::to_vec(self)?)
    }

    /// What the spill answers.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Ok(serde_json::from_slice(bytes)?)
    }

    /// When its tokens were asked for.
    pub fn asked_at(&self) -> Timestamp {
        match self {
            Self::Refresh(pair) => pair.refreshed_at,
            Self::Grant(grant) => grant.sent_at,
        }
    }

    /// Where the connection belongs.
    pub fn environment(&self) -> EnvironmentKey {
        match self {
            Self::Refresh(pair) => pair.environment,
            Self::Grant(grant) => grant.environment,
        }
    }

    /// Which of the connection's pairs it brings.
    pub fn generation(&self) -> i64 {
        match self {
            Self::Refresh(pair) => pair.parent_generation + 1,
            Self::Grant(grant) => grant.generation,
        }
    }

    /// Which connection it is about.
    pub fn connection(&self) -> ConnectionId {
        match self {
            Self::Refresh(pair) => pair.connection,
            Self::Grant(grant) => grant.connection,
        }
    }
}

impl SpilledRefresh {
    /// The pair as it is committed.
    pub fn result(&self) -> RefreshResult {
        RefreshResult {
            environment: self.environment,
            id: self.connection,
            attempt: self.attempt,
            family: self.family,
            parent_generation: self.parent_generation,
            access: self.access.clone(),
            refresh: self.refresh.clone(),
            refreshed_at: self.refreshed_at,
            expires_at: self.expires_at,
            next_refresh_at: self.next_refresh_at,
            granted_scopes: self.granted_scopes.clone(),
            grant_expires_at: self.grant_expires_at,
            refresh_idle_at: self.refresh_idle_at,
            previous_refresh: self.previous_refresh.clone(),
        }
    }
}

impl SpilledGrant {
    /// The grant as it is stored.
    pub fn row(&self) -> NewGrant {
        NewGrant {
            id: self.connection,
            environment: self.environment,
            customer: self.customer,
            app: self.app,
            connector_version: self.connector_version,
            reason: self.reason,
            replaces_family: self.replaces_family,
            generation: self.generation,
            access: self.access.clone(),
            refresh: self.refresh.clone(),
            granted_at: self.sent_at,
            expires_at: self.expires_at,
            next_refresh_at: self.next_refresh_at,
            grant_expires_at: self.grant_expires_at,
            refresh_idle_at: self.refresh_idle_at,
            granted_scopes: self.granted_scopes.clone(),
            requested_scopes: self.requested_scopes.clone(),
            variables: self.variables.clone(),
        }
    }
}

mod sealed {
    use super::*;

    pub(super) fn serialize<S: Serializer>(sealed: &Sealed, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(sealed.as_bytes()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Sealed, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Sealed::from_bytes).map_err(serde::de::Error::custom)
    }
}

mod optional_sealed {
    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Inner(#[serde(with = "super::sealed")] Sealed);

    pub(super) fn serialize<S: Serializer>(
        sealed: &Option<Sealed>,
        serializer: S,
    ) -> std::result::Result<S::Ok, S::Error> {
        sealed.clone().map(Inner).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> std::result::Result<Option<Sealed>, D::Error> {
        Ok(Option::<Inner>::deserialize(deserializer)?.map(|inner| inner.0))
    }
}

#[cfg(test)]
mod tests;
