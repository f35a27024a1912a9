//! What a callback brings: the code, and the parameters beside it that the manifest has signed, expects or keeps.
//!
//! Invariant: nothing is believed before the signature, where the provider signs; and what is kept is handed out beside the
//! token and used for nothing else. Deliberately absent: the state and the cookie, which [`super::callback`] has checked.

use super::callback::{CallbackQuery, sanitised};
use crate::{ConnectFault, Error, Result};
use mortise_connectors::{Callback, CallbackHmac, Grant, Manifest, OAuth2, Values, expand_text};
use mortise_domain::{AuthorizationCode, ClientSecret, Timestamp};
use mortise_oauth::ProtocolError;
use mortise_vault::is_hmac_sha256;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use url::form_urlencoded;
use zeroize::Zeroizing;

/// A signature older than this is somebody's copy (seconds); a browser follows a redirect at once.
const OLDEST: i64 = 600;
/// The same for a provider whose clock is ahead.
const MOST_AHEAD: i64 = 120;

/// What a callback is held against: the connector, the app's live secrets, and what was filled in when the flow began.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The connector.
    pub manifest: &'a Manifest,
    /// Any of them may have signed.
    pub secrets: &'a [ClientSecret],
    /// By variable.
    pub values: &'a Values,
}

/// A callback that was believed.
pub struct Brought {
    /// The code; what stands in its place with OAuth 1.0 (the verifier) or the implicit grant (the whole fragment).
    pub(crate) code: AuthorizationCode,
    /// By the names under which they are handed out.
    pub(crate) kept: BTreeMap<String, String>,
}

/// The same while the backend is asked who came back: one value to seal.
#[derive(Serialize, Deserialize)]
struct Held<'a> {
    #[serde(borrow)]
    code: Cow<'a, str>,
    kept: Cow<'a, BTreeMap<String, String>>,
}

impl Brought {
    /// Reads a callback of OAuth 2 whose state and cookie were checked.
    ///
    /// # Errors
    /// A provider that says no, another issuer, a signature that does not fit, or a parameter that is missing, far too long
    /// or there twice.
    pub fn read(query: &CallbackQuery, asked: &Asked<'_>, now: Timestamp) -> Result<Self> {
        if let Some(auth) = asked.manifest.oauth2() {
            check_issuer(query, auth)?;
        }
        refuse_errors(query)?;
        let usual = Callback::default();
        let callback = asked.manifest.oauth2().map_or(&usual, |auth| &auth.callback);
        if let Some(hmac) = &callback.hmac {
            check_signature(query, hmac, asked, now)?;
        }
        for (name, template) in &callback.expect {
            let expected = expand_text(template, asked.values).map_err(ProtocolError::from)?;
            if !query.optional(name)?.is_some_and(|value| value.eq_ignore_ascii_case(&expected)) {
                return Err(ConnectFault::MixedUp.into());
            }
        }
        // A token in the query, or a code behind the `#`, is nothing that was asked for.
        if query.fragment != is_implicit(asked.manifest) {
            return Err(ConnectFault::Malformed("it came another way than was asked for").into());
        }
        let code = match query.fragment {
            true => {
                Zeroizing::new(form_urlencoded::Serializer::new(String::new()).extend_pairs(&query.parameters).finish())
            }
            false => {
                let code = query.required(callback.code_parameter(), "it has neither `code` nor `error`")?;
                Zeroizing::new(code.to_owned())
            }
        };
        let mut kept = BTreeMap::new();
        for (field, name) in &callback.keep {
            let Some(value) = query.optional(name)? else { continue };
            if value.chars().any(char::is_control) {
                return Err(ConnectFault::Malformed("a parameter holds control characters").into());
            }
            kept.insert(field.clone(), value.to_owned());
        }
        Ok(Self { code: AuthorizationCode::new(code.as_str()), kept })
    }

    /// Nothing but a code, or what stands in its place.
    pub(super) fn only(code: AuthorizationCode) -> Self {
        Self { code, kept: BTreeMap::new() }
    }

    /// What a flow without a callback brings.
    pub(super) fn nothing() -> Self {
        Self::only(AuthorizationCode::new(""))
    }

    /// The code; with the implicit grant everything that stood behind the `#`, as a form.
    pub const fn code(&self) -> &AuthorizationCode {
        &self.code
    }

    /// As one secret. Where nothing is kept it is the code itself.
    pub(super) fn to_held(&self, manifest: &Manifest) -> Result<AuthorizationCode> {
        if !keeps(manifest) {
            return Ok(AuthorizationCode::new(self.code.expose()));
        }
        let held = Held { code: self.code.expose().into(), kept: Cow::Borrowed(&self.kept) };
        Ok(AuthorizationCode::new(serde_json::to_string(&held)?))
    }

    /// Back from one secret.
    pub(super) fn of_held(held: AuthorizationCode, manifest: &Manifest) -> Result<Self> {
        if !keeps(manifest) {
            return Ok(Self::only(held));
        }
        let Held { code, kept } = serde_json::from_str(held.expose())?;
        Ok(Self { code: AuthorizationCode::new(code), kept: kept.into_owned() })
    }

    /// What is handed out beside the token.
    pub fn fields(&self) -> impl Iterator<Item = (String, Value)> {
        self.kept.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str())))
    }
}

/// Whether the token itself comes with the callback.
pub(super) fn is_implicit(manifest: &Manifest) -> bool {
    manifest.oauth2().is_some_and(|auth| auth.grant == Grant::Implicit)
}

fn keeps(manifest: &Manifest) -> bool {
    manifest.oauth2().is_some_and(|auth| !auth.callback.keep.is_empty())
}

/// RFC 9207 section 2.4: an `iss` that is there has to be the right one to the byte; one that is always there must be.
fn check_issuer(query: &CallbackQuery, auth: &OAuth2) -> Result<()> {
    let wrong = match (query.optional("iss")?, &auth.issuer) {
        (Some(iss), Some(issuer)) => iss != issuer,
        (None, _) => auth.authorization_response_iss_parameter_supported,
        (Some(_), None) => false,
    };
    if wrong { Err(ConnectFault::MixedUp.into()) } else { Ok(()) }
}

/// RFC 6749 section 4.1.2.1.
pub(super) fn refuse_errors(query: &CallbackQuery) -> Result<()> {
    match query.optional("error")?.map(sanitised) {
        None => Ok(()),
        Some(code) if code == "access_denied" => Err(ConnectFault::Denied.into()),
        Some(code) => Err(ConnectFault::Provider { code }.into()),
    }
}

/// The provider's HMAC over all other parameters, by one of the app's live secrets, made just now.
fn check_signature(query: &CallbackQuery, hmac: &CallbackHmac, asked: &Asked<'_>, now: Timestamp) -> Result<()> {
    let mut names = BTreeSet::new();
    if !query.parameters.iter().all(|(name, _)| names.insert(name)) {
        return Err(ConnectFault::Malformed("a parameter stands there twice").into());
    }
    let signature = query.required(&hmac.parameter, "its signature is missing")?;
    let message = signed_text(query, hmac);
    if !asked.secrets.iter().any(|secret| is_hmac_sha256(secret, &message, signature)) {
        return Err(ConnectFault::MixedUp.into());
    }
    let Some(name) = &hmac.timestamp else { return Ok(()) };
    let made = query.required(name, "it does not say when it was signed")?.parse::<i64>();
    let age = made.map(|made| now.timestamp().saturating_sub(made));
    if age.is_ok_and(|age| (-MOST_AHEAD..=OLDEST).contains(&age)) {
        Ok(())
    } else {
        Err(Error::from(ConnectFault::StaleState))
    }
}

/// The parameters that are signed, sorted by name and written as a form.
fn signed_text(query: &CallbackQuery, hmac: &CallbackHmac) -> Zeroizing<String> {
    let covered = |name: &String| *name != hmac.parameter && !hmac.except.contains(name);
    let mut signed: Vec<_> = query.parameters.iter().filter(|(name, _)| covered(name)).collect();
    signed.sort();
    let pairs = signed.into_iter().map(|(name, value)| (name, value));
    Zeroizing::new(form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
}
