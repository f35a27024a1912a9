//! When the database returns: PostgreSQL is killed in the midst of refreshes, stays away, and is started again. How long
//! after it takes connections is a token served, and is anything lost?

use super::{Ground, disturbance, met, quantile, stop, taken_on};
use crate::figure::Section;
use crate::options::Options;
use crate::plot::{Plot, Series, Shape};
use crate::print;
use crate::seed::Wanted;
use crate::site::DatabaseKind;
use crate::template::{now, run};
use anyhow::{Context as _, Result, ensure};
use mortise_domain::{Clock as _, ConnectionId, SystemClock};
use mortise_testkit::{Http, Process, wait};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Seconds until a token is served.
const AIM: f64 = 5.0;
/// Between two fetches.
const PACE: Duration = Duration::from_millis(50);
/// A refresh takes a while, so that some are at the provider when the database goes.
const LATENCY_MS: u32 = 50;
struct Size {
    /// For how many seconds the database is away, once each.
    away: &'static [u64],
    connections: usize,
    /// How long to look at fetches after the first good one.
    after: Duration,
}

impl Size {
    const fn of(options: &Options) -> Self {
        if options.quick {
            return Self { away: &[1], connections: 300, after: Duration::from_secs(2) };
        }
        Self { away: &[2, 10, 30, 2, 10, 30], connections: 4_000, after: Duration::from_secs(10) }
    }
}

/// A fetch: when it was answered, in seconds since the database took connections, and whether with a token.
type Fetch = (f64, bool);

/// What was seen once.
struct Outage {
    away: u64,
    /// The first good answer after the database took connections, in seconds.
    first: f64,
    /// The last answer that was none, if there was one after that.
    last_bad: f64,
    fetches: Vec<Fetch>,
    others: f64,
}

pub(crate) async fn measure(options: &Options, program: &Path) -> Result<Section> {
    let size = Size::of(options);
    let mut ground = Ground::new(DatabaseKind::Postgres, program, 1_000, serde_json::json!({})).await?;
    ground.provider.slow(LATENCY_MS)?;
    let tomorrow = now() + 24 * 3_600_000;
    // The one that is fetched is not among those that are refreshed.
    let fetched = ground.grants(1, |_, wanted| Wanted { due: Some(tomorrow), ..wanted }).await?;
    let fetched = fetched.first().context("a connection to fetch")?.id;
    ground.grants(size.connections, |_, wanted| Wanted { due: Some(tomorrow), ..wanted }).await?;
    ground.site.serve().await;
    let url = format!("{}/v1/connections/{fetched}/token", ground.site.base);
    let workers = vec![ground.site.launch(&["worker"]).start()];
    let mut outages = Vec::new();
    for away in size.away {
        let outage = outage(&mut ground, &url, fetched, *away, size.after).await?;
        print::note(format!("away for {away} s: served {:.2} s after its return", outage.first));
        outages.push(outage);
    }
    let (verdict, head) = (settled(&mut ground, workers).await?, taken_on(&[&ground.site]).await?);
    print::note(verdict.told());
    ground.clear().await?;

    let firsts: Vec<f64> = outages.iter().map(|outage| outage.first).collect();
    let (median, worst) = (quantile(&firsts, 0.5), quantile(&firsts, 1.0));
    let rows: String = outages
        .iter()
        .map(|seen| format!("| {} | {:.2} | {:.2} | {:.0} |\n", seen.away, seen.first, seen.last_bad, seen.others))
        .collect();
    let others: Vec<f64> = outages.iter().map(|outage| outage.others).collect();
    let body = format!(
        "{head}\n| | aim | seen | |\n|---|---|---|---|\n\
         | seconds until a token is served | {AIM} | {worst:.2} at the most, {median:.2} in the median | {} |\n\
         | pairs lost, connections given up, rotations done twice | 0 | {wrong} | {} |\n\n\
         | database away, s | first token, s | last refusal, s | others, % of a core |\n|---|---|---|---|\n{rows}\n\
         PostgreSQL is killed (SIGKILL) while a worker refreshes {connections} connections at a provider that takes \
         {LATENCY_MS} ms, and is started again after so long. Seconds count from the moment at which it takes connections, its own recovery not \
         included. A token of a connection that needs no refresh is fetched every {pace} ms throughout. {told}\n\n{disturbance}\n",
        met(worst <= AIM),
        met(verdict.is_clean()),
        wrong = verdict.lost + verdict.given_up + verdict.duplicates(),
        connections = size.connections,
        pace = PACE.as_millis(),
        told = verdict.told(),
        disturbance = disturbance(&others),
    );
    Ok(Section { body, plots: vec![("comeback", plot(&outages, size.after))] })
}

/// Everything that was under way comes to its end: what lies in the spill folder too.
async fn settled(ground: &mut Ground, workers: Vec<Process>) -> Result<crate::verdict::Verdict> {
    ground.idle().await?;
    stop(workers).await?;
    ground.site.stop().await;
    ground.verdict().await
}

async fn outage(ground: &mut Ground, url: &str, fetched: ConnectionId, away: u64, after: Duration) -> Result<Outage> {
    ground.idle().await?;
    let issued = ground.provider.totals().issued;
    let sql = "UPDATE connections SET next_refresh_at = $1 WHERE app_id = $2 AND id <> $3 AND id <> $4";
    let (app, template) = (ground.template.app, ground.template.connection);
    run(&ground.database, sql, [now().into(), app.into(), template.into(), fetched.as_uuid().into()]).await?;
    // Some are done, and others under way.
    wait::until(super::PATIENCE, async || Ok((ground.provider.totals().issued > issued + 20).then_some(()))).await?;
    let begin = ground.meter.now()?;
    let (clock, seen) = (Arc::new(SystemClock::new()), Arc::new(Mutex::new(Vec::new())));
    let mut fetches = JoinSet::new();
    fetches.spawn(fetch_for_ever(ground.site.api(), url.to_owned(), clock.clone(), seen.clone()));

    let port = port(&ground.site.server_of_rows()?.url())?;
    ground.site.server_of_rows()?.kill9();
    tokio::time::sleep(Duration::from_secs(away)).await;
    let server = ground.site.server_of_rows()?;
    // Starting blocks until it listens, which is before it takes connections.
    tokio::task::block_in_place(|| server.start_again());
    let back = wait_for_postgres(port, &clock).await?;
    let good = |fetch: &(f64, bool)| fetch.1 && fetch.0 > back;
    let first = wait::until(Duration::from_secs(180), async || Ok(seen_first(&seen, good))).await;
    let first = first.context("no token was served for three minutes after the database's return")?;
    tokio::time::sleep(after).await;
    fetches.shutdown().await;
    let span = ground.meter.since(begin)?;
    let all = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
    let fetches: Vec<Fetch> = all.into_iter().map(|(at, good): (f64, bool)| (at - back, good)).collect();
    let bad = fetches.iter().filter(|fetch| !fetch.1).map(|fetch| fetch.0);
    let last_bad = bad.fold(0.0, f64::max);
    // The connection beside the measured ones was cut too.
    ground.database = ground.site.connect().await?;
    Ok(Outage { away, first: first - back, last_bad, fetches, others: span.percent_of_others() })
}

fn seen_first(seen: &Mutex<Vec<Fetch>>, good: impl Fn(&Fetch) -> bool) -> Option<f64> {
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    seen.iter().filter(|fetch| good(fetch)).map(|fetch| fetch.0).reduce(f64::min)
}

/// A fetch every [`PACE`], whatever became of the ones before, as independent callers would. A dropped task set ends it.
async fn fetch_for_ever(api: Http, url: String, clock: Arc<SystemClock>, seen: Arc<Mutex<Vec<Fetch>>>) {
    let mut fetches = JoinSet::new();
    loop {
        let (api, url, clock, seen) = (api.clone(), url.clone(), clock.clone(), seen.clone());
        fetches.spawn(async move {
            let good = api.status(&url).await == Some(200);
            let at = clock.monotonic().as_secs_f64();
            seen.lock().unwrap_or_else(PoisonError::into_inner).push((at, good));
        });
        while fetches.try_join_next().is_some() {}
        tokio::time::sleep(PACE).await;
    }
}

fn port(url: &str) -> Result<u16> {
    let digits = url.rsplit_once(':').and_then(|(_, rest)| rest.split('/').next()).context("the database's port")?;
    Ok(digits.parse()?)
}

/// Asks for a session until the server offers one, which it does not while it recovers; answers when that was.
async fn wait_for_postgres(port: u16, clock: &SystemClock) -> Result<f64> {
    loop {
        let before = clock.monotonic();
        ensure!(before < Duration::from_secs(600), "PostgreSQL does not take connections again");
        if offers_session(port).await.unwrap_or_default() {
            return Ok(before.as_secs_f64());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The start of PostgreSQL's protocol (version 3.0): the first byte of the answer to a startup message is `R` from a
/// server that goes on to authenticate, and `E` from one that is starting up.
async fn offers_session(port: u16) -> std::io::Result<bool> {
    let mut message = 196_608_i32.to_be_bytes().to_vec();
    message.extend(b"user\0postgres\0database\0postgres\0\0");
    let length = i32::try_from(message.len() + 4).unwrap_or_default();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(&[length.to_be_bytes().as_slice(), &message].concat()).await?;
    Ok(stream.read_u8().await? == b'R')
}

/// The slowest of them: good and other answers by the quarter of a second.
fn plot(outages: &[Outage], after: Duration) -> Plot {
    let slowest = outages.iter().max_by(|a, b| a.first.total_cmp(&b.first));
    let (from, to) = (-2.0, after.as_secs_f64());
    let series = |name: &str, wanted: bool| {
        let mut counts = vec![0.0; ((to - from) * 4.0) as usize];
        let fetches = slowest.into_iter().flat_map(|outage| &outage.fetches);
        for (at, _) in fetches.filter(|fetch| fetch.1 == wanted && fetch.0 >= from) {
            if let Some(count) = counts.get_mut(((at - from) * 4.0) as usize) {
                *count += 1.0;
            }
        }
        let points = counts.into_iter().enumerate().map(|(at, count)| (from + (at as f64 + 0.5) / 4.0, count));
        Series { name: name.to_owned(), shape: Shape::Bars, points: points.collect() }
    };
    Plot {
        title: "Fetches around the return of the database, in the slowest run".to_owned(),
        x: "seconds since PostgreSQL takes connections".to_owned(),
        y: "answers in a quarter of a second".to_owned(),
        series: vec![series("with a token", true), series("without", false)],
        ..Plot::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_the_url_s() {
        assert_eq!(port("postgres://postgres@127.0.0.1:18123/postgres").unwrap(), 18_123);
        assert!(port("sqlite:///a").is_err());
    }
}
