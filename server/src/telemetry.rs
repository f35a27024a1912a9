//! What is told about every request: an id, a log line, two metrics; and the header fields that every answer carries.
//!
//! Invariant: no query string, header value or body is logged. Deliberately absent: a span a request, which would cost the
//! fetch of a token more than its decryption does.

use crate::State;
use crate::problem::{Code, Context, Problem};
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{HttpMessage as _, web};
use metrics::{Counter, Histogram};
use mortise_domain::OsEntropy;
pub(crate) use mortise_domain::RequestId;
use std::time::Duration;

/// Buckets for `mortise_http_request_duration_seconds` that tell a fetch from a refresh inside the call.
pub const DURATION_BUCKETS: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// The longest address that is read.
const LONGEST_URI: usize = 16 * 1024;
/// The most header bytes that are read; the server gives up by itself at 128 KiB.
const LARGEST_HEADERS: usize = 32 * 1024;
/// How statuses are told apart in metrics.
const CLASSES: [&str; 3] = ["2xx", "4xx", "5xx"];
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REQUESTS: &str = "mortise_http_requests_total";
const DURATION: &str = "mortise_http_request_duration_seconds";

/// The metrics of one route, made once a worker so that a request only counts.
pub(crate) struct Meters {
    route: String,
    methods: Vec<(Method, Meter)>,
}

struct Meter {
    duration: Histogram,
    /// One for each of [`CLASSES`].
    requests: [Counter; 3],
}

impl Meters {
    pub(crate) fn new(route: &str, methods: impl IntoIterator<Item = Method>) -> Self {
        let methods = methods.into_iter().map(|method| {
            let meter = Meter::new(route, method.as_str());
            (method, meter)
        });
        Self { route: route.to_owned(), methods: methods.collect() }
    }

    fn count(&self, method: &Method, status: StatusCode, took: Duration) {
        if let Some((_, meter)) = self.methods.iter().find(|(known, _)| known == method) {
            meter.duration.record(took.as_secs_f64());
            let class = if status.is_server_error() { 2 } else { usize::from(status.is_client_error()) };
            meter.requests[class].increment(1);
        }
    }
}

impl Meter {
    fn new(route: &str, method: &str) -> Self {
        let labels = [("route", route.to_owned()), ("method", method.to_owned())];
        let requests = CLASSES.map(|class| {
            let [route, method] = labels.clone();
            metrics::counter!(REQUESTS, &[route, method, ("status", class.to_owned())])
        });
        Self { duration: metrics::histogram!(DURATION, &labels), requests }
    }
}

/// Says what the metrics mean.
pub(crate) fn describe() {
    metrics::describe_counter!(REQUESTS, "Requests by route, method and class of the status.");
    metrics::describe_histogram!(DURATION, metrics::Unit::Seconds, "Time from a request's head to its answer's head.");
}

/// The one middleware.
pub(crate) async fn observe<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, actix_web::Error> {
    let Some(state) = request.app_data::<web::Data<State>>().cloned() else {
        return Ok(next.call(request).await?.map_into_left_body());
    };
    let id = RequestId::generate(&*state.clock, &OsEntropy);
    let begun = state.clock.monotonic();
    request.extensions_mut().insert(id);
    let mut answer = match too_large(&request) {
        Some(problem) => {
            let refused = problem.answer(Context { state: &state, id });
            request.into_response(refused).map_into_right_body()
        }
        None => next.call(request).await?.map_into_left_body(),
    };
    let took = state.clock.monotonic().saturating_sub(begun);
    let (method, status) = (answer.request().method(), answer.status());
    let meters = answer.request().app_data::<Meters>();
    if let Some(meters) = meters {
        meters.count(method, status, took);
    }
    // Reads that went well are the bulk: they are for whoever looks closely.
    let (route, status_code, micros) = (meters.map(|m| m.route.as_str()), status.as_u16(), took.as_micros());
    if method.is_safe() && status_code < 400 {
        tracing::debug!(target: "mortise::access", request_id = %id, %method, route, status = status_code, micros, "request");
    } else {
        tracing::info!(target: "mortise::access", request_id = %id, %method, route, status = status_code, micros, "request");
    }
    let of_api = answer.request().path().starts_with("/v1/");
    dress(&mut answer, &state, id, of_api);
    Ok(answer)
}

fn dress<B>(answer: &mut ServiceResponse<B>, state: &State, id: RequestId, of_api: bool) {
    let headers = answer.headers_mut();
    if let Ok(id) = HeaderValue::try_from(id.to_string()) {
        headers.insert(REQUEST_ID, id);
    }
    if of_api || !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if !headers.contains_key(header::X_CONTENT_TYPE_OPTIONS) {
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    }
    if state.broker.config().secure_cookies() && !headers.contains_key(header::STRICT_TRANSPORT_SECURITY) {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

fn too_large(request: &ServiceRequest) -> Option<Problem> {
    let uri = request.uri();
    if uri.path_and_query().map_or(0, |address| address.as_str().len()) > LONGEST_URI {
        return Some(Problem::new(Code::UriTooLong, Code::UriTooLong.way_out()));
    }
    let headers: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    (headers > LARGEST_HEADERS).then(|| Problem::new(Code::HeadersTooLarge, Code::HeadersTooLarge.way_out()))
}
