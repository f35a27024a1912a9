//! One life: who takes part in it, and how it is written down.

use crate::{Check, Report, Stage, Step, code, device, implicit, input, keys, login, oauth1, own, pasted, signed};
use mortise_connectors::{
    Auth, ClientAuthentication, CredentialKind, Grant, KeyEncoding, Manifest, OAuth2, SignedJwt, Values, sample_values,
};
use mortise_domain::{ClientSecret, DpopKey, OsEntropy, ScopeSet};
use mortise_oauth::{ClientRegistration, Failure, ProtocolError, Provider, Signer};
use mortise_sandbox::play::{Played, Registered};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use url::Url;

/// How something turned out; a fault holds no secret.
pub(crate) type Outcome<T> = Result<T, String>;

/// Why a request gave nothing.
pub(crate) enum Failed {
    /// It was not even built.
    Unbuilt(String),
    /// It was sent, or should have been.
    Sent(Failure),
}

impl From<ProtocolError> for Failed {
    fn from(error: ProtocolError) -> Self {
        Self::Unbuilt(error.to_string())
    }
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        Self::Sent(failure)
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unbuilt(error) => write!(f, "the request cannot be built: {error}"),
            Self::Sent(failure) => failure.fmt(f),
        }
    }
}

/// An id with characters that some encoding gets wrong.
const CLIENT_ID: &str = "client:1/ä";
/// One that a header can carry as it is.
const CLIENT_ID_IN_A_HEADER: &str = "client:1/a";
/// Every character that some encoding gets wrong; in headers it can stand as it is.
const CLIENT_SECRET: &str = "s3cret %&=+:/?#~ end";
const REDIRECT_URI: &str = "https://mortise.example/oauth/callback/0192";

/// Lives the life of a connector, with values filled in for those variables that `given` does not have.
pub async fn live(manifest: &Manifest, given: &Values, stage: &Stage) -> Report {
    live_against(manifest, given, stage, |_| {}).await
}

/// The same against a provider that is changed first: where it is no longer as described, that has to show.
pub async fn live_against(
    manifest: &Manifest,
    given: &Values,
    stage: &Stage,
    change: impl FnOnce(&mut Played),
) -> Report {
    let mut report = Report { id: manifest.id.as_str().to_owned(), checks: Vec::new() };
    let cast = match Cast::of(manifest, given, stage) {
        Ok(cast) => cast,
        Err(fault) => {
            report.checks.push(check(Step::Describe, "values can be filled in", Some(fault)));
            return report;
        }
    };
    match cast.played(stage, change) {
        Ok(()) => report.checks.push(check(Step::Describe, "the sandbox can play the provider", None)),
        Err(fault) => {
            report.checks.push(check(Step::Describe, "the sandbox can play the provider", Some(fault)));
            return report;
        }
    }
    let mut life = Life { cast: &cast, stage, report, bound: None };
    life.whole().await;
    life.report
}

/// Who takes part.
pub(crate) struct Cast<'a> {
    pub(crate) manifest: &'a Manifest,
    pub(crate) values: Values,
    pub(crate) scopes: ScopeSet,
    pub(crate) secret: ClientSecret,
    /// One that could be the client's, and is not.
    pub(crate) wrong_secret: ClientSecret,
    pub(crate) redirect_uri: Url,
    pub(crate) credentials: BTreeMap<String, String>,
    /// The same, with a key that could be the customer's and is not.
    pub(crate) wrong_key: Option<(String, String)>,
    client_key: Option<String>,
    assertion_key: Option<String>,
    signer: Signer,
}

impl<'a> Cast<'a> {
    pub(crate) fn of(manifest: &'a Manifest, given: &Values, stage: &Stage) -> Outcome<Self> {
        let values = sample_values(manifest, given)
            .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
        let mut cast = Self {
            manifest,
            values,
            scopes: ["one.read", "two:write"].into_iter().collect(),
            secret: ClientSecret::new(CLIENT_SECRET),
            wrong_secret: ClientSecret::new("not the secret, but as long as a shared key for signatures has to be"),
            redirect_uri: REDIRECT_URI.parse().map_err(|_| "the redirect URI is none")?,
            credentials: input::credentials(manifest),
            wrong_key: None,
            client_key: None,
            assertion_key: None,
            signer: Signer::new(Arc::clone(&stage.clock), Arc::new(OsEntropy)),
        };
        if let Some(auth) = manifest.oauth2() {
            cast.take_keys(auth)?;
        }
        if let Auth::SignedJwt(auth) = &manifest.auth {
            cast.take_token_key(auth)?;
        }
        Ok(cast)
    }

    /// Keys for whoever signs.
    fn take_keys(&mut self, auth: &OAuth2) -> Outcome<()> {
        let told = auth.assertion.as_ref().filter(|_| auth.grant == Grant::JwtBearer);
        let own = auth.client_authentication == ClientAuthentication::PrivateKeyJwt;
        if own || told.is_some_and(|told| told.key.is_none()) {
            let algorithm = if own { auth.client_assertion.algorithm } else { told.and_then(|told| told.algorithm) };
            let (right, wrong) = (keys::pair(algorithm)?, keys::pair(algorithm)?);
            self.secret = ClientSecret::new(right.private);
            self.wrong_secret = ClientSecret::new(wrong.private);
            self.client_key = Some(right.public.clone());
            self.assertion_key = Some(right.public);
        } else if auth.client_authentication == ClientAuthentication::ClientSecretAsUser {
            // No user name holds a colon (RFC 7617 section 2).
            self.secret = ClientSecret::new(CLIENT_SECRET.replace(':', ";"));
        } else if auth.client_authentication == ClientAuthentication::ClientSecretJwt {
            self.secret = ClientSecret::new(format!("{CLIENT_SECRET} {CLIENT_SECRET} {CLIENT_SECRET} {CLIENT_SECRET}"));
        }
        if let Some((told, name)) = told.and_then(|told| Some((told, told.key.clone()?))) {
            let (right, wrong) = (keys::pair(told.algorithm)?, keys::pair(told.algorithm)?);
            self.assertion_key = Some(right.public);
            self.credentials.insert(name.clone(), right.private);
            self.wrong_key = Some((name, wrong.private));
        }
        Ok(())
    }

    /// A key for the customer who signs tokens.
    fn take_token_key(&mut self, auth: &SignedJwt) -> Outcome<()> {
        let algorithm = auth.jwt.algorithm;
        let signs = auth.key_credential().map(str::to_owned).or_else(|| {
            let mut secrets = auth.credentials.iter().filter(|(_, one)| one.kind != CredentialKind::Text);
            secrets.find(|(name, _)| auth.key().contains(&format!("{{{name}}}"))).map(|(name, _)| name.clone())
        });
        let name = signs.ok_or("no credential signs")?;
        let (right, wrong) = match auth.jwt.key_encoding {
            _ if !algorithm.is_symmetric() => {
                let (right, wrong) = (keys::pair(Some(algorithm))?, keys::pair(Some(algorithm))?);
                self.assertion_key = Some(right.public);
                (right.private, wrong.private)
            }
            KeyEncoding::Hex => ("0a".repeat(32), "0b".repeat(32)),
            KeyEncoding::Base64 => ("Cg==".to_owned(), "Cw==".to_owned()),
            KeyEncoding::Text => {
                let right = self.credentials.get(&name).cloned().unwrap_or_default();
                let wrong = format!("{right}x");
                (right, wrong)
            }
        };
        self.credentials.insert(name.clone(), right);
        self.wrong_key = Some((name, wrong));
        Ok(())
    }

    /// Puts the provider on the stage.
    pub(crate) fn played(&self, stage: &Stage, change: impl FnOnce(&mut Played)) -> Outcome<()> {
        let registered = Registered {
            client_id: self.client_id().to_owned(),
            client_secret: self.secret.expose().to_owned(),
            redirect_uri: self.redirect_uri.clone(),
            scopes: self.scopes.clone(),
            client_key: self.client_key.clone(),
            assertion_key: self.assertion_key.clone(),
            credentials: self.credentials.clone(),
        };
        let played = Played::new(self.manifest.clone(), self.values.clone(), registered);
        let mut played = played.map_err(|error| error.to_string())?;
        change(&mut played);
        stage.server.play(played);
        Ok(())
    }

    pub(crate) fn provider(&self) -> Provider<'_> {
        Provider { manifest: self.manifest, values: &self.values }
    }

    fn client_id(&self) -> &'static str {
        let header = self.manifest.oauth2().and_then(|auth| auth.client_id_header.as_ref());
        if header.is_some() { CLIENT_ID_IN_A_HEADER } else { CLIENT_ID }
    }

    fn client(&self) -> ClientRegistration<'_> {
        ClientRegistration {
            client_id: self.client_id(),
            secret: self.manifest.auth.proves_client().then_some(&self.secret),
            redirect_uri: self.redirect_uri.as_str(),
            signer: Some(&self.signer),
            dpop_key: None,
        }
    }
}

/// A life as it is lived.
pub(crate) struct Life<'a> {
    pub(crate) cast: &'a Cast<'a>,
    pub(crate) stage: &'a Stage,
    pub(crate) report: Report,
    /// What the grant's tokens are bound to (RFC 9449).
    pub(crate) bound: Option<DpopKey>,
}

impl Life<'_> {
    pub(crate) fn client(&self) -> ClientRegistration<'_> {
        ClientRegistration { dpop_key: self.bound.as_ref(), ..self.cast.client() }
    }

    /// The client with a secret that is not its own.
    pub(crate) fn wrong_client(&self) -> ClientRegistration<'_> {
        ClientRegistration { secret: Some(&self.cast.wrong_secret), ..self.client() }
    }

    /// From input to revocation.
    pub(crate) async fn whole(&mut self) {
        input::check(self);
        let manifest = self.cast.manifest;
        match &manifest.auth {
            Auth::Oauth2(auth) => match auth.grant {
                Grant::AuthorizationCode => code::live(self, auth).await,
                Grant::ClientCredentials
                | Grant::Password
                | Grant::JwtBearer
                | Grant::Saml2Bearer
                | Grant::TokenExchange => own::live(self, auth).await,
                Grant::DeviceCode => device::live(self, auth).await,
                Grant::Implicit => implicit::live(self, auth).await,
            },
            Auth::Oauth1(_) => oauth1::live(self).await,
            Auth::ApiKey(_) | Auth::Basic(_) => pasted::live(self).await,
            Auth::TwoStep(auth) => login::live(self, auth).await,
            Auth::SignedJwt(auth) => signed::live(self, auth).await,
        }
    }

    /// Writes down how something turned out. Where the provider found a request not as described, that is why.
    pub(crate) fn note<T>(&mut self, step: Step, what: impl Into<String>, outcome: Outcome<T>) -> Option<T> {
        let breaches = self.stage.server.with(|played, _| played.take_breaches()).unwrap_or_default();
        let told = breaches.iter().map(|breach| match breach.role {
            Some(role) => format!("{role}: {}", breach.what),
            None => breach.what.clone(),
        });
        let told: Vec<_> = told.collect();
        let fault = match (told.is_empty(), &outcome) {
            (false, _) => Some(told.join("; ")),
            (true, Err(fault)) => Some(fault.clone()),
            (true, Ok(_)) => None,
        };
        let good = fault.is_none();
        self.report.checks.push(check(step, what, fault));
        outcome.ok().filter(|_| good)
    }
}

fn check(step: Step, what: impl Into<String>, fault: Option<String>) -> Check {
    Check { step, what: what.into(), fault }
}
