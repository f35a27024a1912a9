//! The provider without its sockets: every request goes through the same steps as over HTTP, and the caller decides
//! when each step happens. For simulations, which own the time and the network.
//!
//! Invariant: whatever the HTTP server answers to a request, the model answers too, as both run the same code; the model
//! never sleeps, never starts a task, and reads time from its [`mortise_domain::Clock`] alone.

mod control;
mod exchange;

pub use exchange::{Answer, Arrived, Delivered, ModelRequest, ModelRequestError};

use crate::class::RecoveryClass;
use crate::config::SandboxConfig;
use crate::error::SandboxError;
use crate::shared::Shared;
use std::sync::Arc;

/// What URLs begin with unless the configuration says otherwise.
const USUAL_BASE: &str = "https://sandbox.example";

/// A provider in process. Clones are the same provider.
///
/// A request takes three steps: [`Model::begin`], when it arrives; [`Model::process`], when it takes effect;
/// [`Model::deliver`], when its reply reaches the client. Between them the caller lets time pass, as long as
/// [`Arrived::wait`] and [`Answer::wait`] say or longer. Dropping an [`Arrived`] loses the request before it took
/// effect; dropping an [`Answer`] loses the reply. Either ends the request's time in flight.
///
/// ```
/// use mortise_domain::{ManualClock, SeededEntropy};
/// use mortise_sandbox::{Endpoint, Model, ModelRequest, RecoveryClass, SandboxConfig};
/// use std::sync::Arc;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clock = Arc::new(ManualClock::at_unix(1_700_000_000));
/// let model = Model::new(SandboxConfig {
///     clock: clock.clone(),
///     entropy: Arc::new(SeededEntropy::new(1)),
///     ..SandboxConfig::default()
/// })?;
/// let seeded = model.seed_grants(RecoveryClass::G, 1)?.remove(0);
/// let token = seeded.refresh_token.ok_or("class G issues refresh tokens")?;
///
/// let refresh = || {
///     let form = [
///         ("grant_type", "refresh_token"),
///         ("refresh_token", token.expose()),
///         ("client_id", mortise_sandbox::DEFAULT_CLIENT_ID),
///         ("client_secret", mortise_sandbox::DEFAULT_CLIENT_SECRET),
///     ];
///     ModelRequest::form(RecoveryClass::G, Endpoint::Token, form)
/// };
/// // The first reply gets lost on its way, so the client asks again within the grace of class G.
/// let lost = model.process(model.begin(refresh()));
/// drop(lost);
/// clock.advance_seconds(29);
/// let reply = model.deliver(model.process(model.begin(refresh()))).ok_or("a reply")?;
/// assert_eq!(reply.status, 200);
/// assert_eq!(model.totals().overlaps, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Model {
    pub(crate) shared: Arc<Shared>,
}

impl Model {
    /// A provider with the default client and no grants, or with what the state file holds. `bind` is not used.
    ///
    /// Fails only if there is a state file that cannot be read.
    pub fn new(config: SandboxConfig) -> Result<Self, SandboxError> {
        let base_url = config.base_url.as_ref().map_or_else(|| USUAL_BASE.to_owned(), url::Url::to_string);
        Self::at(config, &base_url)
    }

    pub(crate) fn at(config: SandboxConfig, base_url: &str) -> Result<Self, SandboxError> {
        Ok(Self { shared: Arc::new(Shared::new(config, base_url.trim_end_matches('/').to_owned())?) })
    }

    /// What URLs begin with, without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.shared.base_url
    }

    /// The issuer identifier of a class, under which its endpoints are.
    pub fn issuer(&self, class: RecoveryClass) -> String {
        self.shared.issuer(class)
    }
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
