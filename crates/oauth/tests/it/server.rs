//! A TCP server that says what a test wants, byte by byte.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What a server saw.
#[derive(Default)]
pub struct Seen {
    requests: Mutex<Vec<String>>,
    connections: Mutex<usize>,
}

/// One accepted connection.
pub struct Peer {
    pub stream: TcpStream,
    seen: Arc<Seen>,
}

impl Peer {
    /// Reads one request with its body and notes it. `false`: the client closed the connection.
    pub async fn request(&mut self) -> bool {
        let mut bytes = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head
                    .lines()
                    .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
                if body.len() >= length.unwrap_or(0) {
                    self.seen.requests.lock().unwrap().push(text);
                    return true;
                }
            }
            match self.stream.read_buf(&mut bytes).await {
                Ok(0) | Err(_) => return false,
                Ok(_) => {}
            }
        }
    }

    /// Writes, and says whether the client still takes it.
    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).await.is_ok() && self.stream.flush().await.is_ok()
    }

    /// Reads one request and answers it with `bytes`.
    pub async fn answer(&mut self, bytes: impl AsRef<[u8]>) {
        if self.request().await {
            self.write(bytes).await;
        }
    }
}

/// Runs until it is dropped.
pub struct Server {
    pub address: SocketAddr,
    seen: Arc<Seen>,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Serves every connection with `serve`.
    pub async fn start<F, S>(serve: S) -> Self
    where
        S: Fn(Peer) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let mut tasks = JoinSet::new();
        let noted = seen.clone();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                *noted.connections.lock().unwrap() += 1;
                connections.spawn(serve(Peer { stream, seen: noted.clone() }));
            }
        });
        Self { address, seen, _tasks: tasks }
    }

    /// Answers every connection's first request with `bytes` and closes it.
    pub async fn answering(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = Arc::new(bytes.into());
        Self::start(move |mut peer| {
            let bytes = bytes.clone();
            async move { peer.answer(&*bytes).await }
        })
        .await
    }

    pub fn url(&self) -> String {
        format!("http://{}/token", self.address)
    }

    /// The requests that arrived whole.
    pub fn requests(&self) -> Vec<String> {
        self.seen.requests.lock().unwrap().clone()
    }

    /// How many connections were accepted.
    pub fn connections(&self) -> usize {
        *self.seen.connections.lock().unwrap()
    }
}
