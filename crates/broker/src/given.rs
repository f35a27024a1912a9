//! Credentials that a customer gives, on the consent page or through the API: kept as they are, or used to ask for a token.
//!
//! Invariant: what the provider refuses is never stored; where a reply brings a refresh token, what was given is not stored
//! either. Deliberately absent: how further tokens are asked for, which is a refresh like any other.

use crate::connect::GrantTarget;
use crate::loaded::LoadedApp;
use crate::pasted::{Misfit, refused_by};
use crate::revoke::end_token;
use crate::{Broker, Credentials, Result};
use mortise_connectors::{RenewedBy, Values};
use mortise_domain::{AccessToken, ConnectionId, ScopeSet, StateReason, Timestamp, TokenGrant};
use mortise_oauth::{Failure, Given, MintError, RevocationToken, mint, request_verification, verification_of_token};
use std::time::Duration;

/// How long one asks for a first token, with a person waiting.
const PATIENCE: Duration = Duration::from_secs(30);

impl Broker {
    /// Finds out whether credentials are good, without keeping anything.
    pub(crate) async fn try_given(
        &self,
        app: &LoadedApp,
        values: &Values,
        given: &Credentials,
        reason: StateReason,
    ) -> Result<()> {
        if app.manifest.auth.renewal() != Some(RenewedBy::Credentials) {
            return self.try_pasted(app, values, given, reason).await;
        }
        let asked = self.ask_with(app, values, &app.requested_scopes(), given, self.clock.now()).await?;
        let grant = asked.map_err(|failure| refused_by(reason, app, Misfit::Provider(failure)))?;
        self.end_trial(app, values, &grant.access_token).await;
        Ok(())
    }

    /// Stores credentials, or what they are good for, if the provider accepts them.
    pub(crate) async fn connect_given(
        &self,
        app: &LoadedApp,
        target: GrantTarget<'_>,
        given: &Credentials,
        reason: StateReason,
    ) -> Result<ConnectionId> {
        if app.manifest.auth.renewal() != Some(RenewedBy::Credentials) {
            self.try_pasted(app, target.values, given, reason).await?;
        }
        self.store_given(app, target, given, reason).await
    }

    /// Stores credentials that were tried out, or the token that they are good for now.
    pub(crate) async fn store_given(
        &self,
        app: &LoadedApp,
        target: GrantTarget<'_>,
        given: &Credentials,
        reason: StateReason,
    ) -> Result<ConnectionId> {
        if app.manifest.auth.renewal() != Some(RenewedBy::Credentials) {
            return self.store_pasted(app, target, given, reason).await;
        }
        let sent_at = self.clock.now();
        let asked = self.ask_with(app, target.values, target.requested, given, sent_at).await?;
        let grant = asked.map_err(|failure| refused_by(reason, app, Misfit::Provider(failure)))?;
        self.store_grant(app, GrantTarget { given: Some(given), ..target }, grant, reason, sent_at).await
    }

    /// Asks for a first token with what there is, as the client where there is one.
    pub(crate) async fn ask_with(
        &self,
        app: &LoadedApp,
        values: &Values,
        scopes: &ScopeSet,
        credentials: &Credentials,
        sent_at: Timestamp,
    ) -> Result<std::result::Result<TokenGrant, Failure>> {
        let given = Given { credentials, scopes };
        let (provider, given) = (&app.provider(values), &given);
        let asked = app.as_client(|client| async move {
            match mint(&*self.transport, provider, &client, given, PATIENCE, sent_at).await {
                Ok(grant) => Ok(Ok(grant)),
                Err(MintError::Refused(refused)) => Ok(Err(refused.failure)),
                Err(MintError::Protocol(error)) => Err(error.into()),
            }
        });
        match asked.await? {
            Ok(grant) => self.tried_out(app, values, grant).await,
            refused @ Err(_) => Ok(refused),
        }
    }

    /// What nobody was asked for, a call of the API has to prove, where the manifest has one.
    async fn tried_out(
        &self,
        app: &LoadedApp,
        values: &Values,
        grant: TokenGrant,
    ) -> Result<std::result::Result<TokenGrant, Failure>> {
        let request = verification_of_token(&app.provider(values), &grant.access_token, &grant.kept)?;
        let (Some(call), Some(request)) = (app.manifest.auth.verification(), request) else { return Ok(Ok(grant)) };
        Ok(request_verification(&*self.transport, request, call).await.map(|()| grant))
    }

    /// A token that nobody will use is given back, where the provider takes it.
    async fn end_trial(&self, app: &LoadedApp, values: &Values, token: &AccessToken) {
        let ended = end_token(&*self.transport, app, values, RevocationToken::Access(token)).await;
        if let Ok(Err(failure)) = ended {
            tracing::info!(app = %app.app.id, %failure, "a token that was asked for as a trial could not be ended");
        }
    }
}
