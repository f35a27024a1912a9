//! Callers who want a refresh now and wait for it, one request at a time each.

use crate::site::Site;
use anyhow::Result;
use mortise_domain::{Clock as _, ConnectionId, Entropy as _, OsEntropy, SystemClock};
use mortise_testkit::Http;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Callers at work.
pub(super) struct Callers {
    seen: Arc<Mutex<Seen>>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

/// What they saw.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// How long good answers took, in milliseconds.
    pub(super) good: Vec<f64>,
    /// Other answers.
    pub(super) refused: u64,
}

impl Callers {
    /// So many, each with a connection drawn at random, again and again. `pause`: the time between two requests of a
    /// caller, from start to start; zero: the next follows the answer.
    pub(super) fn start(site: &Site, count: usize, connections: &[ConnectionId], pause: Duration) -> Self {
        let (seen, stop) = (Arc::new(Mutex::new(Seen::default())), CancellationToken::new());
        let urls = connections.iter().map(|id| format!("{}/v1/connections/{id}/refresh", site.base));
        let urls: Arc<[String]> = urls.collect();
        let mut tasks = JoinSet::new();
        for _ in 0..count {
            let work = call(site.api(), urls.clone(), pause, seen.clone());
            tasks.spawn({
                let stop = stop.clone();
                async move { stop.run_until_cancelled(work).await.unwrap_or_default() }
            });
        }
        Self { seen, stop, tasks }
    }

    /// Nobody waits any longer; answers what was seen so far.
    pub(super) async fn stop(mut self) -> Result<Seen> {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended?;
        }
        Ok(std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

async fn call(api: Http, urls: Arc<[String]>, pause: Duration, seen: Arc<Mutex<Seen>>) {
    let clock = SystemClock::new();
    let Ok(post) = "POST".parse() else { return };
    loop {
        let at = (OsEntropy.fraction() * urls.len() as f64) as usize;
        let Some(url) = urls.get(at) else { return };
        let begin = clock.monotonic();
        let request = api.request(std::clone::Clone::clone(&post), url).json(&serde_json::json!({}));
        let answer = api.try_send(request).await;
        let took = clock.monotonic() - begin;
        {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            match answer {
                Ok(answer) if answer.status == 200 => seen.good.push(took.as_secs_f64() * 1e3),
                Ok(_) | Err(_) => seen.refused += 1,
            }
        }
        tokio::time::sleep(pause.saturating_sub(took)).await;
    }
}
