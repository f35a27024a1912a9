//! The judges on trial: worlds in which something is broken on purpose. A fault that none of a few dozen worlds brings to
//! light would be a fault of this simulation.

use crate::check::Rule;
use crate::scenario::{Bug, Scenario};
use crate::world::run;

/// How many worlds a fault may hide in.
const WORLDS: u64 = 100;

/// Some world with `bug` in it breaks one of `rules`.
fn comes_to_light(bug: Bug, rules: &[Rule]) {
    let mut seen = Vec::new();
    for seed in 0..WORLDS {
        let violations = run(world(seed, bug)).violations;
        seen.extend(violations.iter().map(|violation| violation.rule));
        if rules.iter().all(|rule| seen.contains(rule)) {
            return;
        }
    }
    seen.sort_unstable();
    seen.dedup();
    panic!("{bug:?} went unnoticed, or was mistaken for something else: {seen:?}");
}

/// In a hurry, except where customers who soon connect anew would cover it up.
fn world(seed: u64, bug: Bug) -> Scenario {
    let scenario = Scenario::of(seed).with(bug);
    if bug == Bug::QuarantineForgotten { scenario } else { scenario.hasty() }
}

macro_rules! planted {
    ($($name:ident: $bug:ident breaks $($rule:ident),+;)*) => {
        $(#[test]
        fn $name() {
            comes_to_light(Bug::$bug, &[$(Rule::$rule),+]);
        })*

        #[test]
        fn every_bug_is_planted() {
            let planted = [$(Bug::$bug),*];
            assert!(Bug::ALL.iter().all(|bug| planted.contains(bug)));
        }
    };
}

planted! {
    a_commit_that_overwrites: CommitOverwrites breaks Lineage;
    a_spill_that_forgets: SpillForgets breaks Successor;
    a_lease_that_is_short: LeaseIsShort breaks Overlap, Double;
    a_retry_inside_the_deadline: RetryInsideDeadline breaks Overlap, Double;
    a_death_at_the_first_refusal: DeadAtFirstRefusal breaks Death;
    a_claim_of_what_is_held: HeldIsClaimed breaks Held;
    a_network_layer_that_retries: TransportRetries breaks Overlap;
    late_replies_that_are_dropped: LateRepliesDropped breaks Successor;
    a_commit_that_forgets: CommitForgets breaks Lineage;
    claims_that_are_shared: ClaimsAreShared breaks Double;
    a_disk_that_is_not_replayed: NothingReplayed breaks Successor, Settled;
    a_quarantine_that_is_forgotten: QuarantineForgotten breaks Settled;
}
