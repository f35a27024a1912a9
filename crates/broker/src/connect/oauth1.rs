//! OAuth 1.0 (RFC 5849): temporary credentials before the browser leaves, the token after it is back.
//!
//! Invariant: the temporary token is what `state` is in OAuth 2: it is random, known to this flow's browser, and used once.
//! So the callback's address is the same every time, as providers want it. Its secret is sealed in the place of the PKCE
//! verifier. Deliberately absent: a second try with a token's request of unknown outcome.

use super::brought::Brought;
use super::callback::CallbackQuery;
use super::exchange::{GrantTarget, exchange_failed};
use super::start::Started;
use crate::loaded::LoadedApp;
use crate::{Broker, ConnectFault, Result};
use mortise_connectors::Values;
use mortise_domain::{
    AccessToken, AppKey, AuthorizationCode, ConnectionId, FlowCookie, PastedSecret, PkceVerifier, StateReason,
    StateToken, random_text,
};
use mortise_oauth::{
    Oauth1Credentials, Once, oauth1_authorization_url, request_temporary_credentials, request_token_credentials,
    temporary_credentials, token_credentials,
};
use mortise_store::{Attempt, ConnectSession};
use mortise_vault::{same, sha256};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use zeroize::Zeroizing;

/// Temporary credentials as one value to seal.
#[derive(Serialize, Deserialize)]
struct Temporary<'a> {
    #[serde(borrow)]
    token: Cow<'a, str>,
    secret: Cow<'a, str>,
}

impl Broker {
    /// Asks for temporary credentials and sends the browser to the provider.
    pub(super) async fn to_oauth1(
        &self,
        session: &ConnectSession,
        loaded: &LoadedApp,
        values: Values,
        token: &str,
    ) -> Result<Started> {
        let provider = loaded.provider(&values);
        let request = temporary_credentials(&provider, &loaded.client(), &self.once())?;
        let temporary = request_temporary_credentials(&*self.transport, request).await.map_err(exchange_failed)?;
        let location = oauth1_authorization_url(&provider, temporary.token.expose())?;
        self.config.egress.check_url(&location).map_err(|_| super::start::refused_host(&values))?;
        let secret: FlowCookie = random_text::<32, _>(&*self.entropy);
        let text = Temporary { token: temporary.token.expose().into(), secret: temporary.secret.expose().into() };
        let sealed = Zeroizing::new(serde_json::to_string(&text)?);
        let verifier = PkceVerifier::new(sealed.as_str());
        let state = state_of(loaded.app.key, temporary.token.expose());
        let attempt = self.attempt(session, loaded, values, &state, &secret, &verifier).await?;
        self.store.attempt_insert(&attempt).await?;
        let cookie = FlowCookie::new(format!("{}.{token}", secret.expose()));
        Ok(Started::Redirect { location, attempt: attempt.id, cookie })
    }

    /// Changes temporary credentials for the token and stores it (RFC 5849 section 2.3).
    pub(super) async fn exchange_verifier(
        &self,
        app: &LoadedApp,
        attempt: &Attempt,
        brought: &Brought,
        target: GrantTarget<'_>,
    ) -> Result<ConnectionId> {
        let sealed = self.secrets.open_verifier(attempt.environment, attempt.id, &attempt.verifier).await?;
        let Temporary { token, secret } = serde_json::from_str(sealed.expose())?;
        let temporary = Oauth1Credentials { token: AccessToken::new(token), secret: PastedSecret::new(secret) };
        let (provider, client) = (app.provider(target.values), app.client());
        let request = token_credentials(&provider, &client, &temporary, &brought.code, &self.once())?;
        let sent_at = self.clock.now();
        let grant =
            request_token_credentials(&*self.transport, request, &app.manifest).await.map_err(exchange_failed)?;
        self.store_grant(app, target, grant, StateReason::Consented, sent_at).await
    }

    fn once(&self) -> Once {
        let nonce: StateToken = random_text::<32, _>(&*self.entropy);
        let nonce = nonce.expose().chars().filter(char::is_ascii_alphanumeric).take(32).collect();
        Once { timestamp: self.clock.now().timestamp().to_string(), nonce }
    }
}

/// The verifier that a callback brings, of the flow that it names.
pub(super) fn verifier(query: &CallbackQuery, attempt: &Attempt) -> Result<AuthorizationCode> {
    let digest = state_in(query, attempt.app)?.map(|state| sha256(state.expose()));
    if !digest.is_some_and(|digest| same(&digest, &attempt.state_digest)) {
        return Err(ConnectFault::MixedUp.into());
    }
    if query.optional("denied")?.is_some() {
        return Err(ConnectFault::Denied.into());
    }
    if let Some(problem) = query.optional("oauth_problem")? {
        return Err(match super::callback::sanitised(problem).as_str() {
            "user_refused" | "permission_denied" | "permission_unknown" => ConnectFault::Denied.into(),
            code => ConnectFault::Provider { code: code.to_owned() }.into(),
        });
    }
    let verifier = query.required("oauth_verifier", "it has neither `oauth_verifier` nor an error")?;
    Ok(AuthorizationCode::new(verifier))
}

/// What stands for `state` in a callback of OAuth 1.0 that came to `app`; `None`: it is none. A refusal names the token in a
/// parameter of its own at some providers.
pub(super) fn state_in(query: &CallbackQuery, app: AppKey) -> Result<Option<StateToken>> {
    let token = match query.optional("oauth_token")? {
        Some(token) => Some(token),
        None => query.optional("denied")?,
    };
    Ok(token.map(|token| state_of(app, token)))
}

/// Apart from every `state` of OAuth 2, which has no space, and from the tokens of other apps' providers.
fn state_of(app: AppKey, token: &str) -> StateToken {
    StateToken::new(format!("oauth1 {} {token}", app.as_uuid().simple()))
}

/// A context in the callback's path.
pub(super) fn app_of(context: &str) -> Option<AppKey> {
    uuid::Uuid::try_parse(context).ok().map(AppKey::from_uuid)
}
