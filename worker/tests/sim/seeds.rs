//! Seeds, one after the other, on as many threads as somebody asks for.

use crate::check::{Tally, Verdict};
use crate::scenario::Scenario;
use crate::world::run;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Seeds whose worlds found a fault once. They are run for ever.
pub const ONCE_FAILED: &[u64] = &[271, 2246, 4160, 4429, 5753, 10_826, 16_571];
/// The same of worlds in a hurry.
pub const ONCE_FAILED_IN_A_HURRY: &[u64] = &[64];

/// Lives through every seed; panics with those that failed, and how to look at one.
pub fn all_hold(scenarios: impl IntoIterator<Item = Scenario>) -> Tally {
    let mut tally = Tally::default();
    let mut failed = Vec::new();
    for scenario in scenarios {
        let verdict = run(scenario);
        tally = tally + verdict.tally;
        failed.extend(complaint(&verdict));
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    tally
}

/// The same on all cores, with a word now and then.
pub fn all_hold_in_parallel(seeds: Range<u64>) -> Tally {
    let (next, result) = (AtomicU64::new(seeds.start), Mutex::new((Tally::default(), Vec::new())));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::SeqCst);
            if seed >= seeds.end {
                return;
            }
            let verdict = run(Scenario::of(seed));
            let mut result = result.lock().unwrap();
            result.0 = result.0 + verdict.tally;
            if let Some(complaint) = complaint(&verdict) {
                eprintln!("{complaint}");
                result.1.push(complaint);
            }
            if seed % 1000 == 999 {
                eprintln!("{} worlds: {:?}, {} failed", seed + 1 - seeds.start, result.0, result.1.len());
            }
        }
    };
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    let (tally, failed) = result.into_inner().unwrap();
    assert!(failed.is_empty(), "{} worlds failed:\n{}", failed.len(), failed.join("\n"));
    tally
}

/// What a failing seed has to say.
pub fn complaint(verdict: &Verdict) -> Option<String> {
    if verdict.violations.is_empty() {
        return None;
    }
    let violations: Vec<_> = verdict.violations.iter().map(|violation| format!("  {violation}")).collect();
    let seed = verdict.seed;
    Some(format!(
        "seed {seed} failed; to see it: MORTISE_SIM_SEED={seed} cargo test -p mortise-worker --test sim -- asked_for \
         --nocapture\n{}",
        violations.join("\n")
    ))
}

/// Lives through one seed and tells everything.
pub fn tell(seed: u64) {
    let scenario = Scenario::of(seed);
    println!("{scenario:#?}");
    let verdict = run(scenario);
    for line in &verdict.lines {
        println!("{:>12.3?} {:?}", line.at, line.what);
    }
    println!("{:?}, digest {:016x}", verdict.tally, verdict.digest);
    assert!(complaint(&verdict).is_none(), "{}", complaint(&verdict).unwrap_or_default());
}
