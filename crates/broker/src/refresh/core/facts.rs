//! What decisions depend on: the provider's rules, the connection's standing, and the moment.

use mortise_connectors::{Auth, RecoveryClass, RenewedBy};
use mortise_domain::{RefreshRules, Timestamp};
use mortise_store::Claimed;
use std::time::Duration;

/// One attempt's givens.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// How the provider behaves.
    pub rules: Rules,
    /// How the connection stands.
    pub standing: Standing,
    /// Monotonic time after which no byte is sent.
    pub send_until: Duration,
    /// How many client secrets there are to try.
    pub clients: usize,
    /// The app is held, and this is one try of it: what it meets says something about the app, not about this grant.
    pub probe: bool,
}

/// The moment of an event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct At {
    /// The database's time.
    pub now: Timestamp,
    /// Monotonic time.
    pub elapsed: Duration,
    /// A random share in `[0, 1)`.
    pub fraction: f64,
}

/// What can be presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// The connection's refresh token.
    Current,
    /// The one before it, which providers of class M keep alive.
    Previous,
    /// The client's own credentials (RFC 6749 section 4.4).
    Client,
}

/// How a provider treats refresh tokens: the part of its manifest that decisions depend on.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// What happens to a refresh token that is used.
    pub class: RecoveryClass,
    /// Class G: how long a used refresh token stays good.
    pub grace: Option<Duration>,
    /// A reuse may cost the whole app.
    pub reuse_penalty: bool,
    /// When refreshes are accepted and safe.
    pub timing: RefreshRules,
    /// How long an access token lives where nobody says.
    pub default_lifetime: Option<Duration>,
}

impl Rules {
    /// The rules where no refresh token is at stake: what the customer gave is as good as before, whatever becomes of a
    /// request.
    pub fn of_minting(&self) -> Self {
        Self { class: RecoveryClass::N, grace: None, reuse_penalty: false, ..self.clone() }
    }

    /// Whether a request without an outcome may have spent the refresh token for good.
    pub fn spends(&self) -> bool {
        match self.class {
            RecoveryClass::S | RecoveryClass::F => true,
            RecoveryClass::N | RecoveryClass::M | RecoveryClass::G | RecoveryClass::U => false,
        }
    }
}

impl From<&Auth> for Rules {
    fn from(auth: &Auth) -> Self {
        Self {
            class: auth.recovery_class(),
            grace: auth.limits().grace,
            reuse_penalty: auth.oauth2().is_some_and(|auth| auth.reuse_penalty),
            timing: auth.refresh_rules(),
            default_lifetime: auth.assumed_lifetime(),
        }
    }
}

/// How a connection stands when it is claimed.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Failures in a row.
    pub failures: u32,
    /// Refusals of the refresh token in a row.
    pub suspicions: u32,
    /// When the first of them was.
    pub suspected_at: Option<Timestamp>,
    /// An earlier attempt was left without an outcome.
    pub unresolved: bool,
    /// When the customer consented.
    pub granted_at: Timestamp,
    /// When the access token in store was asked for.
    pub refreshed_at: Option<Timestamp>,
    /// When the access token in store ends.
    pub expires_at: Option<Timestamp>,
    /// When a token was last fetched, to the hour.
    pub used_at: Option<Timestamp>,
    /// There is a refresh token.
    pub has_refresh: bool,
    /// There is the one before it, and it may be good.
    pub has_previous: bool,
    /// The client may ask in its own name.
    pub by_client: bool,
}

impl Standing {
    /// A grant's that was given just now.
    pub(super) fn new(granted_at: Timestamp) -> Self {
        Self {
            failures: 0,
            suspicions: 0,
            suspected_at: None,
            unresolved: false,
            granted_at,
            refreshed_at: None,
            expires_at: None,
            used_at: None,
            has_refresh: true,
            has_previous: false,
            by_client: false,
        }
    }

    /// A claimed row's.
    pub fn of(claimed: &Claimed, auth: &Auth) -> Self {
        let row = &claimed.connection;
        Self {
            failures: row.failures.unsigned_abs(),
            suspicions: row.suspicions.unsigned_abs(),
            suspected_at: row.suspected_at,
            unresolved: claimed.interrupted.is_some(),
            granted_at: row.granted_at,
            refreshed_at: row.refreshed_at,
            expires_at: row.expires_at,
            used_at: row.used_at,
            has_refresh: row.refresh.is_some(),
            has_previous: row.previous_refresh.is_some() && auth.recovery_class() == RecoveryClass::M,
            by_client: auth.renewal() == Some(RenewedBy::Client),
        }
    }

    /// What to present first.
    pub fn credential(&self) -> Option<Credential> {
        match (self.has_refresh, self.by_client) {
            (true, _) => Some(Credential::Current),
            (false, true) => Some(Credential::Client),
            (false, false) => None,
        }
    }

    /// Whether the access token in store still can be served.
    pub fn serves(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| end > now)
    }
}
