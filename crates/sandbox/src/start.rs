//! Starting and stopping, and the oracle for a caller in the same process.

use crate::class::RecoveryClass;
use crate::clients::NewClient;
use crate::config::SandboxConfig;
use crate::error::SandboxError;
use crate::ledger::{Ended, FamilyId};
use crate::oracle::{self, GrantFilter, NewGrants, OracleReport, SeededGrant, TokenCheck, Totals};
use crate::script::Script;
use crate::settings::ClassSettingsPatch;
use crate::shared::Shared;
use crate::{authorize, control, introspect, pages, revoke, token, userinfo};
use actix_web::dev::{Server, ServerHandle};
use actix_web::{App, HttpServer, web};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

const LONGEST_BODY: usize = 64 * 1024;

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
    shared: Arc<Shared>,
    handle: ServerHandle,
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
        let shared = Arc::new(Shared::new(config, base_url.trim_end_matches('/').to_owned())?);
        let data = web::Data::from(Arc::clone(&shared));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .app_data(web::PayloadConfig::new(LONGEST_BODY))
                .configure(control::configure)
                .configure(routes)
                .default_service(web::to(pages::nowhere))
        })
        .workers(1)
        .disable_signals()
        .listen(listener)
        .map_err(bind_error)?
        .run();
        let handle = server.handle();
        Ok((RunningSandbox { addr, shared, handle }, SandboxServer(server)))
    }
}

fn routes(config: &mut web::ServiceConfig) {
    config.route("/assets/sandbox.css", web::get().to(pages::style)).service(
        web::scope("/{class:[nmgusf]}")
            .route("/authorize", web::get().to(authorize::page))
            .route("/authorize", web::post().to(authorize::decide))
            .route("/token", web::post().to(token::token))
            .route("/revoke", web::post().to(revoke::revoke))
            .route("/introspect", web::post().to(introspect::introspect))
            .route("/userinfo", web::get().to(userinfo::userinfo)),
    );
}

impl RunningSandbox {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What URLs begin with, without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.shared.base_url
    }

    /// The issuer identifier of a class, under which its endpoints are.
    pub fn issuer(&self, class: RecoveryClass) -> String {
        self.shared.issuer(class)
    }

    /// Stops at once: open connections are closed, scripted waits end without effect. Needs the [`SandboxServer`] to be
    /// polled or finished.
    pub async fn stop(&self) {
        self.shared.stopping.cancel();
        self.handle.stop(false).await;
    }

    /// Everything that the filter wants, with at most `requests` of the newest requests.
    pub fn oracle(&self, filter: &GrantFilter, requests: usize) -> OracleReport {
        oracle::report(&self.shared.lock(), filter, requests, self.shared.now())
    }

    /// Sums over everything.
    pub fn totals(&self) -> Totals {
        oracle::totals(&self.shared.lock())
    }

    /// What is known of one token.
    pub fn check(&self, token: &str) -> TokenCheck {
        oracle::check(&self.shared.lock(), token, self.shared.now())
    }

    /// Queues faults for the next requests.
    pub fn script(&self, script: Script) -> Result<(), SandboxError> {
        Ok(self.shared.lock().scripts.push(script)?)
    }

    /// Registers a client, or registers it anew.
    pub fn register(&self, client: NewClient) -> Result<(), SandboxError> {
        let mut state = self.shared.lock();
        state.clients.register(client)?;
        self.shared.save(&state)
    }

    /// Changes how a class behaves.
    pub fn configure(&self, class: RecoveryClass, patch: ClassSettingsPatch) -> Result<(), SandboxError> {
        let mut state = self.shared.lock();
        patch.apply(state.settings_mut(class));
        self.shared.save(&state)
    }

    /// Makes grants without a consent page.
    pub fn grant(&self, order: &NewGrants) -> Result<Vec<SeededGrant>, SandboxError> {
        let mut state = self.shared.lock();
        let grants = oracle::seed(&mut state, &self.shared, order)?;
        self.shared.save(&state)?;
        Ok(grants)
    }

    /// The person withdraws the consent; `false` if there is no such grant or it had ended.
    pub fn end_grant(&self, family: FamilyId) -> Result<bool, SandboxError> {
        let mut state = self.shared.lock();
        let ended = state.ledger.end(family, Ended::Revoked);
        self.shared.save(&state)?;
        Ok(ended)
    }
}
