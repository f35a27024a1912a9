//! The report on the service: what was seen, as Markdown, with what is not as it should be said as plainly as what is.

mod marks;

use crate::fetch::Fetches;
use crate::figures::{Case, QUIET};
use crate::idle::Idle;
use crate::options::Options;
use crate::refresh::Refreshes;
use crate::storage::Table;
use anyhow::Result;
use std::fmt::Write as _;

/// The databases, in the order of every list below.
const NAMES: [&str; 2] = ["PostgreSQL", "SQLite"];

/// Everything that was seen. Lists have an entry a database.
pub(crate) struct Report {
    options: Options,
    machine: Vec<String>,
    workers: usize,
    /// In milliseconds.
    pub(crate) starts: Vec<f64>,
    pub(crate) idle: Vec<Idle>,
    /// With the connections that are only fetched.
    pub(crate) stored: Vec<Vec<Table>>,
    /// At the end.
    pub(crate) stored_later: Vec<Vec<Table>>,
    pub(crate) fetches: Option<Fetches>,
    pub(crate) refreshes: Vec<Refreshes>,
}

impl Report {
    /// Nothing yet.
    pub(crate) fn new(options: Options, machine: Vec<String>, workers: usize) -> Self {
        let (starts, idle, stored, stored_later) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { options, machine, workers, starts, idle, stored, stored_later, fetches: None, refreshes: Vec::new() }
    }

    /// The section.
    pub(crate) fn markdown(&self) -> Result<String> {
        let mut out = String::new();
        self.head(&mut out)?;
        writeln!(out, "### Marks\n")?;
        marks::write(self, &mut out)?;
        self.fetching(&mut out)?;
        self.refreshing(&mut out)?;
        self.storing(&mut out)?;
        self.starting(&mut out)?;
        Ok(out)
    }

    fn head(&self, out: &mut String) -> Result<()> {
        let Options { connections, seconds, runs, again, .. } = self.options;
        writeln!(out, "What these figures were taken on:\n")?;
        for line in &self.machine {
            writeln!(out, "- {line}")?;
        }
        writeln!(
            out,
            "\nWeb service ({} threads), worker, database, provider and load generator share the machine and speak over\n\
             loopback without TLS. Settings are the defaults. {connections} connections in each database, every one of\n\
             another customer and so with a data key of its own, ids drawn at random, tokens of 64 characters. Each case ran\n\
             {runs} times for {seconds} s in turn with the others; shown are medians. CPU is in % of one core. \"Others\" is what\n\
             anybody else took: a run with more than {QUIET:.0} % counts as disturbed, is repeated ({again} times at most) and left\n\
             out, unless the case has no quiet one; \"quiet\" says how many there were.\n",
            self.workers,
        )?;
        Ok(())
    }

    fn fetching(&self, out: &mut String) -> Result<()> {
        let Some(fetches) = &self.fetches else { return Ok(()) };
        writeln!(out, "\n### Token fetch: `GET /v1/connections/{{id}}/token`\n")?;
        load_head(out)?;
        let bare = fetches.bare.rate();
        for case in [&fetches.bare, &fetches.bare_random] {
            load_row(out, case, Some(bare))?;
        }
        for site in &fetches.sites {
            load_row(out, &site.many, Some(bare))?;
            load_row(out, &site.cold, Some(bare))?;
        }
        load_row(out, &fetches.bare_alone, None)?;
        for site in &fetches.sites {
            load_row(out, &site.alone, Some(fetches.bare_alone.rate()))?;
        }
        writeln!(
            out,
            "\nThe bare handler answers a constant of the same length from the same framework with as many threads and the same\n\
             allocator. Every answer was a 200, and samples were compared with the tokens that had been stored. The row \"right\n\
             after the start\" reads and unwraps a data key for nearly every fetch; in the others they are in memory.\n"
        )?;
        for site in &fetches.sites {
            let what = if site.written == 0 { "nothing was written" } else { "**something was written**" };
            writeln!(out, "- {}: during {} fetches {what} ({} counted).", site.name, site.read, site.written)?;
        }
        writeln!(
            out,
            "\nAll of them had been fetched from within the hour: the first fetch in an hour is written down, a while later."
        )?;
        Ok(())
    }

    fn refreshing(&self, out: &mut String) -> Result<()> {
        writeln!(out, "\n### Refreshes, at the sandbox provider (single use of refresh tokens)\n")?;
        load_head(out)?;
        for seen in &self.refreshes {
            load_row(out, &seen.worker, None)?;
            load_row(out, &seen.forced, None)?;
        }
        writeln!(
            out,
            "\nThe provider runs in the benchmark's process and answers at once. A worker is timed from the provider's first\n\
             answer to the last commit; afterwards every connection has to be exactly one generation further. On demand is\n\
             `POST /v1/connections/{{id}}/refresh`. Each refresh is flushed to the disk twice before its commit: the intent, and\n\
             the sealed reply. No refresh token was presented twice, and none in two requests at once.\n"
        )?;
        for (name, seen) in NAMES.iter().zip(&self.refreshes) {
            let answered: u64 = seen.forced.runs.iter().map(|run| run.count).sum();
            writeln!(
                out,
                "- {name}, on demand: {answered} answers, for which the provider granted {} times.",
                seen.granted
            )?;
        }
        Ok(())
    }

    fn storing(&self, out: &mut String) -> Result<()> {
        writeln!(out, "\n### Bytes on disk, with whole pages\n")?;
        writeln!(out, "| database | table | rows | table, bytes a row | indexes, bytes a row | together |")?;
        writeln!(out, "|---|---|---|---|---|---|")?;
        for (when, lists) in [("", &self.stored), (", after the refreshes above", &self.stored_later)] {
            for (name, tables) in NAMES.iter().zip(lists) {
                for table in tables.iter().filter(|table| when.is_empty() || table.name == "connections") {
                    let (own, indexes) = table.per_row();
                    let sum = own + indexes;
                    writeln!(
                        out,
                        "| {name}{when} | {} | {} | {own:.0} | {indexes:.0} | {sum:.0} |",
                        table.name, table.rows
                    )?;
                }
            }
        }
        writeln!(out, "\nPostgreSQL after `VACUUM`. A connection has one line in its timeline here: its import.")?;
        Ok(())
    }

    fn starting(&self, out: &mut String) -> Result<()> {
        let Options { starts, idle_seconds, .. } = self.options;
        writeln!(out, "\n### Start and rest\n")?;
        writeln!(out, "| | {} | {} |\n|---|---|---|", NAMES[0], NAMES[1])?;
        let starts_text = |at: usize| self.starts.get(at).map_or(String::new(), |millis| format!("{millis:.0} ms"));
        writeln!(
            out,
            "| `serve`, exec to `/readyz` 200, median of {starts} | {} | {} |",
            starts_text(0),
            starts_text(1)
        )?;
        let mut row = |name: &str, figure: &dyn Fn(&Idle) -> String| {
            let of = |at: usize| self.idle.get(at).map_or(String::new(), figure);
            writeln!(out, "| {name} | {} | {} |", of(0), of(1))
        };
        row("`serve` idle, memory", &|idle| format!("{:.0} MB", idle.server_megabytes))?;
        row(&format!("`serve` idle, CPU over {idle_seconds} s"), &|idle| format!("{:.2} %", idle.server))?;
        row("`worker` idle, memory", &|idle| format!("{:.0} MB", idle.worker_megabytes))?;
        row("`worker` idle, CPU", &|idle| format!("{:.2} %", idle.worker))?;
        row("database meanwhile, CPU", &|idle| idle.database.map_or("in process".into(), |cpu| format!("{cpu:.2} %")))?;
        row("others meanwhile, CPU", &|idle| format!("{:.0} %", idle.others))?;
        Ok(())
    }
}

fn load_head(out: &mut String) -> Result<()> {
    writeln!(
        out,
        "| case | a second | p50 ms | p99 ms | of bare | program CPU % | database CPU % | µs CPU each, program + database | \
         memory MB | others % | quiet |\n|---|---|---|---|---|---|---|---|---|---|---|"
    )?;
    Ok(())
}

fn load_row(out: &mut String, case: &Case, bare: Option<f64>) -> Result<()> {
    let latency = |pick: fn((f64, f64)) -> f64| {
        let seen = case.median(|run| run.latency.map_or(f64::NAN, pick));
        if seen.is_nan() { String::new() } else { format!("{seen:.2}") }
    };
    let of_bare = bare.map_or(String::new(), |bare| format!("{:.1} %", 100.0 * case.rate() / bare));
    let has_database = case.runs.iter().any(|run| run.database.is_some());
    let database = case.median(|run| run.database.unwrap_or_default());
    let database = if has_database { format!("{database:.0}") } else { String::new() };
    let (own, others) = (case.median(|run| run.cost().0), case.median(|run| run.cost().1));
    let cost = if has_database { format!("{own:.0} + {others:.0}") } else { format!("{own:.0}") };
    writeln!(
        out,
        "| {} | {:.0} | {} | {} | {of_bare} | {:.0} | {database} | {cost} | {:.0} | {:.0} | {} of {} |",
        case.name,
        case.rate(),
        latency(|pair| pair.0),
        latency(|pair| pair.1),
        case.median(|run| run.server),
        case.median(|run| run.megabytes),
        case.median(|run| run.others),
        case.quiet(),
        case.runs.len(),
    )?;
    Ok(())
}
