//! One provider that hangs among others: how long refreshes at the others take, with and without it.
//!
//! Phases with and without take turns, each with new processes on the same rows, so that nothing is compared but the one
//! provider. Two things are measured at the others: how late the worker is with what becomes due evenly, and how long
//! callers of the web service wait who force refreshes, beside callers who want the same of the one that hangs.

use super::callers::{Callers, Seen};
use super::{LOOK, disturbance, met, quantile, taken_on};
use crate::figure::Section;
use crate::figures::median;
use crate::options::Options;
use crate::plot::{Plot, Series, Shape};
use crate::print;
use crate::processor::Meter;
use crate::provider::Provider;
use crate::seed::{self, Wanted};
use crate::site::{DatabaseKind, Site};
use crate::template::{Integration, Template, all, now, run};
use anyhow::Result;
use mortise_domain::{Clock as _, ConnectionId, SystemClock};
use mortise_sandbox::Mode;
use sea_orm::DatabaseConnection;
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;
use uuid::Uuid;

/// The 99th percentile with the hung provider, over that without.
const AIM: f64 = 1.2;
/// What a provider takes that does not hang.
const LATENCY_MS: u32 = 20;
/// After a phase, for how long its last refreshes are waited for.
const GRACE: Duration = Duration::from_secs(20);
/// From the start of the processes to the first due refresh.
const LEAD: i64 = 3_000;

struct Size {
    providers: usize,
    /// Rows of each that become due in a phase.
    due: usize,
    /// Rows of each that callers ask for.
    asked: usize,
    seconds: u64,
    rounds: usize,
    /// Callers at the others, one request after the other each.
    callers: usize,
    /// Callers at the one that hangs.
    patient: usize,
}

impl Size {
    const fn of(options: &Options) -> Self {
        if options.quick {
            return Self { providers: 3, due: 30, asked: 10, seconds: 5, rounds: 1, callers: 2, patient: 4 };
        }
        Self { providers: 10, due: 300, asked: 100, seconds: 30, rounds: 3, callers: 4, patient: 32 }
    }
}

/// One provider with its connections.
struct Stand {
    provider: Provider,
    template: Template,
    due: Vec<ConnectionId>,
    asked: Vec<ConnectionId>,
}

/// Everything. The first provider is the one that hangs.
struct Bed {
    meter: Meter,
    stands: Vec<Stand>,
    site: Site,
    database: DatabaseConnection,
}

/// What was seen of the others in one phase.
struct Phase {
    /// How late each due refresh was, in milliseconds; of one that was never done, until it was given up.
    late: Vec<f64>,
    undone: usize,
    forced: Seen,
    /// Requests that the first provider had.
    first: usize,
    others: f64,
}

pub(crate) async fn measure(options: &Options, program: &Path) -> Result<Section> {
    let size = Size::of(options);
    let mut bed = bed(&size, program).await?;
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for round in 0..size.rounds {
        // Which comes first changes, so that neither always has the warmer machine.
        for hangs in [round % 2 == 1, round.is_multiple_of(2)] {
            let seen = phase(&mut bed, &size, hangs).await?;
            print::note(told(&seen, hangs));
            if hangs { with.push(seen) } else { without.push(seen) }
        }
    }
    let head = taken_on(&[&bed.site]).await?;
    bed.database.close().await?;
    for stand in bed.stands {
        stand.provider.stop().await;
    }
    Ok(section(&size, &head, &without, &with))
}

fn told(seen: &Phase, hangs: bool) -> String {
    let name = if hangs { "one hangs" } else { "none hangs" };
    let (late, forced) = (quantile(&seen.late, 0.99), quantile(&seen.forced.good, 0.99));
    let (count, others) = (seen.forced.good.len(), seen.others);
    format!("{name}: late p99 {late:.0} ms, forced p99 {forced:.0} ms of {count}, others {others:.0} %")
}

async fn bed(size: &Size, program: &Path) -> Result<Bed> {
    let (meter, mut site) = (Meter::new()?, Site::on(DatabaseKind::Postgres, program).await?);
    site.serve().await;
    let database = site.connect().await?;
    let mut stands = Vec::new();
    for at in 0..size.providers {
        let provider = Provider::start(100_000)?;
        provider.slow(LATENCY_MS)?;
        let name = format!("bench-{at}");
        let template = Template::make(&site, &database, &Integration::new(&name, &provider)).await?;
        let wanted = provider.grants(size.due + size.asked)?.into_iter().map(Wanted::granted);
        let made = seed::connections(&site, &database, &template, wanted).await?;
        let mut due: Vec<ConnectionId> = made.iter().map(|made| made.id).collect();
        let asked = due.split_off(size.due);
        stands.push(Stand { provider, template, due, asked });
    }
    site.stop().await;
    site.settle().await?;
    Ok(Bed { meter, stands, site, database })
}

async fn phase(bed: &mut Bed, size: &Size, hangs: bool) -> Result<Phase> {
    let mode = |hangs: bool| if hangs { Mode::Hang } else { Mode::Off };
    let before = bed.stands[0].provider.totals().newest_request;
    bed.stands[0].provider.mode(mode(hangs))?;
    let due = plan(bed, size).await?;
    let worker = bed.site.launch(&["worker"]).start();
    bed.site.serve().await;
    let clock = SystemClock::new();
    let begin = bed.meter.now()?;
    let others: Vec<ConnectionId> = bed.stands.iter().skip(1).flat_map(|stand| stand.asked.clone()).collect();
    let patient = Callers::start(&bed.site, size.patient, &bed.stands[0].asked, Duration::from_secs(1));
    let callers = Callers::start(&bed.site, size.callers, &others, Duration::from_millis(10));
    tokio::time::sleep(Duration::from_secs(size.seconds)).await;
    let forced = callers.stop().await?;
    patient.stop().await?;
    let span = bed.meter.since(begin)?;
    let (late, undone) =
        lateness(bed, &due, clock.monotonic() + GRACE + Duration::from_millis(LEAD as u64), &clock).await?;
    // What hangs would hang for two minutes more: the processes are ended as a power cut would.
    drop(worker);
    bed.site.server = None;
    bed.stands[0].provider.mode(Mode::Off)?;
    let first = bed.stands[0].provider.requests(before).len();
    Ok(Phase { late, undone, forced, first, others: span.percent_of_others() })
}

/// Puts everything back as it was and makes each provider's rows due evenly over the phase; answers when each of the
/// others is.
async fn plan(bed: &Bed, size: &Size) -> Result<HashMap<Uuid, i64>> {
    run(&bed.database, "DELETE FROM gates", []).await?;
    let reset = "UPDATE connections SET lease_until = NULL, lease_owner = NULL, attempt_id = NULL, attempt_deadline = NULL, \
                 failures = 0, next_refresh_at = $2 WHERE app_id = $1";
    let place = "UPDATE connections SET next_refresh_at = $2 + $3 * n FROM (SELECT id, row_number() OVER (ORDER BY id) AS n \
                 FROM connections WHERE id = ANY($1)) places WHERE connections.id = places.id";
    let mut due = HashMap::new();
    let far = now() + 24 * 3_600_000;
    for stand in &bed.stands {
        run(&bed.database, reset, [stand.template.app.into(), far.into()]).await?;
    }
    bed.site.settle().await?;
    let (start, step) = (now() + LEAD, i64::try_from(size.seconds * 1_000 / size.due as u64)?);
    for (at, stand) in bed.stands.iter().enumerate() {
        let ids: Vec<Uuid> = stand.due.iter().map(ConnectionId::as_uuid).collect();
        run(&bed.database, place, [ids.into(), start.into(), step.into()]).await?;
        if at > 0 {
            let sql = "SELECT id, next_refresh_at FROM connections WHERE app_id = $1 AND next_refresh_at < $2";
            for row in all(&bed.database, sql, [stand.template.app.into(), far.into()]).await? {
                due.insert(row.try_get("", "id")?, row.try_get("", "next_refresh_at")?);
            }
        }
    }
    Ok(due)
}

/// Waits until all are done, or for so long; answers how late each was, and how many are not done.
async fn lateness(
    bed: &Bed,
    due: &HashMap<Uuid, i64>,
    until: Duration,
    clock: &SystemClock,
) -> Result<(Vec<f64>, usize)> {
    let sql = "SELECT id, refreshed_at FROM connections WHERE refreshed_at > $1";
    let since = due.values().copied().min().unwrap_or_default();
    loop {
        let mut open = due.clone();
        let mut late = Vec::new();
        for row in all(&bed.database, sql, [since.into()]).await? {
            let (id, at): (Uuid, i64) = (row.try_get("", "id")?, row.try_get("", "refreshed_at")?);
            if let Some(due) = open.remove(&id) {
                late.push((at - due) as f64);
            }
        }
        if open.is_empty() || clock.monotonic() >= until {
            late.extend(open.values().map(|due| (now() - due) as f64));
            return Ok((late, open.len()));
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn section(size: &Size, head: &str, without: &[Phase], with: &[Phase]) -> Section {
    let of = |phases: &[Phase], figure: &dyn Fn(&Phase) -> f64| median(phases.iter().map(figure));
    let late = |part| move |phase: &Phase| quantile(&phase.late, part);
    let forced = |part| move |phase: &Phase| quantile(&phase.forced.good, part);
    let count = |phase: &Phase| phase.forced.good.len() as f64 / size.seconds as f64;
    let row = |name: &str, figure: &dyn Fn(&Phase) -> f64| {
        let (a, b) = (of(without, figure), of(with, figure));
        format!("| {name} | {a:.0} | {b:.0} | {:.2} |\n", b / a)
    };
    let ratio = |figure: &dyn Fn(&Phase) -> f64| of(with, figure) / of(without, figure);
    let (waits, lates) = (ratio(&forced(0.99)), ratio(&late(0.99)));
    let undone: usize = with.iter().chain(without).map(|phase| phase.undone).sum();
    let refused: u64 = with.iter().chain(without).map(|phase| phase.forced.refused).sum();
    let others: Vec<f64> = with.iter().chain(without).map(|phase| phase.others).collect();
    let body = format!(
        "{head}\n| | aim | seen | |\n|---|---|---|---|\n\
         | p99 of waiting callers at the others, with the hung one over without | {AIM} | {waits:.2} | {} |\n\
         | p99 of the worker's lateness at the others, with over without | {AIM} | {lates:.2} | {} |\n\n\
         | at the others | none hangs | one hangs | ratio |\n|---|---|---|---|\n{}{}{}{}{}\n\
         Medians of {rounds} phases of {seconds} s each, in turn, on one PostgreSQL with one web service and one worker. Of {providers} \
         providers, each of which answers in {LATENCY_MS} ms, the first answers nothing in the phases with. At each, {due} \
         connections become due evenly over the phase; {patient} callers force refreshes at the first and {callers} at the \
         others. The worker looks once a second, so that being a second late is as good as it gets. The one that hangs had \
         {first:.0} requests in a phase, all under way until the deadline of 120 s or the end of the phase. Refreshes at the others that were not done: \
         {undone}; refused callers: {refused}. {disturbance}\n",
        met(waits <= AIM),
        met(lates <= AIM),
        row("callers, p50 ms", &forced(0.5)),
        row("callers, p99 ms", &forced(0.99)),
        row("callers, refreshes a second", &count),
        row("worker, p50 ms late", &late(0.5)),
        row("worker, p99 ms late", &late(0.99)),
        rounds = size.rounds,
        seconds = size.seconds,
        providers = size.providers,
        due = size.due,
        patient = size.patient,
        callers = size.callers,
        first = of(with, &|phase| phase.first as f64),
        disturbance = disturbance(&others),
    );
    let curve = |name: &str, phases: &[Phase]| {
        let all: Vec<f64> = phases.iter().flat_map(|phase| phase.forced.good.iter().copied()).collect();
        let points = (1..=199).map(|at| f64::from(at) / 2.0).map(|part| (part, quantile(&all, part / 100.0)));
        let points = points.filter(|point| point.1.is_finite()).collect();
        Series { name: name.to_owned(), shape: Shape::Line, points }
    };
    let plot = Plot {
        title: format!("Waiting callers at {} healthy providers", size.providers - 1),
        x: "percent of refreshes that took no longer".to_owned(),
        y: "milliseconds".to_owned(),
        series: vec![curve("none hangs", without), curve(&format!("one of {} hangs", size.providers), with)],
        ..Plot::default()
    };
    Section { body, plots: vec![("hung", plot)] }
}
