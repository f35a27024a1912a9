//! Refreshes: by a worker that finds many connections due at once, and on demand with 32 callers in flight.

use crate::fetch::told;
use crate::figures::{Case, Measured, Run, run};
use crate::load::{Load, Order};
use crate::options::Options;
use crate::processor::Meter;
use crate::provider::Provider;
use crate::seed::{self, Wanted};
use crate::site::Site;
use crate::template::{Template, YEAR, now, one};
use anyhow::{Result, ensure};
use mortise_testkit::{Process, wait};
use sea_orm::DatabaseConnection;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(600);

/// What was seen on one database.
pub(crate) struct Refreshes {
    pub(crate) worker: Case,
    pub(crate) forced: Case,
    /// What the provider granted for the answers of all forced runs.
    pub(crate) granted: u64,
}

/// Where they are measured.
pub(crate) struct Bed<'a> {
    pub(crate) meter: &'a Meter,
    pub(crate) options: &'a Options,
    pub(crate) provider: &'a Provider,
    pub(crate) site: &'a Site,
    pub(crate) template: &'a Template,
}

/// Adds connections whose refresh tokens the provider knows, and measures. The web service has to run.
pub(crate) async fn measure(bed: &Bed<'_>) -> Result<Refreshes> {
    let (site, options) = (bed.site, bed.options);
    let database = site.connect().await?;
    let tokens = bed.provider.grants(options.refreshes)?;
    let tomorrow = Some(now() + 24 * 3600 * 1000);
    let wanted = tokens.into_iter().map(|tokens| Wanted { due: tomorrow, ..Wanted::granted(tokens) });
    let made = seed::connections(site, &database, bed.template, wanted).await?;
    let paths = site.file("refresh-paths");
    let lines: String = made.iter().map(|made| format!("/v1/connections/{}/refresh\n", made.id)).collect();
    std::fs::write(&paths, lines)?;

    let mut seen = Refreshes {
        worker: Case::new(format!("{}, one worker, {} due at once", site.name(), options.refreshes)),
        forced: Case::new(format!("{}, on demand, 32 in flight", site.name())),
        granted: 0,
    };
    while seen.worker.wants_more(options.runs, options.again) {
        let run = due_at_once(bed, &database, seen.worker.runs.len()).await?;
        seen.worker.runs.push(told(&seen.worker, run));
    }
    while seen.forced.wants_more(options.runs, options.again) {
        let before = bed.provider.totals().issued;
        let measured = Measured { process: site.server_process()?, database: site.database_process()? };
        let load = Load {
            base: &site.base,
            paths: Some((&paths, &site.key)),
            order: Order::Random,
            method: "POST",
            connections: 32,
            seconds: options.seconds,
            seed: 100 + seen.forced.runs.len(),
        };
        let run = run(bed.meter, measured, load).await?;
        seen.granted += bed.provider.totals().issued - before;
        seen.forced.runs.push(told(&seen.forced, run));
    }
    database.close().await?;
    bed.provider.vouch()?;
    Ok(seen)
}

/// One worker with everything due. Timed from the provider's first answer to the last commit, so without the start.
pub(crate) async fn due_at_once(bed: &Bed<'_>, database: &DatabaseConnection, round: usize) -> Result<Run> {
    let (site, count) = (bed.site, bed.options.refreshes as u64);
    let mine = bed.template.next_refresh_at - YEAR;
    site.execute(&format!("UPDATE connections SET next_refresh_at = {} WHERE next_refresh_at < {mine}", now())).await?;
    site.settle().await?;
    let before = bed.provider.totals().issued;
    let mut worker = site.launch(&["worker"]).start();
    issued(bed, &mut worker, before + 1).await?;
    let begin = bed.meter.now()?;
    issued(bed, &mut worker, before + count).await?;
    wait::until(PATIENCE, async || Ok((due(database).await? == 0).then_some(()))).await?;
    let span = bed.meter.since(begin)?;
    let measured = Measured { process: worker.pid(), database: site.database_process()? };
    let run = Run::of(&span, measured, count)?;
    let status = worker.sigterm(PATIENCE).await;
    ensure!(status.success(), "the worker did not end well: {status}\n{}", worker.output());
    every_one_once(database, mine, bed.template.generation + 1 + round as i64, count).await?;
    Ok(run)
}

/// Waits until the provider has answered so often.
async fn issued(bed: &Bed<'_>, worker: &mut Process, count: u64) -> Result<()> {
    let reached = wait::until(PATIENCE, async || {
        ensure!(worker.exit_status().is_none(), "the worker ended");
        Ok((bed.provider.totals().issued >= count).then_some(()))
    });
    let reached = reached.await;
    reached.map_err(|error| error.context(worker.output()))
}

async fn due(database: &DatabaseConnection) -> Result<i64> {
    let sql = "SELECT count(*) AS due FROM connections WHERE next_refresh_at <= $1";
    Ok(one(database, sql, [now().into()]).await?.try_get("", "due")?)
}

async fn every_one_once(database: &DatabaseConnection, mine: i64, generation: i64, count: u64) -> Result<()> {
    let sql = "SELECT count(*) AS done FROM connections WHERE next_refresh_at < $1 AND generation = $2";
    let done: i64 = one(database, sql, [mine.into(), generation.into()]).await?.try_get("", "done")?;
    ensure!(u64::try_from(done)? == count, "{done} of {count} connections were refreshed exactly once");
    Ok(())
}
