//! The refresh engine in simulated worlds: machines that die at any call, a database that fails, providers that lose
//! replies, customers who come and go, in virtual time and by a seed; then judges who believe only the provider's oracle,
//! the books and the trace.
//!
//! `MORTISE_SIM_SEED=17 cargo test -p mortise-worker --test sim -- asked_for --nocapture` runs one world and prints what
//! happened in it; `MORTISE_SIM_SEEDS=0..20000` a range on all cores.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that cannot go on should stop loudly"
)]

mod chaos;
mod check;
mod clock;
mod dice;
#[cfg(feature = "known-bad")]
mod known_bad;
mod late;
mod ledger;
mod life;
mod machine;
mod network;
mod people;
mod planted;
mod provider;
mod reckoning;
mod scenario;
mod seals;
mod seeds;
mod spill;
mod trace;
mod weather;
mod world;

use scenario::Scenario;

/// One seed, or a range of them, from the environment; a few beyond those of the other tests if it names none.
#[test]
fn asked_for() {
    if let Ok(seed) = std::env::var("MORTISE_SIM_SEED") {
        return seeds::tell(seed.parse().unwrap());
    }
    let range = std::env::var("MORTISE_SIM_SEEDS").unwrap_or_else(|_| "500..510".to_owned());
    let (from, to) = range.split_once("..").unwrap();
    let tally = seeds::all_hold_in_parallel(from.parse().unwrap()..to.parse().unwrap());
    println!("seeds {range}: {tally:?}");
}

#[test]
fn the_same_seed_makes_the_same_world() {
    let digest = |seed| world::run(Scenario::of(seed)).digest;
    for seed in 0..5 {
        assert_eq!(digest(seed), digest(seed), "seed {seed}");
    }
    assert_ne!(digest(0), digest(1));
}

#[test]
fn seeds_that_failed_once_hold() {
    seeds::all_hold(seeds::ONCE_FAILED.iter().copied().map(Scenario::of));
    seeds::all_hold(seeds::ONCE_FAILED_IN_A_HURRY.iter().map(|seed| Scenario::of(*seed).hasty()));
}

/// What the worlds of one test run are worth: all that can happen does.
#[test]
fn nothing_is_left_out() {
    let tally = seeds::all_hold((600..660).map(|seed| Scenario::of(seed).hasty()));
    let counts = [
        tally.sent,
        tally.refreshed,
        tally.recovered,
        tally.deaths,
        tally.given_up,
        tally.sent_back,
        tally.held,
        tally.ambiguous,
        tally.suspected,
        tally.quarantined,
        tally.lost,
    ];
    assert!(counts.iter().all(|count| *count > 0), "{tally:?}");
}

/// 500 worlds, in parts that can run side by side and end in time on a slow machine.
macro_rules! worlds {
    ($($name:ident: $seeds:expr;)*) => {
        $(#[test]
        fn $name() {
            seeds::all_hold(($seeds).map(Scenario::of));
        })*
    };
}

worlds! {
    worlds_0_to_24: 0..25;
    worlds_25_to_49: 25..50;
    worlds_50_to_74: 50..75;
    worlds_75_to_99: 75..100;
    worlds_100_to_124: 100..125;
    worlds_125_to_149: 125..150;
    worlds_150_to_174: 150..175;
    worlds_175_to_199: 175..200;
    worlds_200_to_224: 200..225;
    worlds_225_to_249: 225..250;
    worlds_250_to_274: 250..275;
    worlds_275_to_299: 275..300;
    worlds_300_to_324: 300..325;
    worlds_325_to_349: 325..350;
    worlds_350_to_374: 350..375;
    worlds_375_to_399: 375..400;
    worlds_400_to_424: 400..425;
    worlds_425_to_449: 425..450;
    worlds_450_to_474: 450..475;
    worlds_475_to_499: 475..500;
}
