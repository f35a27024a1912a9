//! A TCP wire between a program and a server of loopback that can be broken in every way that a wire breaks, while it is in
//! use and one direction apart from the other.

mod flow;
mod link;

pub use flow::{End, Flow, Way};

use crate::{or_panic, ports, wait};
use anyhow::{Context as _, Result};
use flow::Rules;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What was seen on the wire.
#[derive(Debug, Default)]
struct Seen {
    accepted: u64,
    open: usize,
    up: u64,
    down: u64,
    kept: Option<Vec<u8>>,
}

#[derive(Debug)]
struct Shared {
    address: SocketAddr,
    target: SocketAddr,
    rules: watch::Sender<Rules>,
    seen: Mutex<Seen>,
    tasks: TaskTracker,
}

impl Shared {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A wire to a server, up for as long as the value.
#[derive(Debug)]
pub struct FaultProxy {
    shared: Arc<Shared>,
    /// Of the listener; `None` while connections are refused.
    listening: Option<CancellationToken>,
}

impl FaultProxy {
    /// A wire on which everything passes.
    ///
    /// # Panics
    /// When no port of loopback can be listened on.
    pub async fn to(target: SocketAddr) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], or_panic(ports::free().context("no free port"))));
        let rules = Rules { up: Flow::Pass, down: Flow::Pass, cuts: 0, end: End::Close };
        let (rules, tasks) = (watch::Sender::new(rules), TaskTracker::new());
        let shared = Arc::new(Shared { address, target, rules, seen: Mutex::default(), tasks });
        let mut proxy = Self { shared, listening: None };
        proxy.accept().await;
        proxy
    }

    /// Where to connect to; the same for as long as the value.
    pub fn addr(&self) -> SocketAddr {
        self.shared.address
    }

    /// What URLs begin with that lead over this wire.
    pub fn base(&self) -> String {
        format!("http://{}", self.addr())
    }

    /// Changes what becomes of bytes on one way, from the next byte on, those in open connections included. Counts of
    /// [`Flow::Limit`] begin anew.
    pub fn set(&self, way: Way, flow: Flow) {
        self.shared.rules.send_modify(|rules| match way {
            Way::Up => rules.up = flow,
            Way::Down => rules.down = flow,
        });
    }

    /// Lets everything pass again, and lets in who connects.
    pub async fn heal(&mut self) {
        self.set(Way::Up, Flow::Pass);
        self.set(Way::Down, Flow::Pass);
        self.accept().await;
    }

    /// Breaks off every open connection. New ones are let in.
    pub fn cut(&self, end: End) {
        self.shared.rules.send_modify(|rules| {
            rules.cuts += 1;
            rules.end = end;
        });
    }

    /// From now on nobody listens: who connects is refused by the system, before any byte. Open connections go on.
    pub async fn refuse(&mut self) {
        if let Some(listening) = self.listening.take() {
            listening.cancel();
            let address = self.shared.address;
            let gone = wait::until(WITHIN, async || Ok(TcpStream::connect(address).await.is_err().then_some(())));
            or_panic(gone.await.context("the wire's listener does not end"));
        }
    }

    /// Lets in who connects, after [`FaultProxy::refuse`].
    ///
    /// # Panics
    /// When somebody took the port meanwhile.
    pub async fn accept(&mut self) {
        if self.listening.is_none() {
            let bound = TcpListener::bind(self.shared.address).await;
            let listener = or_panic(bound.context("the wire's port cannot be listened on"));
            let listening = CancellationToken::new();
            self.shared.tasks.spawn(listening.clone().run_until_cancelled_owned(listen(listener, self.shared.clone())));
            self.listening = Some(listening);
        }
    }

    /// How many connections were let in so far.
    pub fn accepted(&self) -> u64 {
        self.shared.seen().accepted
    }

    /// How many connections are open.
    pub fn open(&self) -> usize {
        self.shared.seen().open
    }

    /// How many bytes arrived on one way.
    pub fn arrived(&self, way: Way) -> u64 {
        let seen = self.shared.seen();
        match way {
            Way::Up => seen.up,
            Way::Down => seen.down,
        }
    }

    /// Keeps a copy of all bytes that arrive from now on.
    pub fn keep(&self) {
        self.shared.seen().kept.get_or_insert_default();
    }

    /// What was kept, portion by portion as it arrived, each ended by a line break.
    pub fn kept(&self) -> Vec<u8> {
        self.shared.seen().kept.clone().unwrap_or_default()
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        if let Some(listening) = &self.listening {
            listening.cancel();
        }
        self.cut(End::Close);
    }
}

/// Longer than the system takes to close a listener.
const WITHIN: Duration = Duration::from_secs(20);

async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((near, _)) = listener.accept().await {
        shared.seen().accepted += 1;
        // From here on a cut concerns it.
        let cuts = shared.rules.borrow().cuts;
        shared.tasks.spawn(link::run(near, cuts, shared.clone()));
    }
}

/// Ends a connection towards one side.
fn hang_up(stream: TcpStream, end: End) -> Result<()> {
    if end == End::Reset {
        stream.set_zero_linger()?;
    }
    drop(stream);
    Ok(())
}
