//! The figures of the refresh engine: what it loses, how fast it is, and what trouble at a provider or at the database
//! does to everybody else.
//!
//! Invariant: the provider has the last word. After every figure the stored refresh tokens are opened and shown to its
//! oracle, so a fast run that lost a grant does not count as fast.

pub(crate) mod certified;
pub(crate) mod comeback;
pub(crate) mod herd;
pub(crate) mod hung;
pub(crate) mod rotations;
pub(crate) mod throughput;

mod callers;
mod histogram;
mod witness;

use crate::figures::QUIET;
use crate::machine;
use crate::processor::Meter;
use crate::provider::Provider;
use crate::seed::{self, Made, Wanted};
use crate::site::{DatabaseKind, Site};
use crate::template::{Integration, Template, now, one};
use crate::verdict::Verdict;
use anyhow::{Result, ensure};
use mortise_testkit::{Process, wait};
use sea_orm::DatabaseConnection;
use std::path::Path;
use std::time::Duration;

/// For whatever takes as long as it takes.
const PATIENCE: Duration = Duration::from_secs(1_800);
/// Between two looks at something that costs the looked-at little.
const LOOK: Duration = Duration::from_millis(250);

/// An installation with one provider and a connection there to copy.
struct Ground {
    meter: Meter,
    provider: Provider,
    // After the processes that the figures start, which they hold themselves.
    site: Site,
    template: Template,
    database: DatabaseConnection,
}

impl Ground {
    /// `auth`: what the provider's manifest says besides the usual.
    async fn new(kind: DatabaseKind, program: &Path, log: usize, auth: serde_json::Value) -> Result<Self> {
        let (meter, provider) = (Meter::new()?, Provider::start(log)?);
        let mut site = Site::on(kind, program).await?;
        site.serve().await;
        let database = site.connect().await?;
        let integration = Integration { name: "bench", provider: &provider, auth };
        let template = Template::make(&site, &database, &integration).await?;
        site.stop().await;
        Ok(Self { meter, provider, site, template, database })
    }

    /// Adds connections of grants that the provider knows, as `shape` makes them.
    async fn grants(&self, count: usize, shape: impl Fn(usize, Wanted) -> Wanted) -> Result<Vec<Made>> {
        let tokens = self.provider.grants(count)?;
        let wanted = tokens.into_iter().enumerate().map(|(at, tokens)| shape(at, Wanted::granted(tokens)));
        let made = seed::connections(&self.site, &self.database, &self.template, wanted).await?;
        self.site.settle().await?;
        Ok(made)
    }

    /// Waits until nothing is due any more and nobody is at anything.
    async fn idle(&self) -> Result<()> {
        let sql = "SELECT count(*) AS busy FROM connections WHERE app_id = $1 AND (next_refresh_at <= $2 OR lease_until > $2)";
        let app = self.template.app;
        wait::until(PATIENCE, async || {
            tokio::time::sleep(LOOK).await;
            let busy: i64 = one(&self.database, sql, [app.into(), now().into()]).await?.try_get("", "busy")?;
            Ok((busy == 0).then_some(()))
        })
        .await
    }

    /// What the provider's oracle says of what is stored.
    async fn verdict(&self) -> Result<Verdict> {
        Verdict::of(&self.database, &self.template, &self.provider).await
    }

    async fn clear(mut self) -> Result<()> {
        self.database.close().await?;
        self.site.stop().await;
        self.provider.stop().await;
        Ok(())
    }
}

/// Ends workers in order. One that ends otherwise has lost something.
async fn stop(workers: Vec<Process>) -> Result<()> {
    let mut workers = workers;
    for worker in &mut workers {
        worker.signal("TERM");
    }
    for mut worker in workers {
        let status = worker.ended(PATIENCE).await;
        ensure!(status.success(), "a worker did not end well: {status}\n{}", worker.output());
    }
    Ok(())
}

/// The lines that every section begins with: what it was taken on.
async fn taken_on(sites: &[&Site]) -> Result<String> {
    let mut databases = Vec::new();
    for site in sites {
        databases.push(site.described().await?);
    }
    let lines = machine::description(&databases.join(", "))?;
    Ok(lines.iter().map(|line| format!("- {line}\n")).collect())
}

/// Whether the machine was quiet, by what others took in each part of a figure, in percent of one core.
fn disturbance(others: &[f64]) -> String {
    let most = others.iter().copied().fold(0.0, f64::max);
    let disturbed = others.iter().filter(|others| **others > QUIET).count();
    match disturbed {
        0 => format!("The machine was quiet: others took {most:.0} % of one core at most."),
        _ => format!(
            "**Disturbed**: in {disturbed} of {} runs others took more than {QUIET:.0} % of one core, {most:.0} % at most.",
            others.len()
        ),
    }
}

/// `met` or `missed`, as in the service's marks.
const fn met(is: bool) -> &'static str {
    if is { "met" } else { "**missed**" }
}

/// The value below which that part of all lie; `NaN` of none.
fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (part * sorted.len() as f64).ceil() as usize;
    sorted.get(at.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_a_value_that_was_seen() {
        let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!((quantile(&values, 0.5), quantile(&values, 0.99), quantile(&values, 1.0)), (50.0, 99.0, 100.0));
        assert_eq!((quantile(&[7.0], 0.99), quantile(&[7.0], 0.0)), (7.0, 7.0));
        assert!(quantile(&[], 0.5).is_nan());
    }

    #[test]
    fn one_disturbed_run_is_said() {
        assert!(disturbance(&[3.0, 14.9]).starts_with("The machine was quiet"));
        assert!(disturbance(&[3.0, 40.2]).contains("in 1 of 2 runs") && disturbance(&[40.2]).contains("40 %"));
    }
}
