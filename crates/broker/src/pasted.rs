//! Credentials that a customer pastes: checked, tried out at the provider, sealed like a token, and handed out as the
//! manifest says.
//!
//! Invariant: what the provider refuses is never stored, and a value that was pasted is in no message. Deliberately absent:
//! refreshes, because nothing of this ever changes by itself.

use crate::connect::GrantTarget;
use crate::loaded::LoadedApp;
use crate::refresh::{Apps as _, failure_as_error};
use crate::sealing::Access;
use crate::{Broker, ConnectFault, Error, Fault, Result};
use mortise_connectors::{Auth, Credential, Values};
use mortise_domain::{AccessToken, ConnectionId, PastedSecret, StateReason, TokenGrant, TokenType};
use mortise_oauth::{
    Carried, Credentials, Failure, FailureClass, carried, carried_token, check_pasted_key, request_verification,
    verification,
};
use mortise_store::TokenRow;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// What a stored credential is called where a token has its type. No provider's token can be called that, because only
/// `bearer` is spoken.
const KINDS: [&str; 2] = ["api_key", "basic"];
/// The same for a token that such credentials were changed for, or that they signed.
const OF_CREDENTIALS: [&str; 2] = ["two_step", "signed_jwt"];

impl Broker {
    /// Tries credentials out, if the manifest says how.
    pub(crate) async fn try_pasted(
        &self,
        app: &LoadedApp,
        values: &Values,
        credentials: &Credentials,
        reason: StateReason,
    ) -> Result<()> {
        let provider = app.provider(values);
        // Also where nothing is called: what could not be handed out later must not be stored.
        let refused = |error| refused_by(reason, app, misfit(error));
        carried(&provider, credentials).map_err(refused)?;
        let call = app.manifest.auth.pasted().and_then(|pasted| pasted.verification);
        if let (Some(call), Some(request)) = (call, verification(&provider, credentials)?) {
            let answer = request_verification(&*self.transport, request, call).await;
            answer.map_err(|failure| refused_by(reason, app, Misfit::Provider(failure)))?;
        }
        Ok(())
    }

    /// Stores credentials that were tried out as a connection.
    pub(crate) async fn store_pasted(
        &self,
        app: &LoadedApp,
        target: GrantTarget<'_>,
        credentials: &Credentials,
        reason: StateReason,
    ) -> Result<ConnectionId> {
        let grant = as_grant(&app.manifest.auth, credentials)?;
        self.store_grant(app, target, grant, reason, self.clock.now()).await
    }

    /// What calls of a connection carry, where its manifest says how; a bearer token is carried as everybody knows.
    pub(crate) async fn carried(&self, row: &TokenRow, stored: &Access) -> Result<Option<Carried>> {
        let kind = stored.token_type.as_str();
        let is_token = OF_CREDENTIALS.contains(&kind);
        if !is_token && !KINDS.contains(&kind) {
            return Ok(None);
        }
        let full = self.store.connection_get(row.environment, row.id).await?;
        let full = full.ok_or(Error::NotFound("connection"))?;
        let app = self.apps.load(full.app, full.connector_version).await?;
        let provider = app.provider(&full.variables);
        let carried = if is_token {
            carried_token(&provider, &stored.token, &stored.kept)?
        } else {
            carried(&provider, &of_text(stored.token.expose())?)?
        };
        carried.ok_or_else(|| Error::missing("the manifest of a credential that calls carry")).map(Some)
    }

    /// Whether nothing about a connection's credential can ever be renewed: it was pasted, or it is of OAuth 1.0 or the
    /// implicit grant.
    pub(crate) async fn never_renews(&self, row: &TokenRow) -> Result<bool> {
        let full = self.store.connection_get(row.environment, row.id).await?;
        let full = full.ok_or(Error::NotFound("connection"))?;
        let app = self.apps.load(full.app, full.connector_version).await?;
        Ok(app.manifest.auth.renewal().is_none())
    }
}

/// Every credential that the manifest asks for and nothing else, each as it has to look; `base` is where they stood.
pub(crate) fn checked(
    auth: &Auth,
    fields: &BTreeMap<String, Credential>,
    given: Credentials,
    base: &str,
) -> std::result::Result<Credentials, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut fault = |name: &str, detail: String| faults.push(Fault { pointer: format!("{base}/{name}"), detail });
    for name in given.keys().filter(|name| !fields.contains_key(*name)) {
        let names: Vec<_> = fields.keys().map(String::as_str).collect();
        fault(name, format!("the connector asks for nothing of this name: give {}", names.join(" and ")));
    }
    for (name, credential) in fields {
        let value = given.get(name).map_or("", PastedSecret::expose);
        if let Err(detail) = credential.check(value) {
            fault(name, detail);
        }
    }
    // A key that cannot sign would be sent nowhere, and so no provider would tell.
    if let Err((name, wrong)) = check_pasted_key(auth, &given) {
        fault(&name, wrong.to_string());
    }
    if faults.is_empty() { Ok(given) } else { Err(faults) }
}

/// Credentials as what a connection keeps: one text that never ends.
fn as_grant(auth: &Auth, credentials: &Credentials) -> Result<TokenGrant> {
    let kind = match auth {
        Auth::ApiKey(_) => "api_key",
        Auth::Basic(_) => "basic",
        Auth::TwoStep(_) | Auth::SignedJwt(_) => return Err(Error::missing("a credential that is a token by itself")),
        Auth::Oauth2(_) | Auth::Oauth1(_) => return Err(Error::missing("a field to paste into")),
    };
    Ok(TokenGrant {
        access_token: AccessToken::new(as_text(credentials)?.as_str()),
        token_type: TokenType::new(kind),
        refresh_token: None,
        lifetime: None,
        refresh_lifetime: None,
        granted_scopes: None,
        dpop_key: None,
        extra: BTreeMap::new(),
        kept: BTreeMap::new(),
        further: BTreeMap::new(),
    })
}

/// Credentials as one secret.
pub(crate) fn as_text(credentials: &Credentials) -> Result<Zeroizing<String>> {
    let plain: BTreeMap<&str, &str> = credentials.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
    // Six bytes a byte is the most that JSON makes of it; the buffer must not grow and leave a copy behind.
    let most = plain.iter().map(|(name, value)| 6 * (name.len() + value.len()) + 8).sum::<usize>() + 2;
    let mut text = Zeroizing::new(Vec::with_capacity(most));
    serde_json::to_writer(&mut *text, &plain)?;
    Ok(Zeroizing::new(crate::sealing::text(&text)?.to_owned()))
}

/// Back from one secret.
pub(crate) fn of_text(text: &str) -> Result<Credentials> {
    Ok(serde_json::from_str(text)?)
}

/// Why pasted credentials are not taken.
pub(crate) enum Misfit {
    /// They do not fit into the place that the manifest has for them.
    Place,
    /// A template does not expand.
    Template(mortise_oauth::ProtocolError),
    Provider(Failure),
}

fn misfit(error: mortise_oauth::ProtocolError) -> Misfit {
    match error {
        mortise_oauth::ProtocolError::Header { .. } => Misfit::Place,
        other => Misfit::Template(other),
    }
}

/// The refusal as the customer's page or the API says it.
pub(crate) fn refused_by(reason: StateReason, app: &LoadedApp, misfit: Misfit) -> Error {
    let on_page = reason == StateReason::Consented;
    let say = |detail: String| match on_page {
        true => ConnectFault::Fields(vec![Fault { pointer: String::new(), detail }]).into(),
        false => Error::invalid("/credentials", detail),
    };
    match misfit {
        Misfit::Place => say("this cannot be sent in a header: check that it was copied whole".to_owned()),
        Misfit::Template(error) => error.into(),
        Misfit::Provider(failure) if failure.class == FailureClass::GrantRejected => {
            let status = failure.status.map(|status| format!(" (status {status})")).unwrap_or_default();
            let name = &app.manifest.name;
            say(format!("{name} does not accept this{status}: check that it was copied whole and is still good there"))
        }
        Misfit::Provider(failure) if on_page => {
            ConnectFault::Exchange { class: failure.class, code: failure.error }.into()
        }
        Misfit::Provider(failure) => failure_as_error(&app.app.id, &failure),
    }
}
