//! Duplicates and losses: many workers in many processes race for the same rows, while callers force refreshes, until a
//! great many rotations of single-use refresh tokens are done. Then every stored token is shown to the provider's oracle.

use super::callers::Callers;
use super::witness::{Known, Readers, judge};
use super::{Ground, disturbance, met, stop, taken_on};
use crate::figure::Section;
use crate::options::Options;
use crate::plot::{Plot, Series, Shape};
use crate::print;
use crate::site::DatabaseKind;
use crate::template::{now, run};
use anyhow::{Result, ensure};
use mortise_domain::{Clock as _, ConnectionId, SystemClock};
use mortise_sandbox::TokenId;
use mortise_testkit::Process;
use mortise_testkit::history::History;
use std::path::Path;
use std::time::Duration;

/// How long the provider takes: a request that takes no time cannot overlap another.
const LATENCY_MS: u32 = 5;
/// A rotated connection is made due again after this long at most.
const FEED: Duration = Duration::from_millis(500);
const HOUR: i64 = 3_600_000;

struct Size {
    processes: usize,
    /// Threads of each.
    workers: usize,
    connections: usize,
    rotations: u64,
    callers: usize,
}

impl Size {
    const fn of(options: &Options) -> Self {
        if options.quick {
            return Self { processes: 2, workers: 2, connections: 100, rotations: 300, callers: 2 };
        }
        Self { processes: 8, workers: 2, connections: 5_000, rotations: 100_000, callers: 4 }
    }

    /// Requests that the provider has to remember: what is under way when there were enough comes on top.
    const fn log(&self) -> usize {
        self.rotations as usize * 2 + self.connections * 4
    }
}

pub(crate) async fn measure(options: &Options, program: &Path) -> Result<Section> {
    let size = Size::of(options);
    let mut ground = Ground::new(DatabaseKind::Postgres, program, size.log(), serde_json::json!({})).await?;
    ground.provider.slow(LATENCY_MS)?;
    let due = now();
    let made = ground.grants(size.connections, |_, wanted| crate::seed::Wanted { due: Some(due), ..wanted }).await?;
    ground.site.serve().await;
    let ids: Vec<ConnectionId> = made.iter().map(|made| made.id).collect();

    let start = ground.meter.now()?;
    let workers: Vec<Process> = (0..size.processes).map(|_| worker(&ground, size.workers)).collect();
    let callers = Callers::start(&ground.site, size.callers, &ids, Duration::from_millis(20));
    let readers = Readers::start(&ground.site, size.callers, &ids, Duration::from_millis(20));
    let progress = feed(&ground, size.rotations).await?;
    let (forced, fetches) = (callers.stop().await?, readers.stop().await?);
    ground.idle().await?;
    let span = ground.meter.since(start)?;
    stop(workers).await?;
    // A caller who was cut off may have left a refresh behind, which the web service brings to its end.
    ground.site.stop().await;
    let verdict = ground.verdict().await?;
    ensure!(verdict.connections == size.connections as u64, "{verdict:?}: not all connections were looked at");
    print::note(verdict.told());
    ground.site.serve().await;
    let known = made.iter().filter_map(|made| {
        let root = Some(TokenId::of(&made.access).to_string());
        Some(Known { id: made.id, family: made.family?, root })
    });
    let history = History::of_provider_text(&ground.provider.report()?)?;
    let judgement = judge(&ground.site, history, known.collect(), fetches).await?;
    print::note(judgement.told());

    let head = taken_on(&[&ground.site]).await?;
    let others = span.percent_of_others();
    let rate = verdict.granted as f64 / span.seconds;
    let body = format!(
        "{head}\n| | aim | seen | |\n|---|---|---|---|\n\
         | duplicates in {granted} rotations | 0 | {duplicates} | {} |\n\
         | losses in {granted} rotations | 0 | {losses} | {} |\n\
         | rules of a history broken | 0 | {} | {} |\n\n\
         {all} workers in {processes} processes (each `mortise worker` with {threads} threads, on one PostgreSQL) and a web \
         service with {callers} callers who force refreshes, {good} of which were answered with 200. {connections} \
         connections at a provider that ends a grant when a refresh token is used twice and takes {LATENCY_MS} ms for an \
         answer. What was rotated became due again within {feed:.1} s. {told} {heard}\n\n\
         It took {seconds:.0} s, {rate:.0} rotations a second with everything on one machine. {disturbance}\n",
        met(verdict.duplicates() == 0),
        met(verdict.lost + verdict.given_up == 0),
        judgement.broken(),
        met(judgement.broken() == 0),
        granted = verdict.granted,
        duplicates = verdict.duplicates(),
        losses = verdict.lost + verdict.given_up,
        all = size.processes * size.workers,
        processes = size.processes,
        threads = size.workers,
        callers = size.callers,
        good = forced.good.len(),
        connections = size.connections,
        feed = FEED.as_secs_f64(),
        told = verdict.told(),
        heard = judgement.told(),
        seconds = span.seconds,
        disturbance = disturbance(&[others]),
    );
    ground.clear().await?;
    let line = |name: &str, points| Series { name: name.to_owned(), shape: Shape::Line, points };
    let end = progress.last().map_or(0.0, |point| point.0);
    let wrong = (verdict.duplicates() + verdict.lost + verdict.given_up) as f64;
    let plot = Plot {
        title: format!("Rotations by {} workers in {} processes", size.processes * size.workers, size.processes),
        x: "seconds".to_owned(),
        y: "rotations so far".to_owned(),
        series: vec![line("rotations", progress), line("duplicates and losses", vec![(0.0, 0.0), (end, wrong)])],
        ..Plot::default()
    };
    Ok(Section { body, plots: vec![("rotations", plot)] })
}

/// A worker process with so many threads.
fn worker(ground: &Ground, threads: usize) -> Process {
    let launch = ground.site.launch(&["worker"]).env("TOKIO_WORKER_THREADS", threads.to_string());
    launch.start()
}

/// Makes due again what was rotated, until there were enough; answers how many there were at which second.
async fn feed(ground: &Ground, rotations: u64) -> Result<Vec<(f64, f64)>> {
    let (clock, before) = (SystemClock::new(), ground.provider.totals().issued);
    let sql = "UPDATE connections SET next_refresh_at = $1 WHERE app_id = $2 AND id <> $3 AND lease_until IS NULL \
               AND next_refresh_at > $4";
    let (app, template) = (ground.template.app, ground.template.connection);
    let mut progress = vec![(0.0, 0.0)];
    let mut moved_at = Duration::ZERO;
    loop {
        tokio::time::sleep(FEED).await;
        let (at, done) = (clock.monotonic(), ground.provider.totals().issued - before);
        if progress.last().is_none_or(|point| point.1 < done as f64) {
            moved_at = at;
        }
        ensure!(at - moved_at < Duration::from_secs(180), "nothing was rotated for three minutes, after {done}");
        progress.push((at.as_secs_f64(), done as f64));
        if done >= rotations {
            return Ok(progress);
        }
        let now = now();
        run(&ground.database, sql, [now.into(), app.into(), template.into(), (now + HOUR).into()]).await?;
    }
}
