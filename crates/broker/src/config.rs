//! The settings that both the web service and the worker run with.

use mortise_oauth::EgressPolicy;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// Settings of a broker, checked by whoever made them.
#[derive(Debug, Clone)]
pub struct BrokerConfig {
    /// Where browsers reach the service: the base of connect links and callback URLs. No trailing slash matters.
    pub public_url: Url,
    /// Which addresses may be called; the same policy that the transport enforces, here for checks at registration.
    pub egress: EgressPolicy,
    /// A folder for grants on their way into the database. It has to survive a crash of the process.
    pub spill_dir: PathBuf,
    /// How many refreshes of one process may be in flight.
    pub refresh_concurrency: usize,
    /// How long a refresh may wait for the provider at most: 120 s unless somebody is in a hurry, because giving up early
    /// throws a single-use token's successor away.
    pub refresh_deadline: Duration,
}

impl BrokerConfig {
    /// How long a connect link lives unless its maker says otherwise.
    pub const SESSION_LIFETIME: Duration = Duration::from_secs(30 * 60);
    /// How long a customer may take at the provider.
    pub const FLOW_LIFETIME: Duration = Duration::from_secs(10 * 60);
    /// How long a code waits for the finisher check.
    pub const CODE_LIFETIME: Duration = Duration::from_secs(60);

    /// How long an attempt may run, counted from its claim: afterwards no request of it is outstanding, and another may
    /// begin.
    pub fn attempt(&self) -> Duration {
        self.refresh_deadline + Duration::from_secs(1)
    }

    /// How long a claimed connection is nobody else's: the attempt, 15 s to commit, 5 s of skew and 10 s of margin. That a
    /// lease outlives the longest legal run is arithmetic and not a setting.
    pub fn lease(&self) -> Duration {
        self.attempt() + Duration::from_secs(15 + 5 + 10)
    }

    /// A URL of the service.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }

    /// Whether cookies can carry `Secure` and the `__Host-` prefix: not on plain-HTTP loopback.
    pub fn secure_cookies(&self) -> bool {
        self.public_url.scheme() == "https"
    }
}
