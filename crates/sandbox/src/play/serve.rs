//! The played provider on loopback, for clients that are led here whatever host they meant.
//!
//! A request says in its `Host` where it meant to go (RFC 9110 section 7.2), so nothing of it has to be changed but the
//! address that the connection is made to.

use super::{Answered, Arrived, Played};
use crate::SandboxError;
use actix_web::dev::{Server, ServerHandle};
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data, PayloadConfig};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use mortise_domain::{Clock, Timestamp};
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

/// No honest request is longer (bytes).
const LONGEST: usize = 256 * 1024;

/// A stage for one provider at a time.
#[derive(Clone)]
pub struct PlayedServer {
    address: SocketAddr,
    stage: Arc<Stage>,
    handle: ServerHandle,
}

struct Stage {
    played: Mutex<Option<Played>>,
    clock: Arc<dyn Clock>,
    /// Seconds that the provider's clock is ahead.
    ahead: AtomicU64,
}

/// The work of a [`PlayedServer`]: runs until [`PlayedServer::stop`], on the task that the caller gives it.
#[must_use = "the stage serves only while this future is polled"]
pub struct PlayedServing(Server);

impl Future for PlayedServing {
    type Output = std::io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl PlayedServer {
    /// Takes a spare port on loopback. To be called inside a tokio runtime, which has to poll the second value.
    ///
    /// # Errors
    /// No port can be had.
    pub fn bind(clock: Arc<dyn Clock>) -> Result<(Self, PlayedServing), SandboxError> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let bind_error = |source| SandboxError::Bind { address, source };
        let listener = std::net::TcpListener::bind(address).map_err(bind_error)?;
        let address = listener.local_addr().map_err(bind_error)?;
        let stage = Arc::new(Stage { played: Mutex::new(None), clock, ahead: AtomicU64::new(0) });
        let data = Data::from(Arc::clone(&stage));
        let server = HttpServer::new(move || {
            let app = App::new().app_data(data.clone()).app_data(PayloadConfig::new(LONGEST));
            app.default_service(web::to(answer))
        });
        let server = server.workers(1).disable_signals().listen(listener).map_err(bind_error)?.run();
        let handle = server.handle();
        Ok((Self { address, stage, handle }, PlayedServing(server)))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Puts a provider on the stage, in the place of the one before.
    pub fn play(&self, played: Played) {
        *self.stage.lock() = Some(played);
        self.stage.ahead.store(0, Ordering::Relaxed);
    }

    /// Does something with the provider that is played; `None` where there is none. The second value is its time, in unix
    /// seconds.
    pub fn with<T>(&self, act: impl FnOnce(&mut Played, i64) -> T) -> Option<T> {
        let now = self.stage.now().timestamp();
        self.stage.lock().as_mut().map(|played| act(played, now))
    }

    /// Time passes at the provider.
    pub fn pass(&self, seconds: u64) {
        self.stage.ahead.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Stops at once. Needs the [`PlayedServing`] to be polled or finished.
    pub async fn stop(&self) {
        self.handle.stop(false).await;
    }
}

impl Stage {
    fn lock(&self) -> MutexGuard<'_, Option<Played>> {
        self.played.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        self.clock.now() + Duration::from_secs(self.ahead.load(Ordering::Relaxed))
    }
}

async fn answer(request: HttpRequest, body: Bytes, stage: Data<Stage>) -> HttpResponse {
    let Some(arrived) = arrived(&request, &body) else { return HttpResponse::BadRequest().finish() };
    let now = stage.now();
    let answered = stage.lock().as_mut().map(|played| played.answer(&arrived, now.timestamp()));
    respond(answered.unwrap_or_else(|| Answered::empty(503)), now)
}

fn arrived(request: &HttpRequest, body: &Bytes) -> Option<Arrived> {
    let host = request.headers().get("host")?.to_str().ok()?;
    let url = format!("https://{host}{}", request.uri().path_and_query()?).parse().ok()?;
    let text = |value: &actix_web::http::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = request.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value)));
    Some(Arrived { method: request.method().as_str().to_owned(), url, headers: headers.collect(), body: body.to_vec() })
}

fn respond(answered: Answered, now: Timestamp) -> HttpResponse {
    let status = StatusCode::from_u16(answered.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    // The provider's clock may be ahead of this machine's.
    response.insert_header(("date", now.format("%a, %d %b %Y %H:%M:%S GMT").to_string()));
    for (name, value) in answered.headers {
        response.insert_header((name, value));
    }
    response.body(answered.body)
}
