//! Where lives are lived: a played provider on loopback, and the product's HTTP client led there.

use mortise_domain::Clock;
use mortise_oauth::{Egress, EgressError, EgressPolicy, Header, Outbound, Reply, SendError, Transport};
use mortise_sandbox::SandboxError;
use mortise_sandbox::play::PlayedServer;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio_util::task::TaskTracker;

/// Why there is no stage.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The played provider cannot listen.
    #[error("the sandbox cannot be served")]
    Sandbox(#[from] SandboxError),
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be set up")]
    Egress(#[from] EgressError),
}

/// A stage for one life after the other.
pub struct Stage {
    pub(crate) server: PlayedServer,
    pub(crate) transport: Mapped,
    pub(crate) clock: Arc<dyn Clock>,
    tasks: TaskTracker,
}

impl Stage {
    /// Opens a stage on a spare port of loopback, inside a tokio runtime.
    ///
    /// # Errors
    /// No port, or no HTTP client.
    pub fn open(clock: Arc<dyn Clock>) -> Result<Self, StageError> {
        let (server, serving) = PlayedServer::bind(Arc::clone(&clock))?;
        let tasks = TaskTracker::new();
        tasks.spawn(serving);
        let transport = Mapped::to(server.address())?;
        Ok(Self { server, transport, clock, tasks })
    }

    /// The played provider.
    pub fn server(&self) -> &PlayedServer {
        &self.server
    }

    /// Ends it.
    pub async fn close(self) {
        self.server.stop().await;
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// The product's own HTTP client, led to one address whatever host is meant. The host that was meant stands in `Host`.
pub struct Mapped {
    egress: Egress,
    to: SocketAddr,
}

impl Mapped {
    /// A client that is led to `to`, on this machine.
    ///
    /// # Errors
    /// The HTTP client cannot be made.
    pub fn to(to: SocketAddr) -> Result<Self, EgressError> {
        let egress = Egress::new(EgressPolicy { allow: vec![to.ip().into()] })?;
        Ok(Self { egress, to })
    }
}

#[async_trait::async_trait]
impl Transport for Mapped {
    async fn send(&self, mut request: Outbound) -> Result<Reply, SendError> {
        let port = request.url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let meant = format!("{}{port}", request.url.host_str().unwrap_or_default());
        let led = request.url.set_scheme("http").is_ok()
            && request.url.set_ip_host(self.to.ip()).is_ok()
            && request.url.set_port(Some(self.to.port())).is_ok();
        if !led {
            return Err(SendError::Connect);
        }
        request.headers.push(Header::new("host", meant));
        self.egress.send(request).await
    }
}
