//! `mortise connectors test`: the life of connectors, lived against the sandbox in the manifests' own words.

use super::{simulate, source};
use crate::cli::{Format, Test};
use crate::commands::print;
use anyhow::bail;
use mortise_connectors::{Manifest, catalog};
use mortise_contract::{Report, Stage, live};
use mortise_domain::SystemClock;
use serde_json::json;
use std::sync::Arc;

pub(super) async fn run(options: &Test) -> anyhow::Result<()> {
    let manifests = manifests(options)?;
    let given = simulate::given(&options.values)?;
    if manifests.len() > 1 && !given.is_empty() {
        bail!("values are for one manifest: test it by itself, or leave --set out");
    }
    let stage = Stage::open(Arc::new(SystemClock::new()))?;
    let mut reports = Vec::with_capacity(manifests.len());
    for manifest in &manifests {
        let report = live(manifest, &given, &stage).await;
        if options.format == Format::Text {
            for_people(&report, manifests.len() == 1)?;
        }
        reports.push(report);
    }
    stage.close().await;
    let failed = reports.iter().filter(|report| !report.passed()).count();
    match options.format {
        Format::Json => print::json(&for_programs(&reports))?,
        Format::Text if reports.len() > 1 => {
            print::line(format!("{} connectors, {failed} of them not as described", reports.len()))?;
        }
        Format::Text => {}
    }
    if failed == 0 { Ok(()) } else { bail!("{failed} of {} failed", reports.len()) }
}

fn manifests(options: &Test) -> anyhow::Result<Vec<Manifest>> {
    let bundled = if options.catalog { catalog::ids() } else { Vec::new() };
    let manifests = options.manifests.iter().cloned().chain(bundled).map(|named| source::manifest(&named));
    manifests.collect()
}

/// Everything about a single connector; of several, what is wrong.
fn for_people(report: &Report, alone: bool) -> anyhow::Result<()> {
    let verdict = if report.passed() { "ok" } else { "FAILED" };
    print::line(format!("{}: {verdict}, {} checks", report.id, report.checks.len()))?;
    for check in report.checks.iter().filter(|check| alone || check.fault.is_some()) {
        print::line(format!("  {check}"))?;
    }
    Ok(())
}

fn for_programs(reports: &[Report]) -> serde_json::Value {
    let one = |report: &Report| {
        let checks = report.checks.iter().map(|check| {
            json!({"step": check.step, "what": check.what, "passed": check.fault.is_none(), "fault": check.fault})
        });
        json!({"id": report.id, "passed": report.passed(), "checks": checks.collect::<Vec<_>>()})
    };
    json!({"passed": reports.iter().all(Report::passed), "connectors": reports.iter().map(one).collect::<Vec<_>>()})
}
