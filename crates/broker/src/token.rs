//! Handing out access tokens: one database read, one opened seal; a refresh inside the call only where it is needed.

mod further;

pub use further::FurtherAnswer;

use crate::refresh::Apps as _;
use crate::refresh::{Cause, Ended, Reason, failure_as_error};
use crate::sealing::{Access, Place, blames_the_row};
use crate::{Broker, Caller, Carried, ConnectionView, Error, Internal, Result, Unusable};
use mortise_domain::{
    AccessToken, ApiScope, AppId, ConnectionId, ConnectionState, CustomerId, DpopKey, PastedSecret, RequestId,
    ScopeSet, Timestamp, TokenType,
};
use mortise_oauth::{Failure, FailureClass, OAUTH1_TOKEN_SECRET, OAUTH1_TOKEN_TYPE, judge};
use mortise_store::TokenRow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The life that a token should have left where the caller says nothing, if the provider's tokens live that long.
const USUAL_MIN_TTL: Duration = Duration::from_secs(60);

/// How young a token is that a report of its failure cannot mean.
const JUST_NOW: Duration = Duration::from_secs(60);

/// When to ask again where nothing better is known.
const SOON: Duration = Duration::from_secs(5);

/// What is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokenRequest {
    /// Seconds of life that the token must have left: at most half of what the provider's tokens live, so that no caller
    /// can make every fetch a refresh. `None`: a minute, or a quarter of a shorter life; and whatever is still valid where
    /// no refresh can bring that just now.
    pub min_ttl: Option<u32>,
    /// The request to the API that asks, for the timeline of a refresh that it takes.
    pub request: Option<RequestId>,
}

/// Why somebody wants a refresh now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RefreshWish {
    /// They just do: it is sent whatever life the token has left.
    #[default]
    Plain,
    /// The provider's API answered 401 to the token (RFC 6750 section 3.1). Reports of a token that is brand new send nothing:
    /// the one that failed was an older one.
    Unauthorized,
}

impl From<RefreshWish> for Reason {
    fn from(wish: RefreshWish) -> Self {
        match wish {
            RefreshWish::Plain => Self::Forced,
            RefreshWish::Unauthorized => Self::Unauthorized,
        }
    }
}

/// What is handed out. Never the refresh token.
#[derive(Debug)]
pub struct TokenAnswer {
    /// The connection.
    pub connection: ConnectionId,
    /// The token.
    pub access_token: AccessToken,
    /// How to present it.
    pub token_type: TokenType,
    /// When it ends; `None`: nobody knows.
    pub expires_at: Option<Timestamp>,
    /// Seconds until then, at the moment of the answer.
    pub expires_in: Option<i64>,
    /// When to ask again: from then on a newer token is about to be there.
    pub refresh_after: Option<Timestamp>,
    /// What the provider granted.
    pub granted_scopes: ScopeSet,
    /// What was asked for and not granted.
    pub missing_scopes: ScopeSet,
    /// Fields lifted from the provider's reply.
    pub extra: BTreeMap<String, serde_json::Value>,
    /// Headers that a call carries, where the credential was pasted.
    pub headers: BTreeMap<String, PastedSecret>,
    /// Parameters of the query that a call carries, where the credential was pasted.
    pub query: BTreeMap<String, PastedSecret>,
    /// What calls are signed with, where the token is of OAuth 1.0.
    pub oauth1: Option<Oauth1Answer>,
    /// What proofs of possession are signed with, where the token is bound to it (RFC 9449).
    pub dpop_key: Option<DpopKey>,
    /// The connection's further tokens that have not ended, by their names; `None`: it has only one.
    pub further_tokens: Option<BTreeMap<String, FurtherAnswer>>,
}

/// What calls with a token of OAuth 1.0 are signed with (RFC 5849 section 3.4), but for the client's secret: whoever signs has
/// that from where it was registered, and it never leaves this service.
#[derive(Debug)]
pub struct Oauth1Answer {
    /// `oauth_consumer_key`.
    pub consumer_key: String,
    /// The secret that belongs to the token.
    pub token_secret: PastedSecret,
    /// `oauth_signature_method`.
    pub signature_method: &'static str,
}

impl Broker {
    /// A valid token of a connection.
    pub async fn token(
        self: &Arc<Self>,
        caller: &Caller,
        id: ConnectionId,
        request: TokenRequest,
    ) -> Result<TokenAnswer> {
        caller.require(ApiScope::TokensRead)?;
        let row = self.token_row(caller, id).await?;
        self.uses.note(&row);
        if lives_for(&row, wanted(&row, request)) {
            return self.answer(row).await;
        }
        usable(&row)?;
        if let Some(min_ttl) = request.min_ttl.filter(|_| lives_for(&row, Duration::ZERO)) {
            let most = self.most(&row).await;
            if u64::from(min_ttl) > most {
                return Err(Error::MinTtlUnavailable { min_ttl, most });
            }
        }
        self.refreshed_token(caller, row, request).await
    }

    /// The same by natural key.
    pub async fn token_of(
        self: &Arc<Self>,
        caller: &Caller,
        customer: &CustomerId,
        app: &AppId,
        request: TokenRequest,
    ) -> Result<TokenAnswer> {
        caller.require(ApiScope::TokensRead)?;
        let known = self.store.customer_get(caller.environment, customer).await?.ok_or(Error::NotFound("customer"))?;
        let at = self.store.app_get(caller.environment, app).await?.ok_or(Error::NotFound("app"))?;
        let found = self.store.connection_find(caller.environment, known.key, at.key).await?;
        match found.as_slice() {
            [] => Err(Error::NotConnected { customer: customer.clone(), app: app.clone() }),
            [one] => self.token(caller, one.id, request).await,
            several => Err(Error::Ambiguous(several.iter().map(|row| row.id).collect())),
        }
    }

    /// One guarded refresh now, whatever life the token has left. `request` is the API's, for the timeline.
    pub async fn refresh_connection(
        self: &Arc<Self>,
        caller: &Caller,
        id: ConnectionId,
        wish: RefreshWish,
        request: Option<RequestId>,
    ) -> Result<ConnectionView> {
        caller.require(ApiScope::ConnectionsWrite)?;
        let row = self.token_row(caller, id).await?;
        usable(&row)?;
        if wish == RefreshWish::Unauthorized && is_new(&row) {
            return self.connection_view(caller.environment, id).await;
        }
        if self.never_renews(&row).await? {
            let why =
                "only the customer can renew this, by connecting anew: make a connect session with this connection";
            return Err(Error::invalid("", why));
        }
        let cause = Cause { reason: wish.into(), request };
        match self.engine.refresh_now(caller.environment, id, row.generation, cause).await? {
            Ended::Refreshed | Ended::Moved | Ended::Unusable => {
                usable(&self.token_row(caller, id).await?)?;
                self.connection_view(caller.environment, id).await
            }
            Ended::Failed(failure) => Err(self.refresh_error(caller, &row, &failure).await?),
            Ended::Later(retry_after) => Err(unavailable(retry_after)),
            Ended::Interrupted | Ended::Abandoned => Err(unavailable(SOON)),
        }
    }

    async fn refreshed_token(
        self: &Arc<Self>,
        caller: &Caller,
        mut row: TokenRow,
        request: TokenRequest,
    ) -> Result<TokenAnswer> {
        // A token that is still valid is not withheld because a refresh failed, unless the caller named a life; and a
        // new one is as long-lived as the provider makes them.
        let least = Duration::from_secs(request.min_ttl.unwrap_or(1).into());
        let mut attempts = 0;
        let (ended, newer) = loop {
            let ended = self.attempted(caller, &row, request).await?;
            attempts += 1;
            let newer = self.token_row(caller, row.id).await?;
            if lives_for(&newer, least) {
                return self.answer(newer).await;
            }
            usable(&newer)?;
            let further = self.further(&newer).await;
            // Of several tokens each is renewed by an attempt of its own.
            let others = further.as_ref().map_or(0, |all| all.tokens.len());
            if matches!(ended, Ended::Refreshed | Ended::Moved) && attempts <= others {
                row = newer;
                continue;
            }
            // Neither is the connection's own token withheld because another of its tokens could not be renewed.
            if further.is_some_and(|all| all.own_lives_for(least, newer.now)) {
                return self.answer(newer).await;
            }
            break (ended, newer);
        };
        match (ended, request.min_ttl) {
            (Ended::Failed(failure), _) => Err(self.refresh_error(caller, &row, &failure).await?),
            (Ended::Later(retry_after), _) => Err(unavailable(retry_after)),
            (Ended::Refreshed | Ended::Moved, Some(min_ttl)) => {
                Err(Error::MinTtlUnavailable { min_ttl, most: self.most(&newer).await })
            }
            (Ended::Refreshed | Ended::Moved | Ended::Unusable | Ended::Interrupted | Ended::Abandoned, _) => {
                Err(unavailable(SOON))
            }
        }
    }

    /// A refresh for a fetch, where the last failure does not put it off.
    async fn attempted(self: &Arc<Self>, caller: &Caller, row: &TokenRow, request: TokenRequest) -> Result<Ended> {
        if let Some(wait) = backing_off(row) {
            return Ok(Ended::Later(wait));
        }
        let cause = Cause { reason: Reason::Fetch, request: request.request };
        self.engine.refresh_now(caller.environment, row.id, row.generation, cause).await
    }

    async fn token_row(&self, caller: &Caller, id: ConnectionId) -> Result<TokenRow> {
        let row = self.store.connection_token_row(caller.environment, id).await;
        self.engine.noted(row.map_err(Error::from))?.ok_or(Error::NotFound("connection"))
    }

    async fn answer(&self, row: TokenRow) -> Result<TokenAnswer> {
        let sealed = row.access.as_ref().ok_or_else(|| Error::missing("an active connection's token"))?;
        let place = Place { environment: row.environment, connection: row.id, generation: row.generation };
        let mut access = match self.secrets.open_access(place, sealed).await {
            Err(Error::Internal(Internal::Vault(error))) if blames_the_row(&error) => {
                self.quarantine_by_id(&row).await?;
                return Err(Unusable::Quarantined.into());
            }
            opened => opened?,
        };
        // The policy may have become stricter since they were stored.
        for field in judge(self.transport.policy(), &mut access.extra) {
            tracing::warn!(connection = %row.id, field, "a field beside a token is not handed out: it leads where nothing may be called");
        }
        // The share of fetches with a minute of life left is the promise that the engine is measured by.
        let fresh = row.expires_at.is_none_or(|end| end >= row.now + USUAL_MIN_TTL);
        metrics::counter!("mortise_token_fetches_total", "fresh" => if fresh { "true" } else { "false" }).increment(1);
        let oauth1 = self.oauth1_answer(&row, &mut access).await?;
        let carried = self.carried(&row, &access).await?;
        let (access_token, headers, query) = match carried {
            Some(Carried { token, headers, query }) => (token, headers, query),
            None => (access.token, BTreeMap::new(), BTreeMap::new()),
        };
        let granted = row.granted_scopes.unwrap_or_else(|| row.requested_scopes.clone());
        // The row tells when the first of several ends.
        let expires_at = access.further.as_ref().map_or(row.expires_at, |all| all.own.expires_at);
        let further_tokens = access.further.map(|all| further::living(all, row.now));
        Ok(TokenAnswer {
            connection: row.id,
            access_token,
            token_type: access.token_type,
            expires_at,
            expires_in: expires_at.map(|end| (end - row.now).num_seconds().max(0)),
            refresh_after: row.next_refresh_at,
            missing_scopes: row.requested_scopes.missing_from(&granted),
            granted_scopes: granted,
            extra: access.extra,
            headers,
            query,
            oauth1,
            dpop_key: access.dpop_key,
            further_tokens,
        })
    }

    async fn oauth1_answer(&self, row: &TokenRow, access: &mut Access) -> Result<Option<Oauth1Answer>> {
        if access.token_type.as_str() != OAUTH1_TOKEN_TYPE {
            return Ok(None);
        }
        let full = self.store.connection_get(row.environment, row.id).await?;
        let full = full.ok_or(Error::NotFound("connection"))?;
        let app = self.apps.load(full.app, full.connector_version).await?;
        let auth = app.manifest.auth.oauth1().ok_or_else(|| Error::missing("the manifest of a token of OAuth 1.0"))?;
        let token_secret = access.kept.remove(OAUTH1_TOKEN_SECRET);
        Ok(Some(Oauth1Answer {
            consumer_key: app.app.client_id.clone(),
            token_secret: token_secret.ok_or_else(|| Error::missing("the secret of a token of OAuth 1.0"))?,
            signature_method: auth.signature_method.as_str(),
        }))
    }

    async fn quarantine_by_id(&self, row: &TokenRow) -> Result<()> {
        tracing::error!(connection = %row.id, "a stored access token does not authenticate: the connection is quarantined");
        match self.store.connection_get(row.environment, row.id).await? {
            Some(full) if full.generation == row.generation => self.engine.quarantine(&full).await,
            Some(_) | None => Ok(()),
        }
    }

    /// A refusal of the grant is believed only when the engine has given the connection up.
    async fn refresh_error(&self, caller: &Caller, row: &TokenRow, failure: &Failure) -> Result<Error> {
        if failure.class == FailureClass::GrantRejected {
            let now = self.token_row(caller, row.id).await?;
            return Ok(usable(&now).err().unwrap_or_else(|| unavailable(backing_off(&now).unwrap_or(SOON))));
        }
        let app = self.store.app_by_key(row.app).await?.ok_or_else(|| Error::missing("a connection's app"))?;
        Ok(failure_as_error(&app.id, failure))
    }
}

/// A token without a known end is served until somebody says that it fails. The database's clock says what has ended.
fn lives_for(row: &TokenRow, least: Duration) -> bool {
    let fresh = row.expires_at.is_none_or(|end| end > row.now && end >= row.now + least);
    row.state == ConnectionState::Active && row.access.is_some() && fresh
}

/// Whether the token is so new that whoever says that it fails must have seen the one before it, or has a trouble that
/// another token would not mend: a minute, or half of a shorter life.
fn is_new(row: &TokenRow) -> bool {
    let young = life(row).map_or(JUST_NOW, |life| JUST_NOW.min(life / 2));
    row.refreshed_at.is_some_and(|at| row.now < at + young)
}

/// How long the next attempt is put off after failures. A caller in a loop must not become a storm at a provider that
/// is down: the plan of the failed attempt holds for fetches too.
fn backing_off(row: &TokenRow) -> Option<Duration> {
    let next = row.next_refresh_at.filter(|_| row.failures > 0 || row.suspicions > 0)?;
    (next - row.now).to_std().ok().filter(|wait| !wait.is_zero())
}

fn usable(row: &TokenRow) -> Result<()> {
    let (connection, reason) = (row.id, row.state_reason);
    Err(match row.state {
        ConnectionState::Active => return Ok(()),
        ConnectionState::Pending => Unusable::Pending { connection },
        ConnectionState::NeedsReauth => Unusable::NeedsReauth { connection, reason },
        ConnectionState::Held => Unusable::Held { reason },
        ConnectionState::Quarantined => Unusable::Quarantined,
        ConnectionState::Revoked => Unusable::Revoked { reason },
    }
    .into())
}

/// How long the provider makes its tokens live; `None` where nobody knows.
fn life(row: &TokenRow) -> Option<Duration> {
    (row.expires_at? - row.refreshed_at?).to_std().ok()
}

/// The life that the caller needs, or a sensible one.
fn wanted(row: &TokenRow, request: TokenRequest) -> Duration {
    let usual = life(row).map_or(USUAL_MIN_TTL, |life| USUAL_MIN_TTL.min(life / 4));
    request.min_ttl.map_or(usual, |seconds| Duration::from_secs(seconds.into()))
}

fn unavailable(retry_after: Duration) -> Error {
    Error::ProviderUnavailable { class: FailureClass::Ambiguous, retry_after: retry_after.max(Duration::from_secs(1)) }
}
