//! The product on trial: twelve builds that are wrong on purpose, in the very code that runs, and who notices.
//!
//! A fault that no judge notices is a fault of the judges. Each build lives through the same worlds as the right one, which
//! breaks no rule in any of them; so what is noticed is the fault and not the world. Eleven are for the simulation to
//! find; the twelfth sends a code twice, which a provider with real sockets tells.

mod code;
mod sql;

use crate::check::{Rule, Violation};
use crate::scenario::Scenario;
use crate::world::run;
use mortise_broker::KnownBad;

/// How many worlds a fault may hide in.
const WORLDS: u64 = 100;

/// Who notices a build.
#[derive(Debug, Clone, Copy)]
enum Judge {
    /// The judges of the simulation, by all of these rules, in worlds of this kind.
    Worlds(&'static [Rule], fn(Scenario) -> Scenario),
    /// The provider's oracle: a grant ended because its code came twice.
    Provider,
}

/// Which build is noticed by whom.
fn judge(build: KnownBad) -> Judge {
    match build {
        KnownBad::TenSecondLock => Judge::Worlds(&[Rule::Overlap, Rule::Double], Scenario::hasty),
        KnownBad::ReleaseWithoutOwner => Judge::Worlds(&[Rule::Double], Scenario::slow),
        KnownBad::PublishBeforePersist => Judge::Worlds(&[Rule::Published], Scenario::hasty),
        KnownBad::CasOnLease => Judge::Worlds(&[Rule::Successor], Scenario::slow),
        KnownBad::RetryInsideDeadline => Judge::Worlds(&[Rule::Overlap], Scenario::slow),
        KnownBad::WallClockLease => Judge::Worlds(&[Rule::Overlap, Rule::Double], Scenario::hasty),
        KnownBad::DeadAtFirstRefusal => Judge::Worlds(&[Rule::Death], Scenario::crowded),
        KnownBad::UnconditionalOverwrite => Judge::Worlds(&[Rule::Lineage], Scenario::hasty),
        KnownBad::BackoffPerRow => Judge::Worlds(&[Rule::Budget], Scenario::crowded),
        KnownBad::QuarantinedIsRefreshed => Judge::Worlds(&[Rule::Held], Scenario::poisoned),
        KnownBad::NoSpill => Judge::Worlds(&[Rule::Successor], Scenario::crowded),
        KnownBad::CodeExchangeRetry => Judge::Provider,
    }
}

/// One world, lived through by the build that is wrong.
fn lived(build: KnownBad, scenario: Scenario) -> Vec<Violation> {
    let _built = build.build();
    run(scenario).violations
}

/// Some worlds break all of the rules with `build` in them, and none without.
fn is_caught(build: KnownBad) {
    let Judge::Worlds(rules, kind) = judge(build) else {
        return code::is_caught(build);
    };
    let mut seen = Vec::new();
    for seed in 0..WORLDS {
        let world = kind(Scenario::of(seed));
        let violations = lived(build, world.clone());
        let right = run(world).violations;
        assert!(right.is_empty(), "seed {seed}: the right build breaks rules, too: {right:?}");
        seen.extend(violations.iter().map(|violation| violation.rule));
        if rules.iter().all(|rule| seen.contains(rule)) {
            seen.sort_unstable();
            seen.dedup();
            return println!("{build:?} is caught in {} worlds, by {seen:?}", seed + 1);
        }
    }
    seen.sort_unstable();
    seen.dedup();
    panic!("{build:?} went unnoticed, or was mistaken for something else: {seen:?}, and not {rules:?}");
}

macro_rules! caught {
    ($($name:ident: $build:ident;)*) => {
        $(#[test]
        fn $name() {
            is_caught(KnownBad::$build);
        })*

        #[test]
        fn every_build_is_tried() {
            assert_eq!([$(KnownBad::$build),*], KnownBad::ALL);
        }
    };
}

caught! {
    a_lock_of_ten_seconds: TenSecondLock;
    a_lock_that_anybody_releases: ReleaseWithoutOwner;
    a_pair_that_is_published_first: PublishBeforePersist;
    a_pair_that_is_stored_by_lease: CasOnLease;
    a_retry_inside_the_deadline: RetryInsideDeadline;
    a_lease_by_the_wall_clock: WallClockLease;
    a_death_at_the_first_refusal: DeadAtFirstRefusal;
    a_pair_that_overwrites: UnconditionalOverwrite;
    a_throttle_that_one_row_hears: BackoffPerRow;
    a_refresh_of_what_is_quarantined: QuarantinedIsRefreshed;
    a_pair_that_skips_the_disk: NoSpill;
    a_code_that_is_sent_again: CodeExchangeRetry;
}
