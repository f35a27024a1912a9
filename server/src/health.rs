//! For whoever runs the service: whether it lives, whether it can work, what it has done, and what it offers.

use crate::access::Public;
use crate::call::Call;
use crate::input::Anything;
use crate::problem::{Code, Problem, Result};
use crate::reply::{self, Reply};
use crate::routes::Routes;
use actix_web::http::StatusCode;
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

pub(crate) fn add(routes: &mut Routes) {
    routes.add(__path_healthz, healthz, &[]).add(__path_readyz, readyz, &[Code::Unavailable]).add(
        __path_metrics,
        metrics,
        &[],
    );
}

/// How the service is.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// `ok`.
    status: &'static str,
}

/// Says that the process runs
///
/// Touches nothing else: an orchestrator should restart the process when this fails.
#[utoipa::path(get, path = "/healthz", tag = "operations", responses((status = 200, description = "It runs.", body = Health)))]
async fn healthz(_: Call<Public, (), Anything>) -> Result<Reply> {
    reply::ok(&Health { status: "ok" })
}

/// Says whether the service can work
///
/// It can when its database answers and it is not stopping: a load balancer should send requests only then.
#[utoipa::path(get, path = "/readyz", tag = "operations", responses((status = 200, description = "It can.", body = Health)))]
async fn readyz(call: Call<Public, (), Anything>) -> Result<Reply> {
    if call.broker().is_draining() {
        let problem = Problem::new(Code::Unavailable, "The service is stopping.");
        return Err(problem.with_retry_after(Duration::from_secs(5)));
    }
    call.broker().ready().await?;
    reply::ok(&Health { status: "ok" })
}

/// Shows the metrics
///
/// In the Prometheus text format. Not for the public: let the reverse proxy keep it inside.
#[utoipa::path(
    get, path = "/metrics", tag = "operations",
    responses((status = 200, description = "Metrics.", content_type = "text/plain", body = String)),
)]
async fn metrics(call: Call<Public, (), Anything>) -> Result<Reply> {
    let text = call.state.metrics.render();
    Ok(Reply::new(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text.into_bytes()))
}
