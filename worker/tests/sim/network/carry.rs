//! The way of one request to its provider and back.

use super::Wire;
use crate::dice::Dice;
use crate::provider::Providers;
use crate::trace::{Trace, What};
use crate::weather::Weather;
use mortise_domain::{AppKey, AttemptId};
use mortise_oauth::Outbound;
use mortise_sandbox::{Arrived, Delivered, ModelRequest};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

/// How long a provider keeps a request in hand whose client never says that it left.
const FORGETS_AFTER: Duration = Duration::from_secs(120);

/// What all processes share.
pub struct Network {
    pub providers: Arc<Providers>,
    pub weather: Arc<Weather>,
    pub trace: Arc<Trace>,
    pub dice: Dice,
    pub tasks: TaskTracker,
}

/// A reply with the number of its request.
pub type Got = (u64, Option<Delivered>);

/// A request that can be sent again, and what the judges have to know of it.
pub struct Freight {
    url: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    process: usize,
    attempt: Option<(AttemptId, Duration)>,
}

impl Freight {
    pub fn new(request: Outbound, process: usize, attempt: Option<(AttemptId, Duration)>) -> Self {
        let headers = request.headers.iter().map(|header| (header.name.clone(), header.value.to_string())).collect();
        Self { url: request.url.to_string(), headers, body: request.body.to_vec(), process, attempt }
    }

    fn request(&self) -> ModelRequest {
        let bare = ModelRequest::to(&self.url).unwrap();
        let headed = self.headers.iter().fold(bare, |request, (name, value)| request.header(name, value).unwrap());
        headed.body(self.body.clone())
    }
}

impl Network {
    /// Takes a request along. The receiver hears of the reply, or that the connection broke, or nothing.
    pub fn carry(self: &Arc<Self>, freight: &Freight, wire: Arc<Wire>) -> oneshot::Receiver<Got> {
        let (sender, receiver) = oneshot::channel();
        let (network, request) = (self.clone(), freight.request());
        let (process, attempt) = (freight.process, freight.attempt);
        self.tasks.spawn(async move {
            network.travel().await;
            if network.dice.chance(network.weather.now().lost_before) {
                return network.lose(sender, &wire).await;
            }
            let arrived = network.providers.model.begin(request);
            let id = arrived.id();
            let (attempt, deadline) = attempt.unzip();
            network.trace.note(What::Arrived { request: id, process, attempt, deadline });
            network.exchange(arrived, sender, wire).await;
        });
        receiver
    }

    /// For how long an app has been held, by what was written down.
    pub fn held_since(&self, app: AppKey) -> Option<Duration> {
        let lines = self.trace.lines();
        let last = lines.iter().rev().find_map(|line| match line.what {
            What::Held { app: held, held: true } if held == app => Some(line.at),
            _ => None,
        });
        last.map(|at| self.trace.elapsed() - at)
    }

    async fn exchange(&self, arrived: Arrived, sender: oneshot::Sender<Got>, wire: Arc<Wire>) {
        let id = arrived.id();
        let (sender, thinks) = self.may_give_up(id, sender);
        self.pass(arrived.wait() + thinks, &wire, || arrived.client_left()).await;
        let answer = self.providers.model.process(arrived);
        let Some(time) = answer.wait() else {
            // A provider that never answers; who gives up first does not matter.
            tokio::time::timeout(FORGETS_AFTER, wire.left()).await.unwrap_or_default();
            return;
        };
        self.pass(time, &wire, || answer.client_left()).await;
        let Some(sender) = sender.filter(|_| !wire.is_left()) else { return };
        if self.dice.chance(self.weather.now().lost_after) {
            drop(answer);
            return self.lose(sender, &wire).await;
        }
        let delivered = self.providers.model.deliver(answer);
        self.travel().await;
        // Nobody may be there any more.
        sender.send((id, delivered)).unwrap_or_default();
    }

    /// How long the provider takes, and who still waits for it: somebody in between may give up, with a word or without,
    /// and the provider does not hear of that.
    fn may_give_up(&self, id: u64, sender: oneshot::Sender<Got>) -> (Option<oneshot::Sender<Got>>, Duration) {
        let sky = self.weather.now();
        let mut thinks = self.dice.time(Duration::from_millis(5), Duration::from_millis(900));
        if self.dice.chance(sky.ponders) {
            thinks += self.dice.seconds(5, 60);
        }
        if !self.dice.chance(sky.gives_up) {
            return (Some(sender), thinks);
        }
        if self.dice.chance(0.5) {
            let gateway = Delivered { status: 504, headers: Vec::new(), body: b"<h1>504</h1>".to_vec(), whole: true };
            sender.send((id, Some(gateway))).unwrap_or_default();
        }
        (None, thinks + self.dice.time(Duration::ZERO, Duration::from_secs(20)))
    }

    /// Lets time pass, and tells when the client leaves meanwhile.
    async fn pass(&self, time: Duration, wire: &Wire, leave: impl FnOnce()) {
        let end = Instant::now() + time;
        if tokio::time::timeout_at(end, wire.left()).await.is_ok() {
            leave();
            tokio::time::sleep_until(end).await;
        }
    }

    async fn travel(&self) {
        tokio::time::sleep(self.dice.time(Duration::from_millis(1), Duration::from_millis(60))).await;
    }

    /// The client learns of it at once, or waits in vain.
    async fn lose(&self, sender: oneshot::Sender<Got>, wire: &Wire) {
        if self.dice.chance(0.5) {
            wire.left().await;
        }
        drop(sender);
    }
}
