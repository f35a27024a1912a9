//! The way back: from a provider's callback to a stored connection, in types that only move forward.
//!
//! `CallbackQuery` (what the browser brought) → `Verified` (state, context, cookie, issuer and expiry checked; the attempt
//! consumed, once and for all) → exchanged and stored by [`super::exchange`], with no transaction open in between.

use super::brought::{Asked, Brought, is_implicit, refuse_errors};
use super::exchange::GrantTarget;
use super::flow_cookie_name;
use super::oauth1::{app_of, state_in, verifier};
use crate::refresh::Apps as _;
use crate::{Broker, BrokerConfig, ConnectFault, Result};
use mortise_domain::{
    AuthorizationCode, CompletionCode, ConnectionId, FinisherCheck, FlowCookie, StateToken, random_text,
};
use mortise_store::{Attempt, ConnectSession, SessionStatus};
use mortise_vault::{same, sha256};
use url::Url;

/// No honest parameter is longer: codes of some providers reach 2 KiB.
const LONGEST: usize = 8 * 1024;

/// What the browser brought, as it came.
#[derive(Debug)]
pub struct CallbackQuery {
    /// The path's last segment.
    pub context: String,
    /// The query, decoded, in order.
    pub parameters: Vec<(String, String)>,
    /// The cookies by name.
    pub cookies: Vec<(String, FlowCookie)>,
    /// Whether the parameters stood in the fragment, which only a page of ours could read (RFC 6749 section 4.2.2).
    pub fragment: bool,
}

/// A callback whose parameters stand behind the `#`, where only a page of ours can read them.
#[derive(Debug)]
pub struct Handover {
    /// Where the browser may be sent afterwards.
    pub return_urls: Vec<String>,
}

/// How a callback ended well.
#[derive(Debug)]
pub enum CallbackOutcome {
    /// Connected; the browser goes back, or to a page that says so.
    Connected {
        /// The connection.
        connection: ConnectionId,
        /// The provider's name.
        provider: String,
        /// Where to go.
        return_url: Option<Url>,
    },
    /// The backend has to confirm who came back; the return URL carries the code for that.
    AwaitingCompletion {
        /// Where to go.
        return_url: Url,
    },
}

struct Verified {
    attempt: Attempt,
    session: ConnectSession,
    brought: Brought,
}

impl Broker {
    /// Whether the callback of this context brings its parameters in the fragment.
    pub async fn handover(&self, context: &str) -> Result<Option<Handover>> {
        let Some(key) = app_of(context) else { return Ok(None) };
        let Some(app) = self.store.app_by_key(key).await? else { return Ok(None) };
        let manifest = self.apps.manifest(&app, app.connector_version).await?;
        Ok(is_implicit(&manifest).then_some(Handover { return_urls: app.settings.return_urls }))
    }

    /// Finishes a flow, or says why not. On a failure, `link` of the answer leads back to the consent page if the browser
    /// that began the flow asked.
    pub async fn finish_callback(
        &self,
        query: CallbackQuery,
    ) -> std::result::Result<CallbackOutcome, (crate::Error, Option<String>)> {
        let link = query.link();
        let finished = async {
            let verified = self.verify(query).await?;
            self.exchange_verified(verified).await
        };
        finished.await.map_err(|error| (error, link))
    }

    async fn verify(&self, query: CallbackQuery) -> Result<Verified> {
        let state = query.state()?;
        let attempt = self.store.attempt_by_state(&sha256(state.expose())).await?.ok_or(ConnectFault::StaleState)?;
        if app_of(&query.context) != Some(attempt.app) {
            return Err(ConnectFault::MixedUp.into());
        }
        flow_secret(&query.cookies, &attempt, self.config.secure_cookies())?;
        if attempt.consumed_at.is_some() || attempt.expires_at <= self.clock.now() {
            return Err(ConnectFault::StaleState.into());
        }
        // Consumed before the parameters are believed: whatever they say, this state is never accepted again.
        if !self.store.attempt_consume(attempt.id, self.clock.now()).await? {
            return Err(ConnectFault::StaleState.into());
        }
        let session = self.store.connect_session_get(attempt.environment, attempt.session).await?;
        let session = session.ok_or(ConnectFault::UnknownLink)?;
        if session.status != SessionStatus::Open {
            return Err(ConnectFault::LinkUsed.into());
        }
        let app = self.apps.load(attempt.app, attempt.connector_version).await?;
        let brought = match app.manifest.auth.oauth1() {
            Some(_) => {
                refuse_errors(&query)?;
                Brought::only(verifier(&query, &attempt)?)
            }
            None => {
                let asked = Asked { manifest: &app.manifest, secrets: &app.secrets, values: &attempt.variables };
                Brought::read(&query, &asked, self.clock.now())?
            }
        };
        Ok(Verified { attempt, session, brought })
    }

    async fn exchange_verified(&self, verified: Verified) -> Result<CallbackOutcome> {
        let Verified { attempt, session, brought } = verified;
        let environment = self.environment(session.environment).await?;
        let app = self.apps.load(attempt.app, attempt.connector_version).await?;
        if environment.settings.finisher_check == FinisherCheck::Required {
            let return_url = self.hold_code(&attempt, &session, &brought.to_held(&app.manifest)?).await?;
            return Ok(CallbackOutcome::AwaitingCompletion { return_url });
        }
        let connection = self.exchange_code(&app, &attempt, &brought, GrantTarget::of(&session, &attempt)).await?;
        let return_url = self.return_url(&session, "connected", Some(connection))?;
        Ok(CallbackOutcome::Connected { connection, provider: app.manifest.name.clone(), return_url })
    }

    /// Keeps the code sealed for a minute, until the backend confirms that its own customer came back. Whoever only has
    /// the browser cannot finish the flow, and whoever was lured into somebody else's link is not connected by it.
    pub(super) async fn hold_code(
        &self,
        attempt: &Attempt,
        session: &ConnectSession,
        code: &AuthorizationCode,
    ) -> Result<Url> {
        let completion: CompletionCode = random_text::<32, _>(&*self.entropy);
        let sealed = self.secrets.seal_code(attempt.environment, attempt.id, code).await?;
        let expires_at = self.clock.now() + BrokerConfig::CODE_LIFETIME;
        self.store.attempt_hold_code(attempt.id, &sealed, &sha256(completion.expose()), expires_at).await?;
        let open = [SessionStatus::Open];
        if !self.store.connect_session_set_status(session.id, &open, SessionStatus::AwaitingCompletion, None).await? {
            return Err(ConnectFault::LinkUsed.into());
        }
        let return_url = self.return_url(session, "awaiting_completion", None)?;
        let mut return_url = return_url.ok_or_else(|| crate::Error::missing("the return URL of a checked session"))?;
        return_url.query_pairs_mut().append_pair("code", completion.expose());
        Ok(return_url)
    }
}

/// The secret of the flow cookie, which only the browser that began the flow has.
pub(super) fn flow_secret<'a>(cookies: &'a [(String, FlowCookie)], attempt: &Attempt, secure: bool) -> Result<&'a str> {
    let name = flow_cookie_name(attempt.id, secure);
    let cookie = cookies.iter().find(|(cookie, _)| *cookie == name).map(|(_, value)| value.expose());
    let secret = cookie.and_then(|value| value.split('.').next()).unwrap_or_default();
    if same(&sha256(secret), &attempt.cookie_digest) { Ok(secret) } else { Err(ConnectFault::OtherBrowser.into()) }
}

impl CallbackQuery {
    /// What ties it to its flow: the `state`, or with OAuth 1.0 the temporary token.
    fn state(&self) -> Result<StateToken> {
        if let Some(state) = self.optional("state")? {
            return Ok(StateToken::new(state));
        }
        let of_oauth1 = app_of(&self.context).map(|app| state_in(self, app)).transpose()?.flatten();
        of_oauth1.ok_or_else(|| ConnectFault::Malformed("it has no `state`").into())
    }

    /// A parameter may stand once (RFC 6749 section 3.1) and be of reasonable length.
    pub(super) fn optional(&self, name: &str) -> Result<Option<&str>> {
        let mut found = self.parameters.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(ConnectFault::Malformed("a parameter stands there twice").into()),
            (Some(value), None) if value.len() > LONGEST => {
                Err(ConnectFault::Malformed("a parameter is far too long").into())
            }
            (value, None) => Ok(value.filter(|value| !value.is_empty())),
        }
    }

    pub(super) fn required(&self, name: &str, fault: &'static str) -> Result<&str> {
        self.optional(name)?.ok_or_else(|| ConnectFault::Malformed(fault).into())
    }

    /// The link that the browser's flow cookie carries, if there is just one.
    fn link(&self) -> Option<String> {
        let flows: Vec<_> = self.cookies.iter().filter(|(name, _)| name.contains("mortise_flow_")).collect();
        let [(_, cookie)] = flows.as_slice() else { return None };
        let (_, token) = cookie.expose().split_once('.')?;
        let plain = token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        plain.then(|| format!("/connect/{token}"))
    }
}

/// A provider's error code as it may be shown and logged (RFC 6749 section 4.1.2.1 allows printable ASCII).
pub(super) fn sanitised(code: &str) -> String {
    code.chars().filter(|c| c.is_ascii_alphanumeric() || "_-.".contains(*c)).take(64).collect()
}
