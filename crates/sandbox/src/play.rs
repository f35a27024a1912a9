//! A provider played as a manifest describes it: the judge of what the product sends.
//!
//! [`Played`] reads every request by itself, from the manifest alone, and refuses what is not as described: another path,
//! a parameter that is missing, unknown, misnamed or in the wrong place, another proof of the client. What departs is kept
//! as a [`Breach`], and answered as a provider would: with an error. A wrong secret or a spent code is no breach, because
//! it is written as it should be; it is refused in the provider's own words.
//!
//! Invariant: nothing of the code that builds requests is used here. Deliberately absent: sockets (see [`PlayedServer`]),
//! and patience with what is nearly right.

mod arrived;
mod authorize;
mod book;
mod device;
mod endpoint;
mod fit;
mod known;
mod login;
mod mint;
mod oauth1;
mod pasted;
mod reply;
mod serve;
mod signed;
mod signed_jwt;
mod token;
mod trouble;
mod wanted;

pub use arrived::Arrived;
pub use book::Issued;
pub use endpoint::Role;
pub use reply::Answered;
pub use serve::{PlayedServer, PlayedServing};
pub use trouble::Trouble;

use book::Book;
use endpoint::Endpoint;
use fit::Fit;
use mortise_connectors::{Manifest, OAuth2, TemplateError, Values};
use mortise_domain::ScopeSet;
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use url::Url;

/// Who is registered at the provider, or whose account is there.
pub struct Registered {
    /// The client's id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// Where browsers are sent back to.
    pub redirect_uri: Url,
    /// What the app asks for, beside the manifest's own.
    pub scopes: ScopeSet,
    /// The public key that the client's assertions are checked with, in PEM, where it signs them with a private one.
    pub client_key: Option<String>,
    /// The same for assertions that stand for a customer.
    pub assertion_key: Option<String>,
    /// What customers of this provider give, by the names of the manifest.
    pub credentials: BTreeMap<String, String>,
}

/// Where a request departs from the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// What the request was meant to be, as far as that can be told.
    pub role: Option<Role>,
    /// What is not as described. No secret is in it.
    pub what: String,
}

/// Why a manifest cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum Unplayable {
    /// A template does not expand.
    #[error("{0}")]
    Template(#[from] TemplateError),
    /// A mode that this provider cannot play.
    #[error("the sandbox cannot play {0}")]
    Mode(String),
}

/// Changes what a success says.
type Spoil = Box<dyn Fn(&mut Value) + Send>;

/// A provider, played.
pub struct Played {
    manifest: Manifest,
    values: Values,
    registered: Registered,
    endpoints: Vec<Endpoint>,
    book: Book,
    troubles: VecDeque<Trouble>,
    breaches: Vec<Breach>,
    spoil: Option<Spoil>,
    /// What a login was told so far, by the names of the manifest.
    told: BTreeMap<String, String>,
    /// Where a login's last reply says more.
    last_step: Vec<String>,
    /// OAuth 1.0: credentials that wait for their customer.
    temporary: Vec<oauth1::Temporary>,
    /// Codes that wait for theirs.
    devices: Vec<device::Device>,
}

impl Played {
    /// The provider of `manifest`, with `values` filled in.
    ///
    /// # Errors
    /// A template that does not expand, or a mode that cannot be played.
    pub fn new(manifest: Manifest, values: Values, registered: Registered) -> Result<Self, Unplayable> {
        let endpoints = endpoint::all(&manifest, &values, &registered)?;
        Ok(Self {
            manifest,
            values,
            registered,
            endpoints,
            book: Book::default(),
            troubles: VecDeque::new(),
            breaches: Vec::new(),
            spoil: None,
            told: BTreeMap::new(),
            last_step: Vec::new(),
            temporary: Vec::new(),
            devices: Vec::new(),
        })
    }

    /// Judges a request that arrives at `now` (unix seconds) and answers it.
    pub fn answer(&mut self, arrived: &Arrived, now: i64) -> Answered {
        let Some((role, fit)) = self.closest(arrived) else {
            let what = format!("the manifest describes no endpoint at {}", arrived.place());
            self.breaches.push(Breach { role: None, what });
            return Answered::empty(404);
        };
        if !fit.breaches.is_empty() {
            self.breaches.extend(fit.breaches.into_iter().map(|what| Breach { role: Some(role), what }));
            return self.refusal("invalid_request", 400, now);
        }
        if let Some(trouble) = self.troubles.pop_front() {
            return self.troubled(&trouble, now);
        }
        match role {
            Role::Verify => self.verified(&fit, now),
            Role::Identity => self.identified(&fit, arrived, now),
            Role::Login(_) | Role::Renew(_) | Role::Logout => self.at_login(role, &fit, now),
            Role::Temporary | Role::TokenCredentials => self.at_oauth1(role, arrived),
            _ => self.at_token_endpoint(role, &fit, arrived, now),
        }
    }

    /// What was not as described since the last time.
    pub fn take_breaches(&mut self) -> Vec<Breach> {
        std::mem::take(&mut self.breaches)
    }

    /// What the next request is met with instead of an answer, if it is as described.
    pub fn meet_next(&mut self, trouble: Trouble) {
        self.troubles.push_back(trouble);
    }

    /// From now on successes are changed by `spoil`: a provider that is not as described.
    pub fn spoil(&mut self, spoil: impl Fn(&mut Value) + Send + 'static) {
        self.spoil = Some(Box::new(spoil));
    }

    /// What was issued last.
    pub fn issued(&self) -> Option<&Issued> {
        self.book.issued.as_ref()
    }

    /// Whether this access token is one of the provider's and still good.
    pub fn is_alive(&self, access_token: &str, now: i64) -> bool {
        self.book.is_alive(access_token, now)
    }

    /// The endpoint at the request's address that it fits best.
    fn closest(&self, arrived: &Arrived) -> Option<(Role, Fit)> {
        let there = self.endpoints.iter().filter(|endpoint| endpoint.is_at(arrived));
        there.map(|endpoint| (endpoint.role, endpoint.fit(arrived))).min_by_key(|(_, fit)| fit.distance())
    }

    fn auth(&self) -> Option<&OAuth2> {
        self.manifest.oauth2()
    }
}

#[cfg(test)]
mod tests;
