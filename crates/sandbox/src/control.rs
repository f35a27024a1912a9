//! The control endpoints: scripts, the oracle, clients, class settings, grants. JSON, and for loopback only.
//!
//! Errors have the shape of RFC 6749 section 5.2: `error` is a stable word, `error_description` says what to do.

mod oracle;
mod setup;
mod trust;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::{InternalError, JsonPayloadError, QueryPayloadError};
use actix_web::http::StatusCode;
use actix_web::http::header::HOST;
use actix_web::middleware::{Next, from_fn};
use actix_web::{Error, HttpRequest, HttpResponse, web};
use serde_json::json;

/// Room for a scripted body beyond every limit of a careful client.
const LONGEST_BODY: usize = 16 * 1024 * 1024;

/// Everything under `/control`.
pub fn configure(config: &mut web::ServiceConfig) {
    config.service(
        web::scope("/control")
            .wrap(from_fn(loopback_only))
            .app_data(web::JsonConfig::default().limit(LONGEST_BODY).error_handler(bad_json))
            .app_data(web::QueryConfig::default().error_handler(bad_query))
            .route("/health", web::get().to(setup::health))
            .route("/reset", web::post().to(setup::reset))
            .route("/script", web::post().to(setup::script))
            .route("/mode", web::get().to(setup::modes))
            .route("/mode", web::post().to(setup::mode))
            .route("/clients", web::post().to(setup::client))
            .route("/users", web::post().to(trust::user))
            .route("/issuers", web::post().to(trust::issuer))
            .route("/saml", web::post().to(trust::saml))
            .route("/classes/{class}", web::get().to(setup::class))
            .route("/classes/{class}", web::post().to(setup::change_class))
            .route("/grants", web::post().to(setup::grants))
            .route("/grants/{family}/end", web::post().to(setup::end_grant))
            .route("/history", web::get().to(oracle::history))
            .route("/oracle", web::get().to(oracle::report))
            .route("/oracle/totals", web::get().to(oracle::totals))
            .route("/oracle/requests", web::get().to(oracle::requests))
            .route("/oracle/check", web::post().to(oracle::check)),
    );
}

/// Refuses other machines, and web pages that reach loopback under a name of theirs.
async fn loopback_only(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let near = request.peer_addr().is_some_and(|peer| peer.ip().to_canonical().is_loopback());
    let host = request.headers().get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if near && is_loopback_host(host) {
        return next.call(request).await.map(ServiceResponse::map_into_left_body);
    }
    let refusal = problem(StatusCode::FORBIDDEN, "loopback_only", "the control endpoints answer on 127.0.0.1 only");
    Ok(request.into_response(refusal).map_into_right_body())
}

fn is_loopback_host(authority: &str) -> bool {
    match url::Url::parse(&format!("http://{authority}")) {
        Ok(url) => match url.host() {
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.to_canonical().is_loopback(),
            Some(url::Host::Domain(name)) => name == "localhost",
            None => false,
        },
        Err(_) => false,
    }
}

fn problem(status: StatusCode, error: &str, description: &str) -> HttpResponse {
    HttpResponse::build(status).json(json!({"error": error, "error_description": description}))
}

fn bad_json(error: JsonPayloadError, _: &HttpRequest) -> Error {
    let status = match error {
        JsonPayloadError::Overflow { .. } | JsonPayloadError::OverflowKnownLength { .. } => {
            StatusCode::PAYLOAD_TOO_LARGE
        }
        _ => StatusCode::BAD_REQUEST,
    };
    let response = problem(status, "invalid_json", &error.to_string());
    InternalError::from_response(error, response).into()
}

fn bad_query(error: QueryPayloadError, _: &HttpRequest) -> Error {
    let response = problem(StatusCode::BAD_REQUEST, "invalid_query", &error.to_string());
    InternalError::from_response(error, response).into()
}

#[cfg(test)]
mod tests {
    use super::is_loopback_host;

    #[test]
    fn only_loopback_names_pass() {
        for host in ["127.0.0.1:1", "127.9.9.9", "[::1]:80", "localhost:8080", "LOCALHOST"] {
            assert!(is_loopback_host(host), "{host}");
        }
        for host in ["", "rebind.example", "localhost.example", "10.0.0.1", "0.0.0.0", "a b"] {
            assert!(!is_loopback_host(host), "{host}");
        }
    }
}
