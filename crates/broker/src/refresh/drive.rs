//! One attempt: from a claimed row to its outcome.

use super::timing::{first_refresh, lifetime_of};
use super::{Ended, Reason, Reply};
use crate::loaded::LoadedApp;
use crate::sealing::{Place, blames_the_row};
use crate::spill::{Entry, SpilledRefresh};
use crate::{Broker, Error, Internal, Result};
use mortise_connectors::{Grant, RecoveryClass};
use mortise_domain::{RefreshToken, StateReason, Timestamp, TokenGrant};
use mortise_oauth::{ClientRegistration, Failure, FailureClass, Outbound, client_credentials, refresh, request_token};
use mortise_store::Claimed;
use mortise_vault::VaultError;
use serde_json::json;
use std::time::Duration;

/// What is sent: a refresh token, or the client's own credentials again.
enum Credential {
    Refresh(RefreshToken),
    Client,
}

impl Broker {
    /// Runs a claimed attempt to its end. Never fails: what goes wrong is an outcome, and what nobody foresaw is logged
    /// and left for the lease to end.
    pub(super) async fn run(&self, claimed: Claimed, reason: Reason, claimed_at: Duration) -> Ended {
        let id = claimed.connection.id;
        match self.attempt(&claimed, reason, claimed_at).await {
            Ok(ended) => ended,
            Err(Error::Internal(Internal::Vault(error))) if blames_the_row(&error) => {
                self.quarantine(&claimed, &error).await
            }
            Err(error) => {
                tracing::error!(connection = %id, attempt = %claimed.attempt, error = ?error, "a refresh was interrupted");
                Ended::Interrupted
            }
        }
    }

    async fn attempt(&self, claimed: &Claimed, reason: Reason, claimed_at: Duration) -> Result<Ended> {
        let row = &claimed.connection;
        let app = self.load_app(row.app, row.connector_version).await?;
        let Some(credential) = self.credential(claimed, &app).await? else {
            return self.needs_reauth(claimed, StateReason::NoRefreshToken, None).await;
        };
        let sent_at = self.clock.now();
        let started = self.clock.monotonic();
        let answer = self.send(claimed, &app, &credential, claimed_at).await?;
        let millis = u64::try_from((self.clock.monotonic() - started).as_millis()).unwrap_or(u64::MAX);
        let detail = json!({"attempt": claimed.attempt, "reason": reason.as_str(), "duration_ms": millis});
        match answer {
            Ok(grant) => self.granted(claimed, &app, credential, grant, sent_at, detail).await,
            Err(failure) => self.failed(claimed, &app, failure, detail).await,
        }
    }

    async fn credential(&self, claimed: &Claimed, app: &LoadedApp) -> Result<Option<Credential>> {
        let row = &claimed.connection;
        let place = Place { environment: row.environment, connection: row.id, generation: row.generation };
        match (&row.refresh, app.manifest.auth.grant) {
            (Some(sealed), _) => Ok(Some(Credential::Refresh(self.open_refresh(place, sealed).await?))),
            (None, Grant::ClientCredentials) => Ok(Some(Credential::Client)),
            (None, Grant::AuthorizationCode) => Ok(None),
        }
    }

    /// Sends with the newest client secret; where the provider refuses that and an older one still lives, with the older.
    /// `invalid_client` proves that the refresh token was not looked at, so the second request is no reuse.
    async fn send(
        &self,
        claimed: &Claimed,
        app: &LoadedApp,
        credential: &Credential,
        claimed_at: Duration,
    ) -> Result<std::result::Result<TokenGrant, Failure>> {
        let mut last = None;
        for client in app.clients() {
            let mut request = self.request(claimed, app, &client, credential)?;
            let Some(left) = self.config.attempt().checked_sub(self.clock.monotonic() - claimed_at) else { break };
            request.deadline = request.deadline.min(left);
            match request_token(&*self.transport, request, &app.manifest).await {
                Err(failure) if failure.class == FailureClass::AppMisconfigured => last = Some(failure),
                answer => return Ok(answer),
            }
        }
        Ok(Err(last.unwrap_or_else(Failure::deadline_before_sending)))
    }

    fn request(
        &self,
        claimed: &Claimed,
        app: &LoadedApp,
        client: &ClientRegistration<'_>,
        credential: &Credential,
    ) -> Result<Outbound> {
        let row = &claimed.connection;
        let provider = app.provider(&row.variables);
        Ok(match credential {
            Credential::Refresh(token) => refresh(&provider, client, token)?,
            Credential::Client => client_credentials(&provider, client, &row.requested_scopes)?,
        })
    }

    async fn granted(
        &self,
        claimed: &Claimed,
        app: &LoadedApp,
        sent: Credential,
        grant: TokenGrant,
        sent_at: Timestamp,
        mut detail: serde_json::Value,
    ) -> Result<Ended> {
        let row = &claimed.connection;
        let lifetime = lifetime_of(&grant, &app.manifest);
        let next_refresh_at = lifetime.map(|life| first_refresh(sent_at, life, app, &*self.entropy));
        let place = Place { environment: row.environment, connection: row.id, generation: row.generation + 1 };
        // No new refresh token means that the one that was sent stays good (RFC 6749 section 6); it is sealed anew
        // because the generation is part of what a ciphertext is bound to.
        let rotated = grant.refresh_token.is_some();
        let kept = match sent {
            Credential::Refresh(token) => Some(token),
            Credential::Client => None,
        };
        let refresh = match grant.refresh_token.as_ref().or(kept.as_ref()) {
            Some(token) => Some(self.seal_refresh(row.customer, place, token).await?),
            None => None,
        };
        detail["rotated"] = json!(rotated);
        detail["expires_in"] = json!(lifetime.map(|life| life.as_secs()));
        detail["next_refresh_at"] = json!(next_refresh_at);
        let spilled = SpilledRefresh {
            environment: row.environment,
            connection: row.id,
            attempt: claimed.attempt,
            family: row.family,
            parent_generation: row.generation,
            access: self.seal_access(row.customer, place, &grant).await?,
            refresh,
            refreshed_at: sent_at,
            expires_at: lifetime.map(|life| sent_at + life),
            next_refresh_at,
            granted_scopes: grant.granted_scopes,
            detail,
        };
        let entry = Entry::Refresh(Box::new(spilled));
        let path = self.spill_entry(claimed.attempt.to_string(), &entry).await;
        let Entry::Refresh(spilled) = entry else { return Err(Error::missing("a spilled refresh")) };
        let ended = self.commit_patiently(&spilled).await?;
        if let Some(path) = path {
            self.spill.remove(path).await;
        }
        Ok(ended)
    }

    /// A database that is away for a moment must not cost a rotation: the pair stays in memory and on disk, and the commit
    /// is tried again for a while. After that the spill folder has it.
    async fn commit_patiently(&self, spilled: &SpilledRefresh) -> Result<Ended> {
        let until = self.clock.monotonic() + Duration::from_secs(15);
        loop {
            match self.noted(self.commit_refresh(spilled, Reply::Direct).await) {
                Err(Error::Unavailable(error)) if self.clock.monotonic() < until => {
                    tracing::warn!(connection = %spilled.connection, %error, "the database is away at a commit; trying again");
                    tokio::time::sleep(Duration::from_millis(250)).await;
                }
                other => return other,
            }
        }
    }

    async fn quarantine(&self, claimed: &Claimed, error: &VaultError) -> Ended {
        let id = claimed.connection.id;
        tracing::error!(connection = %id, %error, "stored credentials do not authenticate: the connection is quarantined");
        match self.quarantine_row(&claimed.connection).await {
            Ok(()) => Ended::Unusable,
            Err(error) => {
                tracing::error!(connection = %id, error = ?error, "a connection could not be quarantined");
                Ended::Interrupted
            }
        }
    }
}

/// Whether an attempt whose outcome is unknown may have spent the refresh token for good.
pub(super) fn may_have_spent(class: RecoveryClass) -> bool {
    match class {
        RecoveryClass::S | RecoveryClass::F => true,
        RecoveryClass::N | RecoveryClass::M | RecoveryClass::G | RecoveryClass::U => false,
    }
}
