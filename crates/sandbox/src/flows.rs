//! What the flows without a code keep between their requests: user codes (RFC 8628), and the tokens of OAuth 1.0 (RFC 5849).
//!
//! Invariant: in memory alone, because nothing of it outlives a flow but tokens of OAuth 1.0, which are for trying things on.

use crate::class::RecoveryClass;
use mortise_domain::ScopeSet;
use std::collections::{HashMap, HashSet};

/// Everything of these flows.
#[derive(Default)]
pub struct Flows {
    /// By device code.
    pub devices: HashMap<String, Device>,
    /// How long a client has to wait between two questions, in seconds.
    pub interval: u32,
    /// How long codes live, in seconds.
    pub lifetime: u32,
    /// Consumer secrets in the clear, which signatures take, by consumer key.
    pub consumers: HashMap<String, String>,
    /// Temporary credentials, by token.
    pub temporary: HashMap<String, Temporary>,
    /// Token credentials, by token.
    pub tokens: HashMap<String, Token>,
    /// Consumer key, timestamp and nonce of every signed request (RFC 5849 section 3.3).
    pub seen: HashSet<(String, String, String)>,
}

impl Flows {
    /// Nothing yet, with codes of ten minutes that may be asked about every second.
    pub fn new() -> Self {
        Self { interval: 1, lifetime: 600, ..Self::default() }
    }
}

/// A user code, and what became of it.
pub struct Device {
    pub class: RecoveryClass,
    pub client_id: String,
    pub scopes: ScopeSet,
    pub user_code: String,
    /// In unix milliseconds.
    pub expires_at: i64,
    /// Seconds between two questions, more each time that the client was too hasty.
    pub interval: u32,
    /// When it was asked about last, in unix milliseconds.
    pub asked_at: Option<i64>,
    /// Who said yes, or that somebody said no.
    pub decided: Option<Option<&'static str>>,
}

/// Temporary credentials.
pub struct Temporary {
    pub class: RecoveryClass,
    pub consumer: String,
    pub secret: String,
    pub callback: String,
    /// Who said yes, and the verifier that proves it.
    pub granted: Option<(&'static str, String)>,
}

/// Token credentials.
pub struct Token {
    pub class: RecoveryClass,
    pub consumer: String,
    pub secret: String,
    pub subject: &'static str,
}
