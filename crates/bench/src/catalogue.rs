//! The catalogue: what is in it, and how long reading and checking it takes. In this process, because a program reads its
//! catalogue in its own.

use crate::figure::Section;
use crate::options::Options;
use crate::processor::Meter;
use crate::{machine, print};
use anyhow::{Result, ensure};
use mortise_connectors::catalog::{self, Confidence};
use mortise_connectors::{lint, parse};
use mortise_domain::{Clock as _, SystemClock};
use std::collections::BTreeMap;
use std::time::Duration;

/// Milliseconds for all entries, and for the slowest one.
const AIM_ALL: f64 = 200.0;
const AIM_ONE: f64 = 20.0;

pub(crate) fn measure(options: &Options) -> Result<Section> {
    let texts: Vec<_> = catalog::ids().into_iter().filter_map(|id| catalog::get(&id).map(|text| (id, text))).collect();
    let rounds = if options.quick { 1 } else { 20 };
    let (clock, meter) = (SystemClock::new(), Meter::new()?);
    let before = meter.now()?;
    let mut all = Vec::new();
    for _ in 0..rounds {
        all.push(took(
            &clock,
            || catalog::ids().iter().filter_map(|id| parse(&catalog::get(id)?).ok()).count(),
            texts.len(),
        )?);
    }
    let mut slowest = ("", 0.0);
    for (id, text) in &texts {
        let mut times = Vec::new();
        for _ in 0..rounds {
            times.push(took(&clock, || lint(text).len(), 0)?);
        }
        let median = median(&mut times);
        slowest = if median > slowest.1 { (id.as_str(), median) } else { slowest };
    }
    let others = meter.since(before)?.percent_of_others();
    let whole = median(&mut all);
    print::note(format!("{} entries in {whole:.1} ms, the slowest in {:.2} ms", texts.len(), slowest.1));
    let head: String = machine::description("no database")?.iter().map(|line| format!("- {line}\n")).collect();
    let body = format!(
        "What these figures were taken on:\n\n{head}\nMedians of {rounds} rounds in one process. Others took {others:.0} % of one core.\n\n\
         | | aim | seen | |\n|---|---|---|---|\n\
         | reading and checking all {} entries | {AIM_ALL} ms | {whole:.1} ms | {} |\n\
         | checking the slowest entry, `{}` | {AIM_ONE} ms | {:.2} ms | {} |\n\n{}",
        texts.len(),
        met(whole <= AIM_ALL),
        slowest.0,
        slowest.1,
        met(slowest.1 <= AIM_ONE),
        counted()
    );
    Ok(Section { body, plots: Vec::new() })
}

/// Milliseconds that `work` took, which has to find `expected`: nothing is fast that does nothing.
fn took(clock: &SystemClock, work: impl FnOnce() -> usize, expected: usize) -> Result<f64> {
    let before = clock.monotonic();
    let found = work();
    let took: Duration = clock.monotonic() - before;
    ensure!(found == expected, "found {found} instead of {expected}");
    Ok(took.as_secs_f64() * 1000.0)
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}

const fn met(is: bool) -> &'static str {
    if is { "met" } else { "**missed**" }
}

/// How many entries there are of each mode, by what stands behind them.
fn counted() -> String {
    let mut counts = BTreeMap::<&str, [usize; 4]>::new();
    for entry in catalog::summaries() {
        let column = match entry.confidence {
            Some(Confidence::Documented) => 0,
            Some(Confidence::Agreed) => 1,
            Some(Confidence::Single) => 2,
            None => 3,
        };
        if let Some(count) = counts.entry(entry.mode).or_default().get_mut(column) {
            *count += 1;
        }
    }
    let mut table =
        "| mode | documented | agreed | single | written by hand | all |\n|---|---|---|---|---|---|\n".to_owned();
    for (mode, [documented, agreed, single, hand]) in counts {
        let all = documented + agreed + single + hand;
        table.push_str(&format!("| `{mode}` | {documented} | {agreed} | {single} | {hand} | {all} |\n"));
    }
    table
}
