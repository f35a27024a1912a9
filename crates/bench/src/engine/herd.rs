//! The herd after an outage: what a provider sees that was down while very many connections became due.
//!
//! Half an hour of outage is not waited for. The connections are made as it leaves them (due over the last half an hour,
//! access tokens ended), and the provider is down for long enough that the breaker opens and probes. What follows is in
//! real time, but the provider's rate is set so that the backlog needs about two minutes instead of about seventeen.

use super::histogram::Histogram;
use super::{Ground, LOOK, PATIENCE, disturbance, met, stop, taken_on};
use crate::figure::Section;
use crate::options::Options;
use crate::plot::{Plot, Series, Shape};
use crate::print;
use crate::seed::Wanted;
use crate::site::DatabaseKind;
use crate::template::now;
use anyhow::{Result, ensure};
use mortise_domain::{Clock as _, SystemClock};
use mortise_sandbox::{Mode, RequestRecord};
use mortise_testkit::Process;
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// The busiest second over the mean one.
const AIM: f64 = 1.5;
/// What became due while the provider was away, in milliseconds before now.
const OUTAGE: i64 = 30 * 60_000;
/// Worker processes.
const WORKERS: usize = 2;
/// What the engine takes where a manifest says nothing, for the report.
const USUAL_RATE: usize = 50;

struct Size {
    overdue: usize,
    /// What the manifest allows a minute.
    a_minute: usize,
    /// For how long the provider is down with the workers running.
    down: Duration,
    /// For how long to look, if not to the end.
    look: Duration,
}

impl Size {
    const fn of(options: &Options) -> Self {
        let down = Duration::from_secs(if options.quick { 7 } else { 60 });
        if options.quick {
            return Self { overdue: 600, a_minute: 600, down, look: Duration::from_secs(8) };
        }
        Self { overdue: 50_000, a_minute: 24_000, down, look: PATIENCE }
    }

    /// Seconds that the whole backlog needs at the manifest's rate, and a minute at the least.
    fn window(&self) -> f64 {
        (self.overdue as f64 * 60.0 / self.a_minute as f64).max(60.0)
    }
}

/// What the provider saw.
struct Seen {
    /// Requests while it was down.
    probes: usize,
    /// Answered requests by the second, from the first good answer on.
    drain: Histogram,
    /// Whether everything was waited for.
    whole: bool,
    others: f64,
}

pub(crate) async fn measure(options: &Options, program: &Path) -> Result<Section> {
    let size = Size::of(options);
    let auth = json!({"rate_limit": {"requests": size.a_minute, "seconds": 60}});
    let ground = Ground::new(DatabaseKind::Postgres, program, size.overdue * 4, auth).await?;
    print::note(format!("making {} overdue connections", size.overdue));
    let (end, count) = (now(), i64::try_from(size.overdue)?);
    let overdue = |at: usize, wanted| {
        let due = end - OUTAGE + OUTAGE * at as i64 / count;
        // A token that was to be renewed at 85 % of half an hour had 4.5 minutes left, and all of them are over.
        Wanted { due: Some(due), expires_at: Some((due + 270_000).min(end - 1_000)), ..wanted }
    };
    ground.grants(size.overdue, overdue).await?;
    let seen = outage(&ground, &size).await?;
    let verdict = ground.verdict().await?;
    print::note(verdict.told());

    let (window, drain) = (size.window(), seen.drain.without_tail());
    let (peak, half, all) = (drain.peak(), seen.drain.reaches(0.5), drain.counts.len());
    let probes = size.down.as_secs() / 5;
    let in_a_minute = seen.drain.most_in(60);
    let head = taken_on(&[&ground.site]).await?;
    ground.clear().await?;
    let part = if seen.whole { "" } else { " **Only the beginning was looked at.**" };
    let body = format!(
        "{head}\n| | aim | seen | |\n|---|---|---|---|\n\
         | busiest second over the mean one | {AIM} | {peak:.2}: {most} over {mean:.0} | {} |\n\
         | half of them done | in half of the time | {half} s of {all} s | {} |\n\
         | most in a minute, of what the manifest allows | {allowed} | {in_a_minute} | {} |\n\
         | connections given up or lost, rotations done twice | 0 | {wrong} | {} |\n\
         | requests in {down} s of outage | what is under way when it begins, then {probes} | {seen_probes} | |\n\n\
         {overdue} connections had become overdue over half an hour in which their provider was down, and their access \
         tokens had ended; {WORKERS} `mortise worker` processes share one PostgreSQL. The half hour was not waited for: \
         the rows were made as it leaves them, and the provider answered 503 for {down} s with the workers running. Time \
         then runs as it does, but the window is compressed: the manifest allows {allowed} requests a minute, so that \
         the backlog needs {window:.0} s; where a manifest says nothing the engine takes {USUAL_RATE} a second, which \
         would be {usual:.0} s. Counted by the provider, from its first good answer until 99 % were \
         done.{part} {told}\n\n{disturbance}\n",
        met(peak <= AIM),
        met(2 * half <= all + 1),
        met(in_a_minute <= size.a_minute as u64),
        met(verdict.is_clean()),
        most = drain.most(),
        mean = drain.mean(),
        allowed = size.a_minute,
        wrong = verdict.lost + verdict.given_up + verdict.duplicates(),
        down = size.down.as_secs(),
        seen_probes = seen.probes,
        overdue = size.overdue,
        usual = size.overdue as f64 / USUAL_RATE as f64,
        told = verdict.told(),
        disturbance = disturbance(&[seen.others]),
    );
    let bars = Series { name: "refreshes".to_owned(), shape: Shape::Bars, points: seen.drain.points() };
    let plot = Plot {
        title: format!("What the provider sees after an outage with {} overdue", size.overdue),
        x: "seconds since its first good answer".to_owned(),
        y: "refreshes in that second".to_owned(),
        series: vec![bars],
        marks: vec![("mean".to_owned(), drain.mean()), (format!("{AIM} × mean"), drain.mean() * AIM)],
        ..Plot::default()
    };
    Ok(Section { body, plots: vec![("herd", plot)] })
}

/// Down, then up, until everything is done or was looked at long enough.
async fn outage(ground: &Ground, size: &Size) -> Result<Seen> {
    let provider = &ground.provider;
    let before = provider.totals();
    provider.mode(Mode::Status(503))?;
    let workers: Vec<Process> = (0..WORKERS).map(|_| ground.site.launch(&["worker"]).start()).collect();
    tokio::time::sleep(size.down).await;
    let probes = provider.requests(before.newest_request).len();
    ensure!(probes > 0, "the workers sent nothing to the provider that was down");
    let (start, clock) = (ground.meter.now()?, SystemClock::new());
    provider.mode(Mode::Off)?;
    print::note(format!("{probes} requests in the outage of {} s; now it is over", size.down.as_secs()));
    let whole = loop {
        tokio::time::sleep(LOOK * 4).await;
        let done = provider.totals().issued - before.issued;
        if done >= size.overdue as u64 || clock.monotonic() >= size.look {
            break done >= size.overdue as u64;
        }
    };
    let span = ground.meter.since(start)?;
    if whole {
        ground.idle().await?;
    }
    stop(workers).await?;
    let issued = |record: &RequestRecord| (record.outcome == "issued").then_some(record.received_us);
    let requests: Vec<u64> = provider.requests(before.newest_request).iter().filter_map(issued).collect();
    let first = requests.iter().copied().min().unwrap_or_default();
    ensure!(!requests.is_empty(), "nothing was refreshed after the outage within {:?}", size.look);
    Ok(Seen { probes, drain: Histogram::of(first, requests), whole, others: span.percent_of_others() })
}
