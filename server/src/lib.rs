//! The web service: thin routes over the broker's use cases.

pub mod pages;

use mortise_broker::Broker;
use std::sync::Arc;

/// What every handler shares.
pub struct State {
    /// The use cases.
    pub broker: Arc<Broker>,
}
