//! Authorization requests whose consent page is open: what was asked cannot be changed between page and decision.

use crate::class::RecoveryClass;
use mortise_domain::ScopeSet;
use std::collections::{HashMap, VecDeque};

/// How many pages may be open; the oldest gives way.
const CAPACITY: usize = 10_000;
/// How long a page may stay open, in milliseconds.
const PATIENCE: i64 = 600_000;

/// A checked authorization request.
#[derive(Debug, Clone)]
pub struct Pending {
    /// The provider that was asked.
    pub class: RecoveryClass,
    /// Who asks.
    pub client_id: String,
    /// Where the browser goes back to.
    pub redirect_uri: String,
    /// What is asked for.
    pub scopes: ScopeSet,
    /// Given back as it came.
    pub state: Option<String>,
    /// S256 of the verifier. Empty where the token itself is given (RFC 6749 section 4.2).
    pub challenge: String,
    /// Whether the token itself is given, in the fragment.
    pub implicit: bool,
    /// When the page was opened, in unix milliseconds.
    pub opened_at: i64,
}

/// All open pages.
#[derive(Debug, Default)]
pub struct PendingRequests {
    requests: HashMap<String, Pending>,
    order: VecDeque<String>,
}

impl PendingRequests {
    /// Remembers a request under the id that its page carries.
    pub fn put(&mut self, id: String, request: Pending) {
        self.order.push_back(id.clone());
        self.requests.insert(id, request);
        if self.order.len() > CAPACITY
            && let Some(oldest) = self.order.pop_front()
        {
            self.requests.remove(&oldest);
        }
    }

    /// Takes a request out, once, if its page was opened at `class` and not too long ago.
    pub fn take(&mut self, id: &str, class: RecoveryClass, now: i64) -> Option<Pending> {
        let request = self.requests.remove(id)?;
        (request.class == class && now < request.opened_at.saturating_add(PATIENCE)).then_some(request)
    }
}
