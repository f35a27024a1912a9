//! The service put together, and its limits.

use crate::routes::Routes;
use crate::{State, api, call, docs, health, pages, telemetry};
use actix_web::dev::Server;
use actix_web::http::header;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

/// How long a caller may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an idle connection stays open: longer than the proxies before it keep theirs.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long a closing connection may take.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long requests in flight may take when the service stops: longer than a caller waits for a refresh.
const STOP_TIMEOUT: u64 = 45;
/// How often the histograms are folded together.
const UPKEEP: Duration = Duration::from_secs(5);

/// Every route of the API, the one that is asked most first.
pub(crate) fn routes() -> Routes {
    let mut routes = Routes::new();
    api::add(&mut routes);
    health::add(&mut routes);
    routes
}

/// Adds the API, its documentation, the pages, and the answers for addresses that lead nowhere. The application has to
/// hold `web::Data<State>`; request ids and security headers are added by [`run`].
pub fn configure(config: &mut web::ServiceConfig) {
    routes().configure(config);
    docs::configure(config);
    pages::configure(config);
    config.default_service(web::to(nowhere));
}

/// Whoever calls the API hears of it in JSON, everybody else on a page.
async fn nowhere(state: web::Data<State>, request: HttpRequest) -> HttpResponse {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("text/html") && !request.path().starts_with("/v1/") {
        pages::not_found(state).await
    } else {
        call::unknown(&request)
    }
}

/// Serves on `listener` with `workers` threads until the returned server is stopped; signals are the caller's. Await it
/// inside a Tokio runtime.
pub fn run(state: Arc<State>, listener: TcpListener, workers: usize) -> std::io::Result<Server> {
    telemetry::describe();
    let state = web::Data::from(state);
    let document = docs::Document::of(&crate::document())?;
    let server = HttpServer::new(move || {
        fold_histograms(state.clone());
        App::new()
            .app_data(state.clone())
            .app_data(web::Data::new(document.clone()))
            .configure(configure)
            .wrap(from_fn(telemetry::observe))
    });
    let server = server
        .workers(workers.max(1))
        .disable_signals()
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(HEAD_TIMEOUT)
        .client_disconnect_timeout(DISCONNECT_TIMEOUT)
        .shutdown_timeout(STOP_TIMEOUT)
        .listen(listener)?;
    Ok(server.run())
}

/// Measurements pile up until somebody folds them together, whether or not `/metrics` is ever asked for. The task ends with
/// its worker.
fn fold_histograms(state: web::Data<State>) {
    actix_web::rt::spawn(async move {
        let mut ticks = tokio::time::interval(UPKEEP);
        loop {
            ticks.tick().await;
            state.metrics.run_upkeep();
        }
    });
}
