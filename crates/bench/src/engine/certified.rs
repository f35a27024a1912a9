//! A provider that nobody here wrote: `oidc-provider`, which ends a grant when a refresh token comes twice. Everybody
//! connects by its consent pages; then its short tokens are renewed for minutes by many worker processes, while callers
//! force refreshes of the same connections.

mod customers;

use super::callers::Callers;
use super::witness::{Known, Readers, judge};
use super::{PATIENCE, disturbance, met, stop, taken_on};
use crate::figure::Section;
use crate::options::Options;
use crate::plot::{Plot, Series, Shape};
use crate::print;
use crate::processor::Meter;
use crate::site::{DatabaseKind, Site};
use crate::template::one;
use anyhow::{Context as _, Result, ensure};
use customers::{connected, introduced};
use mortise_domain::{Clock as _, ConnectionId, SystemClock};
use mortise_testkit::history::History;
use mortise_testkit::{OidcEvents, OidcProvider, Process, wait};
use sea_orm::DatabaseConnection;
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

/// Seconds. As short as a token may be and still be renewed ahead of its end.
const LIFETIME: u32 = 16;
/// Milliseconds that a token request takes at the least, so that a second one with the same token would meet the first.
const LATENCY: u32 = 20;
/// Between two looks at the provider's counters.
const LOOK: Duration = Duration::from_secs(1);

struct Size {
    connections: usize,
    /// Each a process of its own.
    workers: usize,
    callers: usize,
    span: Duration,
}

impl Size {
    const fn of(options: &Options) -> Self {
        if options.quick {
            return Self { connections: 6, workers: 2, callers: 1, span: Duration::from_secs(25) };
        }
        Self { connections: 200, workers: 8, callers: 4, span: Duration::from_secs(600) }
    }
}

/// What is in store at the end.
struct Stored {
    active: i64,
    rotations: i64,
    least: i64,
}

pub(crate) async fn measure(options: &Options, program: &Path) -> Result<Section> {
    let size = Size::of(options);
    let (meter, mut site) = (Meter::new()?, Site::on(DatabaseKind::Postgres, program).await?);
    site.serve().await;
    let (provider, database) = (introduced(&site, LIFETIME, LATENCY).await, site.connect().await?);
    let connected = connected(&site, size.connections).await?;
    print::note(format!("{} customers have consented", connected.len()));

    let start = meter.now()?;
    let workers: Vec<Process> = (0..size.workers).map(|_| site.launch(&["worker"]).start()).collect();
    let ids: Vec<ConnectionId> = connected.values().copied().collect();
    let callers = Callers::start(&site, size.callers, &ids, Duration::from_secs(1));
    let readers = Readers::start(&site, 2, &ids, Duration::from_millis(20));
    let progress = watched(&provider, size.span).await;
    let (forced, fetches) = (callers.stop().await?, readers.stop().await?);
    stop(workers).await?;
    let others = meter.since(start)?.percent_of_others();
    at_rest(&database).await?;

    let (events, report) = (provider.events().await, provider.history().await);
    let known = known(&report, &connected)?;
    let judgement = judge(&site, History::of_provider(report)?, known, fetches).await?;
    let stored = stored(&database).await?;
    print::note(judgement.told());
    let head = taken_on(&[&site]).await?;
    database.close().await?;
    site.stop().await;
    drop(provider);

    let all = size.connections as i64;
    let lost = (all - stored.active) + (i64::try_from(events.refresh_tokens_consumed)? - stored.rotations).abs();
    let body = format!(
        "{head}\n| | aim | seen | |\n|---|---|---|---|\n\
         | refresh tokens presented again | 0 | {reuses} in {rotations} rotations | {} |\n\
         | grants that the provider ended, and other errors that it answered | 0 | {wrong} | {} |\n\
         | connections that are not active, rotations that are not stored | 0 | {lost} | {} |\n\
         | rules of a history broken | 0 | {} | {} |\n\n\
         [oidc-provider](https://github.com/panva/node-oidc-provider) in a process of its own, with rotation and reuse \
         detection: a used refresh token that comes again ends its grant. {connections} customers consented on its pages; \
         then {count} `mortise worker` processes on one PostgreSQL renewed tokens that live for {LIFETIME} s, for {span} s, \
         while {callers} callers of the web service forced refreshes ({good} answered with 200, {refused} asked to come \
         back). What takes an hour with usual tokens takes {LIFETIME} s here: every connection was renewed {least} times at \
         the least. A token request waits {LATENCY} ms before the provider looks at it. {told}\n\n{disturbance}\n",
        met(events.reuses == 0),
        met(wrong(&events) == 0),
        met(lost == 0),
        judgement.broken(),
        met(judgement.broken() == 0),
        reuses = events.reuses,
        rotations = events.refresh_tokens_consumed,
        wrong = wrong(&events),
        connections = size.connections,
        count = size.workers,
        span = size.span.as_secs(),
        callers = size.callers,
        good = forced.good.len(),
        refused = forced.refused,
        least = stored.least,
        told = judgement.told(),
        disturbance = disturbance(&[others]),
    );
    Ok(Section { body, plots: vec![("provider", plot(&size, &progress))] })
}

fn wrong(events: &OidcEvents) -> u64 {
    events.grants_revoked + events.errors.len() as u64
}

/// Rotations and reuses by the provider's own count, by the second.
async fn watched(provider: &OidcProvider, span: Duration) -> Vec<(f64, OidcEvents)> {
    let (clock, mut progress) = (SystemClock::new(), vec![(0.0, provider.events().await)]);
    while clock.monotonic() < span {
        tokio::time::sleep(LOOK).await;
        progress.push((clock.monotonic().as_secs_f64(), provider.events().await));
    }
    progress
}

/// A caller who was cut off may have left a refresh behind, which the web service brings to its end.
async fn at_rest(database: &DatabaseConnection) -> Result<()> {
    let sql = "SELECT count(*) AS busy FROM connections WHERE lease_until IS NOT NULL OR attempt_id IS NOT NULL";
    wait::until(PATIENCE, async || {
        let busy: i64 = one(database, sql, []).await?.try_get("", "busy")?;
        Ok((busy == 0).then_some(()))
    })
    .await
}

fn known(report: &Value, connected: &HashMap<String, ConnectionId>) -> Result<Vec<Known>> {
    let grants = report["grants"].as_array().context("the provider's grants")?;
    ensure!(grants.len() == connected.len(), "{} grants of {} customers", grants.len(), connected.len());
    let known = |grant: &Value| {
        let id = *connected.get(grant["account"].as_str()?)?;
        Some(Known { id, family: grant["family"].as_u64()?, root: None })
    };
    grants.iter().map(|grant| known(grant).context("a grant of nobody here")).collect()
}

/// Each connection began with generation 1.
async fn stored(database: &DatabaseConnection) -> Result<Stored> {
    let sql = "SELECT count(*) FILTER (WHERE state = 'active') AS active, sum(generation - 1)::bigint AS rotations, \
               min(generation - 1) AS least FROM connections";
    let row = one(database, sql, []).await?;
    let number = |name| row.try_get::<i64>("", name);
    Ok(Stored { active: number("active")?, rotations: number("rotations")?, least: number("least")? })
}

fn plot(size: &Size, progress: &[(f64, OidcEvents)]) -> Plot {
    let line = |name: &str, count: fn(&OidcEvents) -> u64| {
        let points = progress.iter().map(|(at, events)| (*at, count(events) as f64)).collect();
        Series { name: name.to_owned(), shape: Shape::Line, points }
    };
    Plot {
        title: format!("{} connections and {} workers at oidc-provider", size.connections, size.workers),
        x: "seconds".to_owned(),
        y: "by the provider's count".to_owned(),
        series: vec![
            line("rotations", |events| events.refresh_tokens_consumed),
            line("refresh tokens presented again", |events| events.reuses),
        ],
        ..Plot::default()
    }
}
