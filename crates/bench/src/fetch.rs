//! Token fetches with random ids over many connections, beside the bare handler in the same run.

use crate::bare::Bare;
use crate::figures::{Case, Measured, Run, run};
use crate::load::{Load, Order};
use crate::options::Options;
use crate::print;
use crate::processor::Meter;
use crate::seed::Made;
use crate::site::Site;
use crate::untouched::Untouched;
use anyhow::{Result, ensure};
use mortise_domain::{Entropy as _, OsEntropy};
use std::path::PathBuf;

/// How many answers are compared with what was stored, at each site.
const SAMPLES: usize = 200;

/// What was seen.
pub(crate) struct Fetches {
    /// One request over and over, which wrk sends at its best.
    pub(crate) bare: Case,
    /// The requests of the fetches, to the bare handler.
    pub(crate) bare_random: Case,
    pub(crate) bare_alone: Case,
    pub(crate) sites: Vec<SiteFetches>,
}

/// The same on one database.
pub(crate) struct SiteFetches {
    pub(crate) name: &'static str,
    /// The first requests of a process that has seen no data key yet.
    pub(crate) cold: Case,
    /// 32 in flight.
    pub(crate) many: Case,
    /// One in flight.
    pub(crate) alone: Case,
    /// Rows written during `read` fetches.
    pub(crate) written: i64,
    pub(crate) read: u64,
}

/// A site with its file of paths.
struct Target<'a> {
    site: &'a Site,
    measured: Measured,
    paths: PathBuf,
}

impl Target<'_> {
    fn load(&self, connections: usize, seconds: u64, seed: usize) -> Load<'_> {
        let paths = Some((self.paths.as_path(), self.site.key.as_str()));
        Load { base: &self.site.base, paths, order: Order::Random, method: "GET", connections, seconds, seed }
    }
}

/// Measures both sites, whose web services run and have fetched nothing yet.
pub(crate) async fn measure(
    meter: &Meter,
    options: &Options,
    bare: &Bare,
    sites: &[(&Site, &[Made])],
) -> Result<Fetches> {
    let mut targets = Vec::new();
    let mut seen = Vec::new();
    for (site, made) in sites {
        let paths = site.file("fetch-paths");
        let lines: String = made.iter().map(|made| format!("/v1/connections/{}/token\n", made.id)).collect();
        std::fs::write(&paths, lines)?;
        let measured = Measured { process: site.server_process()?, database: site.database_process()? };
        let target = Target { site, measured, paths };
        let mut fetches = SiteFetches {
            name: site.name(),
            cold: Case::new(format!("{}, 32 in flight, right after the start", site.name())),
            many: Case::new(format!("{}, 32 in flight", site.name())),
            alone: Case::new(format!("{}, 1 in flight", site.name())),
            written: 0,
            read: 0,
        };
        fetches.cold.runs.push(told(&fetches.cold, run(meter, measured, target.load(32, options.seconds, 1)).await?));
        warm(meter, options, &target).await?;
        verify(site, made).await?;
        let untouched = Untouched::watch(site).await?;
        fetches.read = run(meter, measured, target.load(32, options.seconds, 2)).await?.count;
        fetches.written = untouched.writes().await?;
        targets.push(target);
        seen.push(fetches);
    }
    let mut fetches = Fetches {
        bare: Case::new("bare handler, 32 in flight"),
        bare_random: Case::new("bare handler, 32 in flight, the requests of the fetches"),
        bare_alone: Case::new("bare handler, 1 in flight"),
        sites: seen,
    };
    for round in 0..options.runs + options.again {
        rounds(meter, options, bare, &targets, &mut fetches, round).await?;
    }
    Ok(fetches)
}

/// Every case once that wants more: what disturbs one disturbs its neighbours too, and no case gets all of the quiet or the noise.
async fn rounds(
    meter: &Meter,
    options: &Options,
    bare: &Bare,
    targets: &[Target<'_>],
    fetches: &mut Fetches,
    round: usize,
) -> Result<()> {
    let seed = 10 + round;
    let constant = Load {
        base: &bare.base,
        paths: None,
        order: Order::Random,
        method: "GET",
        connections: 32,
        seconds: options.seconds,
        seed,
    };
    let handler = Measured { process: bare.process.pid(), database: None };
    let alone = Load { connections: 1, ..constant };
    let mut planned = vec![(&mut fetches.bare, handler, constant), (&mut fetches.bare_alone, handler, alone)];
    if let Some(target) = targets.first() {
        let same = Load { base: &bare.base, ..target.load(32, options.seconds, seed) };
        planned.push((&mut fetches.bare_random, handler, same));
    }
    for (target, seen) in targets.iter().zip(&mut fetches.sites) {
        planned.push((&mut seen.many, target.measured, target.load(32, options.seconds, seed)));
        planned.push((&mut seen.alone, target.measured, target.load(1, options.seconds, seed)));
    }
    for (case, measured, load) in planned {
        if case.wants_more(options.runs, options.again) {
            case.runs.push(told(case, run(meter, measured, load).await?));
        }
    }
    Ok(())
}

/// Asks for every connection at least once, so that its data key is in memory.
async fn warm(meter: &Meter, options: &Options, target: &Target<'_>) -> Result<()> {
    let mut asked = 0;
    // A thread that is slower than the other takes longer for its half.
    while asked < options.connections as u64 * 5 / 4 {
        let seconds = if asked == 0 { options.seconds } else { options.seconds * 2 };
        let load = Load { order: Order::Each, ..target.load(32, seconds, 0) };
        asked += run(meter, target.measured, load).await?.count;
    }
    Ok(())
}

/// The answers hold the very tokens that were stored.
async fn verify(site: &Site, made: &[Made]) -> Result<()> {
    let api = site.api();
    for _ in 0..SAMPLES {
        let index = (OsEntropy.fraction() * made.len() as f64) as usize;
        let Some(made) = made.get(index) else { continue };
        let url = format!("{}/v1/connections/{}/token", site.base, made.id);
        let answer = api.get(&url).await.expect(200).json();
        ensure!(answer["access_token"] == made.access.as_str(), "{}: not the token that was stored", made.id);
    }
    Ok(())
}

/// Says how a run went, and hands it on.
pub(crate) fn told(case: &Case, run: Run) -> Run {
    let latency = run.latency.map_or(String::new(), |(p50, p99)| format!(", p50 {p50:.2} ms, p99 {p99:.2} ms"));
    let note = if run.is_quiet() { "" } else { " DISTURBED" };
    print::note(format!("{}: {:.0}/s{latency}, others {:.0} %{note}", case.name, run.rate, run.others));
    run
}
