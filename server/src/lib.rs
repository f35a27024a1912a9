//! The web service: thin routes over the broker's use cases.
//!
//! A request is read, handed to one use case and its answer rendered; every route is registered once, and the OpenAPI
//! document is made from the same registration. Invariants: no route without a scope or an explicit word that it is
//! public; every error is a problem document or a page. Deliberately absent: decisions, and TLS and HTTP/2, which are the
//! reverse proxy's.

mod access;
mod api;
mod app;
mod call;
mod docs;
mod health;
mod idempotency;
mod input;
pub mod pages;
mod problem;
mod reply;
mod routes;
mod telemetry;

pub use app::{configure, run};
pub use problem::{Code, errors_markdown};
pub use telemetry::DURATION_BUCKETS;

pub use mortise_broker::catalog::markdown as catalog_markdown;
pub use mortise_broker::connector_schema;

use metrics_exporter_prometheus::PrometheusHandle;
use mortise_broker::Broker;
use mortise_domain::Clock;
use std::sync::Arc;

/// What every handler shares.
pub struct State {
    /// The use cases.
    pub broker: Arc<Broker>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: PrometheusHandle,
}

impl State {
    /// The state of a service over this broker. `metrics` is what `/metrics` shows.
    pub fn new(broker: Arc<Broker>, clock: Arc<dyn Clock>, metrics: PrometheusHandle) -> Self {
        Self { broker, clock, metrics }
    }
}

/// The OpenAPI 3.1 document of the API.
pub fn document() -> utoipa::openapi::OpenApi {
    app::routes().openapi()
}
