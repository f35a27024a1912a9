//! Telling the provider that a grant has ended (RFC 7009).
//!
//! The tokens to revoke are queued, sealed, in the transaction that ends the connection: the local end does not wait for
//! the provider, and a provider that is down hears of it later.

use crate::loaded::{LoadedApp, LoadedApps};
use crate::refresh::{Apps as _, LateReplies, Seals as _};
use crate::renewal::RefreshTokens;
use crate::sealing::{Access, Place, Secrets};
use crate::spill::{SpilledGrant, SpilledRefresh};
use crate::{Error, Renewal, Result, timeline};
use async_trait::async_trait;
use mortise_connectors::{Auth, Values};
use mortise_domain::{
    AccessToken, Clock, Entropy, EventKind, LeaseOwner, RefreshToken, RevocationId, Sealed, Timestamp, backoff,
};
use mortise_oauth::{Failure, FailureClass, RevocationToken, Transport, request_revocation, revocation};
use mortise_store::{Connection, Ending, NewEvent, NewRevocation, Revocation, Store};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// How long a claimed revocation is nobody else's: two tokens, each told with two secrets at the most, with their deadlines.
const LEASE: Duration = Duration::from_secs(150);
/// After this many attempts (some two days) the provider is taken to have no use for the news.
const ATTEMPTS: i32 = 300;

/// Tells providers what has ended.
pub(crate) struct Revoker {
    pub(crate) store: Store,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) apps: Arc<LoadedApps>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) owner: LeaseOwner,
}

#[async_trait]
impl LateReplies for Revoker {
    /// The grant was replaced or ended while its refresh was out: the new pair belongs to nobody.
    async fn revoke(&self, pair: &SpilledRefresh) -> Result<()> {
        let Some(row) = self.store.connection_get(pair.environment, pair.connection).await? else {
            return Ok(());
        };
        let generation = pair.parent_generation + 1;
        let place = Place { environment: pair.environment, connection: pair.connection, generation };
        let mut queued = Vec::new();
        for doomed in self.open_doomed(place, pair.refresh.as_ref(), Some(&pair.access)).await? {
            let revocation = self.new_revocation(&row, doomed.refresh.as_ref(), doomed.access.as_ref()).await?;
            queued.push(revocation.id);
            let event = self.event(EventKind::LateReply, json!({"attempt": pair.attempt}));
            self.store.revocation_enqueue(revocation, event).await?;
        }
        self.revoke_soon(queued).await;
        Ok(())
    }
}

impl Revoker {
    fn event(&self, kind: EventKind, detail: serde_json::Value) -> NewEvent {
        timeline::line(&*self.clock, &*self.entropy, kind, detail)
    }

    /// The end of a connection as it is now, with what its provider has to be told.
    pub(crate) async fn ending_of(&self, row: &Connection, detail: serde_json::Value) -> Result<Ending> {
        Ok(Ending {
            environment: row.environment,
            connection: row.id,
            family: row.family,
            generation: row.generation,
            revocations: self.revocations_of(row).await?,
            event: self.event(EventKind::Revoked, detail),
        })
    }

    /// The revocations of a connection's present tokens; none if it has none.
    async fn revocations_of(&self, row: &Connection) -> Result<Vec<NewRevocation>> {
        let place = Place { environment: row.environment, connection: row.id, generation: row.generation };
        let mut revocations = Vec::new();
        for doomed in self.open_doomed(place, row.refresh.as_ref(), row.access.as_ref()).await? {
            revocations.push(self.new_revocation(row, doomed.refresh.as_ref(), doomed.access.as_ref()).await?);
        }
        Ok(revocations)
    }

    /// Tokens that are to end; what the customer gave is none, and no provider is told it here. What does not open, because it
    /// is damaged or its customer's key was destroyed, can be neither served nor revoked: nothing is held up by it.
    pub(crate) async fn open_doomed(
        &self,
        place: Place,
        refresh: Option<&Sealed>,
        access: Option<&Sealed>,
    ) -> Result<Vec<Doomed>> {
        let tokens = match refresh {
            Some(sealed) => match openable(self.secrets.open_renewal(place, sealed).await)? {
                Some(Renewal::RefreshToken(token)) => RefreshTokens { own: Some(token), ..RefreshTokens::default() },
                Some(Renewal::Several(tokens)) => tokens,
                Some(Renewal::Credentials(_)) | None => RefreshTokens::default(),
            },
            None => RefreshTokens::default(),
        };
        let access = match access {
            Some(sealed) => openable(self.secrets.open_access(place, sealed).await)?,
            None => None,
        };
        Ok(paired(tokens, access))
    }

    /// Revokes a spilled grant that found no connection to belong to.
    pub(crate) async fn revoke_orphan(&self, grant: &SpilledGrant) -> Result<()> {
        let place =
            Place { environment: grant.environment, connection: grant.connection, generation: grant.generation };
        let doomed = self.open_doomed(place, grant.refresh.as_ref(), Some(&grant.access)).await?;
        let app = self.apps.load(grant.app, grant.connector_version).await?;
        let tokens: Vec<_> = doomed.iter().flat_map(Doomed::tokens).collect();
        for token in tokens {
            if let Err(failure) = end_token(&*self.transport, &app, &grant.variables, token).await? {
                tracing::warn!(connection = %grant.connection, %failure, "an orphaned grant could not be revoked");
            }
        }
        Ok(())
    }

    pub(crate) async fn new_revocation(
        &self,
        row: &Connection,
        refresh: Option<&RefreshToken>,
        access: Option<&AccessToken>,
    ) -> Result<NewRevocation> {
        let id = RevocationId::generate(&*self.clock, &*self.entropy);
        // Sealed for the environment, not for the customer, whose key may be destroyed before the provider answers.
        let refresh = match refresh {
            Some(token) => Some(self.secrets.seal_doomed_refresh(row.environment, id, token).await?),
            None => None,
        };
        let access = match access {
            Some(token) => Some(self.secrets.seal_doomed_access(row.environment, id, token).await?),
            None => None,
        };
        Ok(NewRevocation {
            id,
            environment: row.environment,
            connection: row.id,
            app: row.app,
            connector_version: row.connector_version,
            variables: row.variables.clone(),
            refresh,
            access,
            due_at: self.clock.now(),
        })
    }

    /// Tries queued revocations right away; what fails stays queued.
    pub(crate) async fn revoke_soon(&self, ids: Vec<RevocationId>) {
        for id in ids {
            let tried = async {
                match self.store.revocation_claim_one(id, self.owner, LEASE).await? {
                    Some(row) => self.tell(row).await,
                    None => Ok(()),
                }
            };
            if let Err(error) = tried.await {
                tracing::warn!(revocation = %id, error = ?error, "a revocation waits for the worker");
            }
        }
    }

    /// Tells providers what is due to be told, a bounded batch at a time; answers how many were tried.
    pub(crate) async fn revoke_due(&self) -> Result<usize> {
        let rows = self.store.revocations_claim(self.owner, 32, LEASE).await?;
        let tried = rows.len();
        futures_util::future::try_join_all(rows.into_iter().map(|row| self.tell(row))).await?;
        Ok(tried)
    }

    /// Refresh token first, because revoking it usually ends the access token too (RFC 7009 section 2.1).
    async fn tell(&self, row: Revocation) -> Result<()> {
        let app = self.apps.load(row.app, row.connector_version).await?;
        let mut told = false;
        // A login's refresh token ends with its token; there is no request for it.
        let alone = matches!(app.manifest.auth, Auth::TwoStep(_));
        if let Some(sealed) = row.refresh.as_ref().filter(|_| !alone) {
            let token = self.secrets.open_doomed_refresh(row.environment, row.id, sealed).await?;
            match end_token(&*self.transport, &app, &row.variables, RevocationToken::Refresh(&token)).await? {
                Ok(Telling::Told) => told = true,
                Ok(Telling::NoWay) => return self.no_way(row).await,
                Err(failure) => return self.revocation_failed(row, &failure).await,
            }
        }
        if let Some(sealed) = &row.access {
            let token = self.secrets.open_doomed_access(row.environment, row.id, sealed).await?;
            match end_token(&*self.transport, &app, &row.variables, RevocationToken::Access(&token)).await? {
                Ok(Telling::Told) => {}
                Ok(Telling::NoWay) => return self.no_way(row).await,
                // RFC 7009 section 2.2.1: a server may only know how to revoke refresh tokens.
                Err(failure) if told && failure.class == FailureClass::Unknown => {}
                Err(failure) => return self.revocation_failed(row, &failure).await,
            }
        }
        let event = self.event(EventKind::RevokedUpstream, json!({"attempts": row.attempts + 1}));
        Ok(self.store.revocation_done(row.id, event).await?)
    }

    async fn no_way(&self, row: Revocation) -> Result<()> {
        let why = "the connector names no revocation endpoint: the tokens end by themselves, or by the customer's hand";
        Ok(self.store.revocation_done(row.id, self.event(EventKind::RevocationFailed, json!({"why": why}))).await?)
    }

    async fn revocation_failed(&self, row: Revocation, failure: &Failure) -> Result<()> {
        let attempts = row.attempts + 1;
        let detail =
            json!({"attempts": attempts, "status": failure.status, "error": failure.error, "what": failure.detail});
        // A refused client will not be accepted by asking again soon, but an admin may mend it.
        if attempts >= ATTEMPTS || failure.class == FailureClass::GrantRejected {
            return Ok(self.store.revocation_done(row.id, self.event(EventKind::RevocationFailed, detail)).await?);
        }
        let due_at = self.next_revocation(attempts, failure);
        let error = failure.error.clone().unwrap_or_else(|| failure.detail.to_owned());
        Ok(self.store.revocation_retry(row.id, due_at, attempts, &error).await?)
    }

    fn next_revocation(&self, attempts: i32, failure: &Failure) -> Timestamp {
        let wait = backoff(u32::try_from(attempts).unwrap_or(1), self.entropy.fraction());
        self.clock.now() + wait.max(failure.retry_after.unwrap_or_default())
    }
}

/// Whether a provider could be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Telling {
    /// It was.
    Told,
    /// Its connector has no request for it.
    NoWay,
}

/// Tells the provider that `token` has ended (RFC 7009 section 2.1).
pub(crate) async fn end_token(
    transport: &dyn Transport,
    app: &LoadedApp,
    values: &Values,
    token: RevocationToken<'_>,
) -> Result<std::result::Result<Telling, Failure>> {
    let ended = app.as_client(|client| async move {
        match revocation(&app.provider(values), &client, token)? {
            Some(request) => Ok(request_revocation(transport, request).await.map(|()| Telling::Told)),
            None => Ok(Ok(Telling::NoWay)),
        }
    });
    ended.await
}

/// A token that is to end, with what it is renewed with.
pub(crate) struct Doomed {
    refresh: Option<RefreshToken>,
    access: Option<AccessToken>,
}

impl Doomed {
    fn tokens(&self) -> impl Iterator<Item = RevocationToken<'_>> {
        let refresh = self.refresh.iter().map(RevocationToken::Refresh);
        refresh.chain(self.access.iter().map(RevocationToken::Access))
    }
}

/// The connection's own token first, then its further ones; each with its refresh token, as far as there is one of either.
fn paired(mut refresh: RefreshTokens, access: Option<Access>) -> Vec<Doomed> {
    let (own, kept) = access.map_or((None, None), |access| (Some(access.token), access.further));
    let mut doomed = vec![Doomed { refresh: refresh.own.take(), access: own }];
    for (name, kept) in kept.into_iter().flat_map(|kept| kept.tokens) {
        doomed.push(Doomed { refresh: refresh.further.remove(&name), access: Some(kept.token) });
    }
    doomed.extend(refresh.further.into_values().map(|token| Doomed { refresh: Some(token), access: None }));
    doomed.retain(|doomed| doomed.refresh.is_some() || doomed.access.is_some());
    doomed
}

/// A database that is away is no reason to give a secret up.
fn openable<T>(opened: Result<T>) -> Result<Option<T>> {
    match opened {
        Ok(secret) => Ok(Some(secret)),
        Err(error @ Error::Unavailable(_)) => Err(error),
        Err(error) => {
            tracing::warn!(error = ?error, "a stored token does not open and cannot be revoked");
            Ok(None)
        }
    }
}
