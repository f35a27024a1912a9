//! What a caller decides before the sandbox starts.

use mortise_domain::{Clock, Entropy, OsEntropy, SystemClock};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// How a sandbox is to run. The default suits tests: a spare port on loopback, nothing kept.
#[derive(Clone)]
pub struct SandboxConfig {
    /// Where to listen; port 0 takes a spare one.
    pub bind: SocketAddr,
    /// The address under which browsers and clients know the sandbox, if not the one it listens on. Issuers are
    /// `{base_url}/{class}`.
    pub base_url: Option<Url>,
    /// How long access tokens live, until a class is set otherwise. Whole seconds count.
    pub access_token_lifetime: Duration,
    /// Class G: how long a refresh token stays good after its first use. Whole seconds count.
    pub grace: Duration,
    /// Where clients, class settings, grants and live tokens (as fingerprints) survive a restart.
    pub state_file: Option<PathBuf>,
    /// How many requests the log remembers.
    pub log_capacity: usize,
    /// What the time is. Scripted delays alone pass in real time.
    pub clock: Arc<dyn Clock>,
    /// Where tokens come from.
    pub entropy: Arc<dyn Entropy>,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            base_url: None,
            access_token_lifetime: Duration::from_secs(60),
            grace: Duration::from_secs(30),
            state_file: None,
            log_capacity: 200_000,
            clock: Arc::new(SystemClock::new()),
            entropy: Arc::new(OsEntropy),
        }
    }
}
