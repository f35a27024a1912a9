//! From a code, or from the client's own credentials, to a stored connection.
//!
//! Persist before publish: the grant goes to the spill folder as soon as it arrives and into the database next; only then
//! does anybody hear of it. A process that dies in between leaves the grant where the next start finds it.

use super::brought::{Brought, is_implicit};
use super::lifetime::endless;
use crate::further::{FurtherTokens, shared_life};
use crate::loaded::LoadedApp;
use crate::refresh::Seals as _;
use crate::refresh::core::{Granted, Rules, first};
use crate::renewal::RefreshTokens;
use crate::sealing::Place;
use crate::spill::SpilledGrant;
use crate::timeline::told;
use crate::{Broker, ConnectFault, Error, Result};
use mortise_connectors::Values;
use mortise_domain::{
    ConnectSessionId, ConnectionId, ConnectionState, CustomerKey, EventKind, ScopeSet, StateReason, Timestamp,
    TokenGrant,
};
use mortise_oauth::{
    Credentials, Failure, FailureClass, ProtocolError, believe, code_exchange, implicit_grant, request_token,
};
use mortise_store::{Attempt, ConnectSession, Connection};
use serde_json::json;

/// Where a grant belongs.
pub(crate) struct GrantTarget<'a> {
    pub(crate) customer: CustomerKey,
    pub(crate) session: Option<ConnectSessionId>,
    pub(crate) replaces: Option<ConnectionId>,
    pub(crate) values: &'a Values,
    pub(crate) requested: &'a ScopeSet,
    /// What to ask for further tokens with, where the grant brings no refresh token.
    pub(crate) given: Option<&'a Credentials>,
}

impl<'a> GrantTarget<'a> {
    pub(super) fn of(session: &ConnectSession, attempt: &'a Attempt) -> Self {
        Self {
            customer: session.customer,
            session: Some(session.id),
            replaces: session.connection,
            values: &attempt.variables,
            requested: &attempt.scopes,
            given: None,
        }
    }
}

/// Who asked for a grant to the client itself, and so how its failure is told.
#[derive(Clone, Copy)]
pub(crate) enum ClientGrant {
    /// A customer on the consent page.
    Connect,
    /// `POST /v1/connections`.
    Api,
}

impl Broker {
    /// Sends a code to the token endpoint, once for each secret that the provider may know, and stores what comes back (RFC
    /// 6749 section 4.1.3), after the calls that some providers want beside it.
    pub(super) async fn exchange_code(
        &self,
        app: &LoadedApp,
        attempt: &Attempt,
        brought: &Brought,
        target: GrantTarget<'_>,
    ) -> Result<ConnectionId> {
        if app.manifest.auth.oauth1().is_some() {
            return self.exchange_verifier(app, attempt, brought, target).await;
        }
        if is_implicit(&app.manifest) {
            let grant = implicit_grant(&app.manifest, brought.code.expose()).map_err(exchange_failed)?;
            let grant = self.with_fields(app, &target, brought, grant).await?;
            let came_at = attempt.consumed_at.unwrap_or_else(|| self.clock.now());
            return self.store_grant(app, target, grant, StateReason::Consented, came_at).await;
        }
        let verifier = self.secrets.open_verifier(attempt.environment, attempt.id, &attempt.verifier).await?;
        let verifier = &verifier;
        let exchanged = app.as_client(|client| async move {
            let request = code_exchange(&app.provider(target.values), &client, &brought.code, verifier);
            let (request, sent_at) = (request.map_err(outlived)?, self.clock.now());
            let grant = request_token(&*self.transport, request, &app.manifest).await;
            Ok(grant.map(|grant| (grant, sent_at)))
        });
        let exchanged = exchanged.await?;
        known_bad!(CodeExchangeRetry => if exchanged.is_err() { return self.exchange_again(app, attempt, &brought.code, target).await; });
        let (grant, sent_at) = exchanged.map_err(exchange_failed)?;
        let (grant, sent_at) = self.made_to_last(app, &target, grant, sent_at).await?;
        let grant = self.with_fields(app, &target, brought, grant).await?;
        self.store_grant(app, target, grant, StateReason::Consented, sent_at).await
    }

    /// Asks for a token for the client itself (RFC 6749 section 4.4) and stores it.
    pub(crate) async fn grant_to_client(
        &self,
        app: &LoadedApp,
        target: GrantTarget<'_>,
        asked: ClientGrant,
    ) -> Result<ConnectionId> {
        let sent_at = self.clock.now();
        let grant = self.ask_with(app, target.values, target.requested, &Credentials::new(), sent_at).await?;
        let grant = grant.map_err(|failure| match asked {
            ClientGrant::Connect => exchange_failed(failure),
            ClientGrant::Api => crate::refresh::failure_as_error(&app.app.id, &failure),
        })?;
        self.store_grant(app, target, grant, StateReason::ClientCredentials, sent_at).await
    }

    /// Stores a grant as a new connection, or in the place of the one that it repairs. If that one is refreshed or replaced
    /// at this very moment, the grant is sealed for what it has become and stored again: a grant is not given back.
    pub(crate) async fn store_grant(
        &self,
        app: &LoadedApp,
        target: GrantTarget<'_>,
        mut grant: TokenGrant,
        reason: StateReason,
        sent_at: Timestamp,
    ) -> Result<ConnectionId> {
        believe(self.transport.policy(), &app.provider(target.values), &mut grant.extra);
        loop {
            let replaced = self.replaced(app, &target).await?;
            self.keep_to_the_account(app, &target, replaced.as_ref(), &grant).await?;
            let spilled = self.sealed_grant(app, &target, &grant, reason, sent_at, replaced).await?;
            let connection = spilled.connection;
            let unknown = endless(&spilled);
            match self.spill_then_store(spilled).await {
                Ok(()) => {
                    self.note_account(app, connection, &grant.extra, sent_at).await;
                    if let Some(stored) = unknown {
                        self.learn_end(app, stored, grant.access_token).await;
                    }
                    return Ok(connection);
                }
                Err(Error::Stale(_)) => {
                    tracing::info!(%connection, "a connection changed while its new grant was stored")
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Refuses to repair a connection with a grant of another account, whose data would be taken for the first one's, and
    /// gives that grant back (OWASP ASVS 5.0 section 10.5.2). A customer who connects anew may choose another.
    async fn keep_to_the_account(
        &self,
        app: &LoadedApp,
        target: &GrantTarget<'_>,
        replaced: Option<&Connection>,
        grant: &TokenGrant,
    ) -> Result<()> {
        let Some(repaired) = replaced.filter(|_| target.replaces.is_some()) else { return Ok(()) };
        if !self.is_of_other_account(app, repaired, &grant.extra).await? {
            return Ok(());
        }
        tracing::warn!(connection = %repaired.id, "a repair brought a grant of another account");
        self.give_back(app, target.values, grant).await;
        Err(ConnectFault::OtherAccount.into())
    }

    /// The grant as the row will hold it.
    async fn sealed_grant(
        &self,
        app: &LoadedApp,
        target: &GrantTarget<'_>,
        grant: &TokenGrant,
        reason: StateReason,
        sent_at: Timestamp,
        replaced: Option<Connection>,
    ) -> Result<SpilledGrant> {
        let environment = app.app.environment;
        let (connection, generation) = match &replaced {
            Some(row) => (row.id, row.generation + 1),
            None => (ConnectionId::generate(&*self.clock, &*self.entropy), 1),
        };
        let place = Place { environment, connection, generation };
        let several = RefreshTokens::of_grant(grant);
        let refresh = match (&several, &grant.refresh_token, target.given) {
            (Some(tokens), ..) => Some(self.secrets.seal_refresh_tokens(target.customer, place, tokens).await?),
            (None, Some(token), _) => Some(self.secrets.seal_refresh(target.customer, place, token).await?),
            (None, None, Some(given)) => Some(self.secrets.seal_credentials(target.customer, place, given).await?),
            (None, None, None) => None,
        };
        let renewable = refresh.is_some() || reason == StateReason::ClientCredentials;
        let auth = &app.manifest.auth;
        let (rules, fraction) = (Rules::from(auth), self.entropy.fraction());
        let plain_deadlines = || auth.deadlines(sent_at, sent_at, None);
        let mut further = FurtherTokens::of_first(grant, &rules, sent_at, plain_deadlines, fraction);
        let several = several.unwrap_or_default();
        let alone = |name: &str| several.further.contains_key(name);
        // What nothing renews does not hurry what comes with it.
        let own_renewable = grant.refresh_token.is_some() || (renewable && several.further.is_empty());
        let life = if own_renewable { shared_life(grant.lifetime, &grant.further, alone) } else { grant.lifetime };
        let granted = Granted {
            asked_at: sent_at,
            lifetime: life,
            deadlines: auth.deadlines(sent_at, sent_at, grant.refresh_lifetime),
            rotated: grant.refresh_token.is_some(),
            unchanged: false,
            others: further.as_ref().map(|all| all.others(None, &several)).unwrap_or_default(),
        };
        let imported = reason == StateReason::Imported;
        let pair = first(&rules, &granted, own_renewable, imported, fraction);
        if let Some(further) = &mut further {
            further.own = pair.own;
        }
        let event = match (&replaced, reason) {
            (Some(row), _) if row.state != ConnectionState::Pending => EventKind::Reconnected,
            (_, StateReason::Consented) => EventKind::Connected,
            _ => EventKind::Imported,
        };
        Ok(SpilledGrant {
            environment,
            connection,
            customer: target.customer,
            app: app.app.key,
            connector_version: app.app.connector_version,
            reason,
            replaces_family: replaced.as_ref().map(|row| row.family),
            generation,
            access: self.secrets.seal_access(target.customer, place, grant, further.as_ref()).await?,
            refresh,
            sent_at,
            expires_at: pair.expires_at,
            next_refresh_at: pair.next_refresh_at,
            grant_expires_at: pair.deadlines.grant_expires_at,
            refresh_idle_at: pair.deadlines.refresh_idle_at,
            granted_scopes: grant.granted_scopes.clone(),
            requested_scopes: target.requested.clone(),
            variables: target.values.clone(),
            session: target.session,
            event,
            detail: json!({
                "app": app.app.id,
                "expires_in": pair.expires_at.map(|end| (end - sent_at).num_seconds()),
                "refreshable": renewable,
                "next_refresh_at": pair.next_refresh_at.map(told),
                "decided": pair.why,
            }),
        })
    }

    /// The connection that a grant takes the place of: the one that the session repairs, else the one that the customer
    /// has at this app already.
    async fn replaced(&self, app: &LoadedApp, target: &GrantTarget<'_>) -> Result<Option<Connection>> {
        if let Some(id) = target.replaces {
            let row = self.store.connection_get(app.app.environment, id).await?;
            return row
                .filter(|row| row.state != ConnectionState::Revoked)
                .map(Some)
                .ok_or(Error::NotFound("connection"));
        }
        let found = self.store.connection_find(app.app.environment, target.customer, app.app.key).await?;
        Ok(found.into_iter().next_back())
    }
}

/// An app has no secret for a flow that began before it went to another issuer.
fn outlived(error: ProtocolError) -> Error {
    match error {
        ProtocolError::NoClientSecret => ConnectFault::StaleState.into(),
        other => other.into(),
    }
}

pub(super) fn exchange_failed(failure: Failure) -> Error {
    let class = failure.class;
    match class {
        FailureClass::AppMisconfigured => {
            tracing::error!(error = ?failure.error, "a provider refuses the app's client")
        }
        _ => {
            tracing::warn!(status = ?failure.status, error = ?failure.error, what = failure.detail, "a consent came to nothing");
        }
    }
    ConnectFault::Exchange { class, code: failure.error }.into()
}
