//! The device flow (RFC 8628): the customer carries a code to the provider, and the worker asks what became of it.
//!
//! Invariant: the page that shows the code changes nothing, so a grant does not depend on anybody looking at it; whether the
//! provider is asked now is the database's to say, so a restart costs one claim at most. The grant of a flow that has to be
//! confirmed waits sealed, and is revoked if nobody confirms it. What the finisher check cannot see is somebody who shows
//! their own code to another (section 5.4): only the provider's page can warn of that.

mod held;
mod poll;

pub(super) use held::Held;

use super::callback::flow_secret;
use super::exchange::exchange_failed;
use super::start::Started;
use crate::loaded::LoadedApp;
use crate::refresh::Apps as _;
use crate::{Broker, ConnectFault, Error, Result};
use mortise_connectors::Values;
use mortise_domain::{
    AttemptId, CompletionCode, ConnectionId, DeviceCode, FlowCookie, PkceVerifier, StateToken, Timestamp, random_text,
};
use mortise_oauth::{DeviceAuthorization, device_authorization, request_device_authorization};
use mortise_store::{Attempt, ConnectSession, SessionStatus};
use mortise_vault::sha256;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use url::Url;
use zeroize::Zeroizing;

/// How a flow stands.
#[derive(Debug)]
pub enum DeviceStep {
    /// The customer has still to enter the code.
    Waiting(DevicePage),
    /// The backend has to confirm who came back.
    AwaitingCompletion {
        /// Where to go, with the code for that.
        return_url: Url,
    },
    /// Connected.
    Connected {
        /// The connection.
        connection: Option<ConnectionId>,
        /// The provider's name.
        provider: String,
        /// Where to go.
        return_url: Option<Url>,
    },
}

/// What the page shows meanwhile.
#[derive(Debug)]
pub struct DevicePage {
    /// The provider's name.
    pub provider: String,
    /// What to enter.
    pub user_code: String,
    /// Where to enter it.
    pub verification_uri: Url,
    /// The same with the code in it.
    pub verification_uri_complete: Option<Url>,
    /// When the code ends.
    pub expires_at: Timestamp,
}

/// What a flow was given, as one value to seal. The place is that of a PKCE verifier, which is what ties the end of a code's
/// flow to its beginning.
#[derive(Serialize, Deserialize)]
struct Codes<'a> {
    #[serde(borrow)]
    device_code: Cow<'a, str>,
    user_code: Cow<'a, str>,
    verification_uri: Url,
    verification_uri_complete: Option<Url>,
}

impl Broker {
    /// Asks for a user code and begins to wait for what becomes of it.
    pub(super) async fn with_device(
        &self,
        session: &ConnectSession,
        loaded: &LoadedApp,
        values: Values,
        token: &str,
    ) -> Result<Started> {
        let (provider, scopes) = (&loaded.provider(&values), &loaded.requested_scopes());
        let codes = loaded.as_client(|client| async move {
            let request = device_authorization(provider, &client, scopes)?;
            Ok(request_device_authorization(&*self.transport, request).await)
        });
        let codes = codes.await?.map_err(exchange_failed)?;
        self.check_addresses(&codes)?;
        let secret: FlowCookie = random_text::<32, _>(&*self.entropy);
        // Nobody gets to know this: there is no callback to come.
        let state: StateToken = random_text::<32, _>(&*self.entropy);
        let sealed = Zeroizing::new(serde_json::to_string(&Codes {
            device_code: codes.device_code.expose().into(),
            user_code: codes.user_code.as_str().into(),
            verification_uri: codes.verification_uri,
            verification_uri_complete: codes.verification_uri_complete,
        })?);
        let verifier = PkceVerifier::new(sealed.as_str());
        let mut attempt = self.attempt(session, loaded, values, &state, &secret, &verifier).await?;
        attempt.expires_at = (attempt.created_at + codes.expires_in).min(session.expires_at);
        let completion = sha256(completion_code(secret.expose()).expose());
        self.store.device_begin(&attempt, codes.interval, &completion).await?;
        let lives = (attempt.expires_at - attempt.created_at).num_seconds();
        let cookie = FlowCookie::new(format!("{}.{token}", secret.expose()));
        Ok(Started::Device { attempt: attempt.id, cookie, lives })
    }

    /// How a flow stands, for the browser that began it. Looking changes nothing.
    pub async fn device_step(
        &self,
        token: &str,
        id: AttemptId,
        cookies: &[(String, FlowCookie)],
    ) -> Result<DeviceStep> {
        let session = self.store.connect_session_by_token(&sha256(token)).await?.ok_or(ConnectFault::UnknownLink)?;
        let (attempt, poll) = self.store.device_flow(session.environment, id).await?.ok_or(ConnectFault::StaleState)?;
        if attempt.session != session.id {
            return Err(ConnectFault::StaleState.into());
        }
        let secret = flow_secret(cookies, &attempt, self.config.secure_cookies())?;
        if let Some(word) = poll.failure {
            return Err(fault_of(&word).into());
        }
        match session.status {
            SessionStatus::Completed => {
                let app = self.apps.load(attempt.app, attempt.connector_version).await?;
                let connection = session.result_connection;
                let return_url = self.return_url(&session, "connected", connection)?;
                Ok(DeviceStep::Connected { connection, provider: app.manifest.name.clone(), return_url })
            }
            SessionStatus::AwaitingCompletion if attempt.code.is_some() => {
                let return_url = self.return_url(&session, "awaiting_completion", None)?;
                let mut return_url = return_url.ok_or_else(|| Error::missing("the return URL of a checked session"))?;
                return_url.query_pairs_mut().append_pair("code", completion_code(secret).expose());
                Ok(DeviceStep::AwaitingCompletion { return_url })
            }
            SessionStatus::AwaitingCompletion | SessionStatus::Failed => Err(ConnectFault::LinkUsed.into()),
            SessionStatus::Open if attempt.expires_at <= self.clock.now() => Err(ConnectFault::StaleState.into()),
            SessionStatus::Open => Ok(DeviceStep::Waiting(self.device_page(&attempt).await?)),
        }
    }

    async fn device_page(&self, attempt: &Attempt) -> Result<DevicePage> {
        let app = self.apps.load(attempt.app, attempt.connector_version).await?;
        let sealed = self.secrets.open_verifier(attempt.environment, attempt.id, &attempt.verifier).await?;
        let codes: Codes<'_> = serde_json::from_str(sealed.expose())?;
        Ok(DevicePage {
            provider: app.manifest.name.clone(),
            user_code: codes.user_code.into_owned(),
            verification_uri: codes.verification_uri,
            verification_uri_complete: codes.verification_uri_complete,
            expires_at: attempt.expires_at,
        })
    }

    async fn device_code(&self, attempt: &Attempt) -> Result<DeviceCode> {
        let sealed = self.secrets.open_verifier(attempt.environment, attempt.id, &attempt.verifier).await?;
        let codes: Codes<'_> = serde_json::from_str(sealed.expose())?;
        Ok(DeviceCode::new(codes.device_code))
    }

    /// A person is sent only where the provider could be called.
    fn check_addresses(&self, codes: &DeviceAuthorization) -> Result<()> {
        let addresses = [Some(&codes.verification_uri), codes.verification_uri_complete.as_ref()];
        let refused = addresses.into_iter().flatten().any(|url| self.config.egress.check_url(url).is_err());
        if refused { Err(ConnectFault::Malformed("it names a page that may not be opened").into()) } else { Ok(()) }
    }
}

/// The completion code of a flow, which the browser that began it can be told again: whoever has only the database cannot
/// work it out, and whoever has only the link cannot either.
fn completion_code(secret: &str) -> CompletionCode {
    let parts = [b"mortise device completion\0".as_slice(), secret.as_bytes()];
    CompletionCode::new(hex::encode(sha256(parts.concat())))
}

/// Why a flow came to nothing, as the page says it.
fn fault_of(word: &str) -> ConnectFault {
    match word {
        "access_denied" => ConnectFault::Denied,
        "expired_token" => ConnectFault::StaleState,
        code => ConnectFault::Provider { code: code.to_owned() },
    }
}
