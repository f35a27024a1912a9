//! The history of a run: the provider's log, every timeline, and what readers were handed out, held against the rules of an
//! engine that never loses a grant.

use crate::site::Site;
use anyhow::Result;
use mortise_domain::{Clock as _, ConnectionId, Entropy as _, OsEntropy, SystemClock};
use mortise_sandbox::TokenId;
use mortise_testkit::Http;
use mortise_testkit::history::{Connection, Fetch, History, Violation};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Timelines that are asked for at once.
const AT_ONCE: usize = 8;

/// Readers at work: each fetches the token of one connection after the other, drawn at random, and writes it down.
pub(super) struct Readers {
    seen: Arc<Mutex<Vec<Fetch>>>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Readers {
    /// So many, with this pause after each answer.
    pub(super) fn start(site: &Site, count: usize, connections: &[ConnectionId], pause: Duration) -> Self {
        let (seen, stop) = (Arc::new(Mutex::new(Vec::new())), CancellationToken::new());
        let ids: Arc<[String]> = connections.iter().map(ToString::to_string).collect();
        let mut tasks = JoinSet::new();
        for _ in 0..count {
            let work = read(site.api(), site.base.clone(), ids.clone(), pause, seen.clone());
            let stop = stop.clone();
            tasks.spawn(async move { stop.run_until_cancelled(work).await.unwrap_or_default() });
        }
        Self { seen, stop, tasks }
    }

    /// Nobody reads any longer; answers every token that was handed out.
    pub(super) async fn stop(mut self) -> Result<Vec<Fetch>> {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended?;
        }
        Ok(std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

async fn read(api: Http, base: String, ids: Arc<[String]>, pause: Duration, seen: Arc<Mutex<Vec<Fetch>>>) {
    let now = || SystemClock::new().now().timestamp_millis();
    loop {
        let at = (OsEntropy.fraction() * ids.len() as f64) as usize;
        let Some(id) = ids.get(at) else { return };
        let asked_at_ms = now();
        let request = api.request(Default::default(), &format!("{base}/v1/connections/{id}/token"));
        if let Ok(answer) = api.try_send(request).await
            && answer.status == 200
            && let Some(token) = answer.json()["access_token"].as_str()
        {
            let token = TokenId::of(token).to_string();
            let fetch = Fetch { connection: id.clone(), asked_at_ms, answered_at_ms: now(), token };
            seen.lock().unwrap_or_else(PoisonError::into_inner).push(fetch);
        }
        tokio::time::sleep(pause).await;
    }
}

/// A connection, the provider's grant behind it, and the token that it began with where no request of the log brought it.
pub(super) struct Known {
    pub(super) id: ConnectionId,
    pub(super) family: u64,
    pub(super) root: Option<String>,
}

/// What the checker found, in what.
pub(super) struct Judgement {
    requests: usize,
    lines: usize,
    fetches: usize,
    found: Vec<Violation>,
}

/// Hears everybody. Nothing is under way any more, and the web service runs.
pub(super) async fn judge(
    site: &Site,
    mut history: History,
    known: Vec<Known>,
    fetches: Vec<Fetch>,
) -> Result<Judgement> {
    let mut asked = JoinSet::new();
    for known in known {
        if asked.len() == AT_ONCE
            && let Some(connection) = asked.join_next().await
        {
            history.connections.push(connection?);
        }
        let (api, base) = (site.api(), site.base.clone());
        asked.spawn(async move {
            let mut connection = Connection::ask(&api, &base, &known.id.to_string(), vec![known.family]).await;
            connection.roots.extend(known.root);
            connection
        });
    }
    while let Some(connection) = asked.join_next().await {
        history.connections.push(connection?);
    }
    history.fetches = fetches;
    let lines = history.connections.iter().map(|connection| connection.events.len()).sum();
    let (requests, fetches) = (history.requests.len(), history.fetches.len());
    Ok(Judgement { requests, lines, fetches, found: history.check() })
}

impl Judgement {
    /// How often a rule was broken.
    pub(super) fn broken(&self) -> usize {
        self.found.len()
    }

    /// In a sentence.
    pub(super) fn told(&self) -> String {
        let Self { requests, lines, fetches, found } = self;
        let what = match found.first() {
            None => "nothing is against a rule".to_owned(),
            Some(first) => format!("{} are against a rule, the first: {:?}, {}", found.len(), first.rule, first.what),
        };
        format!(
            "The history checker on {requests} token requests in the provider's log, {lines} lines of timelines and \
             {fetches} tokens handed out to readers: {what}."
        )
    }
}
