//! Starting and stopping the HTTP server.

use crate::config::SandboxConfig;
use crate::error::SandboxError;
use crate::inbound::LONGEST_BODY;
use crate::model::Model;
use crate::serve::{self, Serving};
use crate::{authorize, control, device, oauth1, pages};
use actix_web::dev::{Server, ServerHandle};
use actix_web::{App, HttpServer, web};
use std::net::SocketAddr;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The way to start one.
pub struct Sandbox;

/// The work of a sandbox: runs until [`RunningSandbox::stop`], on the task that the caller gives it.
#[must_use = "the sandbox serves only while this future is polled"]
pub struct SandboxServer(Server);

impl Future for SandboxServer {
    type Output = std::io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx)
    }
}

/// A sandbox that listens. Dropping it stops nothing.
#[derive(Clone)]
pub struct RunningSandbox {
    addr: SocketAddr,
    model: Model,
    handle: ServerHandle,
    stopping: CancellationToken,
}

impl Sandbox {
    /// Reads the state file and takes the address. To be called inside a tokio runtime, which has to poll the second
    /// value, best as a tracked task; requests that come earlier wait.
    pub fn bind(config: SandboxConfig) -> Result<(RunningSandbox, SandboxServer), SandboxError> {
        let address = config.bind;
        let bind_error = |source| SandboxError::Bind { address, source };
        let listener = std::net::TcpListener::bind(address).map_err(bind_error)?;
        let addr = listener.local_addr().map_err(bind_error)?;
        let base_url = config.base_url.as_ref().map_or_else(|| format!("http://{addr}"), url::Url::to_string);
        let model = Model::at(config, &base_url)?;
        let shared = Arc::clone(&model.shared);
        let serving = Arc::new(Serving {
            shared: Arc::clone(&shared),
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
        });
        let (data, stopping) = (web::Data::from(Arc::clone(&shared)), serving.stopping.clone());
        let serving = web::Data::from(serving);
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .app_data(serving.clone())
                .app_data(web::PayloadConfig::new(LONGEST_BODY))
                .configure(control::configure)
                .configure(routes)
                .default_service(web::to(pages::nowhere))
        })
        .workers(1)
        .disable_signals()
        // A client that closes its side has left, as at most servers; so its departure can be told.
        .h1_allow_half_closed(false)
        .listen(listener)
        .map_err(bind_error)?
        .run();
        let handle = server.handle();
        Ok((RunningSandbox { addr, model, handle, stopping }, SandboxServer(server)))
    }
}

fn routes(config: &mut web::ServiceConfig) {
    config.route("/assets/sandbox.css", web::get().to(pages::style)).service(
        web::scope("/{class:[nmgusf]}")
            .route("/authorize", web::get().to(authorize::page))
            .route("/authorize", web::post().to(authorize::decide))
            .route("/device_authorization", web::post().to(device::authorize))
            .route("/device", web::get().to(device::page))
            .route("/device", web::post().to(device::decide))
            .route("/oauth1/request_token", web::post().to(oauth1::request_token))
            .route("/oauth1/authorize", web::get().to(oauth1::page))
            .route("/oauth1/authorize", web::post().to(oauth1::decide))
            .route("/oauth1/access_token", web::post().to(oauth1::access_token))
            .route("/oauth1/account", web::get().to(oauth1::account_of))
            .route("/token", web::post().to(serve::token))
            .route("/revoke", web::post().to(serve::revoke))
            .route("/introspect", web::post().to(serve::introspect))
            .route("/userinfo", web::get().to(serve::userinfo)),
    );
}

impl RunningSandbox {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Stops at once: open connections are closed, scripted waits end without effect. Needs the [`SandboxServer`] to be
    /// polled or finished.
    pub async fn stop(&self) {
        self.stopping.cancel();
        self.handle.stop(false).await;
    }
}

/// A sandbox that listens is a provider like any other: what the control endpoints do, its [`Model`] does too.
impl Deref for RunningSandbox {
    type Target = Model;

    fn deref(&self) -> &Model {
        &self.model
    }
}
