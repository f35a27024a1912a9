//! The way back: from a provider's callback to a stored connection, in types that only move forward.
//!
//! `CallbackQuery` (what the browser brought) → `Verified` (state, context, cookie, issuer and expiry checked; the attempt
//! consumed, once and for all) → exchanged and stored by [`super::exchange`], with no transaction open in between.

use super::exchange::GrantTarget;
use super::flow_cookie_name;
use crate::refresh::Apps as _;
use crate::{Broker, BrokerConfig, ConnectFault, Result};
use mortise_domain::{
    AppKey, AuthorizationCode, CompletionCode, ConnectionId, FinisherCheck, FlowCookie, StateToken, random_text,
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
    code: AuthorizationCode,
}

impl Broker {
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
        let state = StateToken::new(query.required("state", "it has no `state`")?);
        let attempt = self.store.attempt_by_state(&sha256(state.expose())).await?.ok_or(ConnectFault::StaleState)?;
        let context = uuid::Uuid::try_parse(&query.context).map(AppKey::from_uuid);
        if context.ok() != Some(attempt.app) {
            return Err(ConnectFault::MixedUp.into());
        }
        self.check_cookie(&query, &attempt)?;
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
        check_issuer(&query, &app.manifest.auth)?;
        if let Some(code) = query.optional("error")? {
            return Err(match sanitised(code).as_str() {
                "access_denied" => ConnectFault::Denied.into(),
                code => ConnectFault::Provider { code: code.to_owned() }.into(),
            });
        }
        let code = AuthorizationCode::new(query.required("code", "it has neither `code` nor `error`")?);
        Ok(Verified { attempt, session, code })
    }

    fn check_cookie(&self, query: &CallbackQuery, attempt: &Attempt) -> Result<()> {
        let name = flow_cookie_name(attempt.id, self.config.secure_cookies());
        let cookie = query.cookies.iter().find(|(cookie, _)| *cookie == name).map(|(_, value)| value.expose());
        let secret = cookie.and_then(|value| value.split('.').next()).unwrap_or_default();
        if same(&sha256(secret), &attempt.cookie_digest) { Ok(()) } else { Err(ConnectFault::OtherBrowser.into()) }
    }

    async fn exchange_verified(&self, verified: Verified) -> Result<CallbackOutcome> {
        let Verified { attempt, session, code } = verified;
        let environment = self.environment(session.environment).await?;
        if environment.settings.finisher_check == FinisherCheck::Required {
            return self.hold_code(&attempt, &session, &code).await;
        }
        let app = self.apps.load(attempt.app, attempt.connector_version).await?;
        let connection = self.exchange_code(&app, &attempt, &code, GrantTarget::of(&session, &attempt)).await?;
        let return_url = self.return_url(&session, "connected", Some(connection))?;
        Ok(CallbackOutcome::Connected { connection, provider: app.manifest.name.clone(), return_url })
    }

    /// Keeps the code sealed for a minute, until the backend confirms that its own customer came back. Whoever only has
    /// the browser cannot finish the flow, and whoever was lured into somebody else's link is not connected by it.
    async fn hold_code(
        &self,
        attempt: &Attempt,
        session: &ConnectSession,
        code: &AuthorizationCode,
    ) -> Result<CallbackOutcome> {
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
        Ok(CallbackOutcome::AwaitingCompletion { return_url })
    }
}

impl CallbackQuery {
    /// A parameter may stand once (RFC 6749 section 3.1) and be of reasonable length.
    fn optional(&self, name: &str) -> Result<Option<&str>> {
        let mut found = self.parameters.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(ConnectFault::Malformed("a parameter stands there twice").into()),
            (Some(value), None) if value.len() > LONGEST => {
                Err(ConnectFault::Malformed("a parameter is far too long").into())
            }
            (value, None) => Ok(value.filter(|value| !value.is_empty())),
        }
    }

    fn required(&self, name: &str, fault: &'static str) -> Result<&str> {
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

/// RFC 9207 section 2.4: an `iss` that is there has to be the right one to the byte; one that is always there must be.
fn check_issuer(query: &CallbackQuery, auth: &mortise_connectors::Auth) -> Result<()> {
    let wrong = match (query.optional("iss")?, &auth.issuer) {
        (Some(iss), Some(issuer)) => iss != issuer,
        (None, _) => auth.authorization_response_iss_parameter_supported,
        (Some(_), None) => false,
    };
    if wrong { Err(ConnectFault::MixedUp.into()) } else { Ok(()) }
}

/// A provider's error code as it may be shown and logged (RFC 6749 section 4.1.2.1 allows printable ASCII).
fn sanitised(code: &str) -> String {
    code.chars().filter(|c| c.is_ascii_alphanumeric() || "_-.".contains(*c)).take(64).collect()
}
