use super::*;
use proptest::prelude::*;

const TERMS: MoveTerms = MoveTerms {
    canary_percent: 5,
    minimum_sample: 20,
    tolerance_percent: 5,
    batch_size: 100,
    batch_interval: 30,
    renew_canary: true,
    retire_when_done: false,
};

fn moment(state: MoveState, stage: MoveStage) -> MoveMoment<'static> {
    let (in_stage, since_batch) = (Duration::from_secs(60), Duration::from_secs(31));
    MoveMoment { state, stage, terms: &TERMS, canary: 50, in_stage, since_batch, app_held: false }
}

/// So many judged, renewed and failed, and the same of the others.
fn known(judged: u64, renewed: u64, failed: u64, others: (u64, u64)) -> MoveEvidence {
    MoveEvidence {
        moved: judged,
        judged,
        renewed,
        failed,
        others_renewed: others.0,
        others_failed: others.1,
        remaining: 500,
        ..MoveEvidence::default()
    }
}

#[test]
fn what_the_evidence_says() {
    for (evidence, expected) in [
        (known(0, 0, 0, (0, 0)), Verdict::Silent),
        (known(50, 0, 0, (0, 0)), Verdict::Open),
        (known(50, 19, 0, (0, 0)), Verdict::Open),
        (known(50, 20, 0, (0, 0)), Verdict::Good),
        (known(50, 19, 1, (0, 0)), Verdict::Good),
        (known(50, 18, 2, (0, 0)), Verdict::Worse),
        // Two of twenty are too many, however the rest turns out.
        (known(50, 0, 2, (0, 0)), Verdict::Worse),
        (known(50, 0, 1, (0, 0)), Verdict::Open),
        // A single one that cannot be renewed any more.
        (known(1, 0, 1, (0, 0)), Verdict::Worse),
        (known(1, 1, 0, (0, 0)), Verdict::Good),
        // The provider is in trouble, for everybody.
        (known(50, 10, 10, (50, 50)), Verdict::Clouded),
        (known(50, 20, 0, (95, 5)), Verdict::Good),
        (known(50, 20, 0, (94, 6)), Verdict::Clouded),
        (known(50, 8, 12, (50, 50)), Verdict::Worse),
        // Three others that fail prove nothing, as many as are asked of the moved ones do.
        (known(50, 10, 10, (0, 3)), Verdict::Worse),
        (known(50, 10, 10, (0, 19)), Verdict::Worse),
        (known(50, 10, 10, (0, 20)), Verdict::Clouded),
        // Where there are few to judge, as few of the others are a measure.
        (known(2, 0, 2, (0, 2)), Verdict::Clouded),
        (known(2, 0, 2, (0, 1)), Verdict::Worse),
        (known(2, 0, 1, (0, 0)), Verdict::Worse),
        (known(2, 1, 0, (0, 0)), Verdict::Open),
    ] {
        assert_eq!(evidence.verdict(&TERMS), expected, "{evidence:?}");
    }
}

#[test]
fn what_is_done_next() {
    use MoveStage::{Canary, Rest};
    use MoveState::{Completed, Paused, RolledBack, RollingBack, Running};
    let good = known(50, 50, 0, (0, 0));
    let open = known(50, 3, 0, (0, 0));
    let worse = known(50, 30, 20, (0, 0));
    let clouded = known(50, 25, 25, (25, 25));
    let few = MoveEvidence { moved: 12, ..open };
    let last = MoveEvidence { moved: 12, remaining: 3, ..open };
    let all = MoveEvidence { remaining: 0, ..good };
    let silent = known(0, 0, 0, (0, 0));
    let silent = MoveEvidence { moved: 50, ..silent };
    for (state, stage, evidence, expected) in [
        (Running, Canary, few, MoveStep::MoveCanary(38)),
        (Running, Canary, last, MoveStep::MoveCanary(3)),
        (Running, Canary, open, MoveStep::Wait),
        (Running, Canary, good, MoveStep::GoOn),
        (Running, Canary, silent, MoveStep::GoOn),
        (Running, Canary, worse, MoveStep::RollBack(MoveReason::ErrorRate)),
        (Running, Rest, good, MoveStep::MoveBatch(100)),
        (Running, Rest, open, MoveStep::MoveBatch(100)),
        (Running, Rest, clouded, MoveStep::Wait),
        (Running, Canary, clouded, MoveStep::Wait),
        (Running, Rest, all, MoveStep::Complete),
        (Running, Rest, worse, MoveStep::RollBack(MoveReason::ErrorRate)),
        (Paused, Rest, good, MoveStep::Wait),
        (Paused, Canary, few, MoveStep::Wait),
        (Paused, Canary, worse, MoveStep::RollBack(MoveReason::ErrorRate)),
        (RollingBack, Rest, good, MoveStep::TakeBack),
        (RolledBack, Rest, worse, MoveStep::Wait),
        (Completed, Rest, worse, MoveStep::Wait),
    ] {
        assert_eq!(moment(state, stage).next(&evidence), expected, "{state} {stage} {evidence:?}");
    }
}

#[test]
fn time_and_the_client_count_too() {
    let open = known(50, 3, 0, (0, 0));
    let waited = |in_stage| MoveMoment { in_stage, ..moment(MoveState::Running, MoveStage::Canary) };
    assert_eq!(waited(PATIENCE).next(&open), MoveStep::Wait);
    let late = waited(PATIENCE + Duration::from_millis(1));
    for (evidence, expected) in [
        (open, MoveStep::Pause(MoveReason::TooLittleEvidence)),
        (known(50, 25, 25, (25, 25)), MoveStep::Pause(MoveReason::TooLittleEvidence)),
        (known(50, 20, 0, (0, 0)), MoveStep::GoOn),
        (MoveEvidence { moved: 49, ..open }, MoveStep::MoveCanary(1)),
    ] {
        assert_eq!(late.next(&evidence), expected, "{evidence:?}");
    }
    let moved_ago = |seconds| MoveMoment {
        since_batch: Duration::from_secs(seconds),
        ..moment(MoveState::Running, MoveStage::Rest)
    };
    assert_eq!(moved_ago(30).next(&open), MoveStep::MoveBatch(100));
    let soon = moved_ago(29);
    assert_eq!(soon.next(&open), MoveStep::Wait);
    assert_eq!(soon.next(&MoveEvidence { remaining: 0, ..open }), MoveStep::Wait, "the last batch is watched as well");
    for state in [MoveState::Running, MoveState::Paused] {
        let held = MoveMoment { app_held: true, ..moment(state, MoveStage::Canary) };
        assert_eq!(held.next(&open), MoveStep::RollBack(MoveReason::AppHeld));
        let untouched = MoveEvidence { moved: 0, judged: 0, renewed: 0, ..open };
        assert_ne!(held.next(&untouched), MoveStep::RollBack(MoveReason::AppHeld), "nothing was moved yet");
    }
}

#[test]
fn at_least_one_goes_first() {
    for (all, expected) in [(0, 1), (1, 1), (19, 1), (21, 2), (1000, 50), (1001, 51)] {
        assert_eq!(TERMS.canary_of(all), expected, "{all}");
    }
}

proptest! {
    /// More failures never make a verdict better, and more of them elsewhere never make it worse.
    #[test]
    fn verdicts_follow_failures(
        judged in 1_u64..200, renewed in 0_u64..200, failed in 0_u64..200,
        others_renewed in 0_u64..200, others_failed in 0_u64..200, minimum in 1_u32..100, tolerance in 0_u32..50,
    ) {
        let terms = MoveTerms { minimum_sample: minimum, tolerance_percent: tolerance, ..TERMS };
        let renewed = renewed.min(judged);
        let failed = failed.min(judged - renewed);
        let here = known(judged, renewed, failed, (others_renewed, others_failed));
        if here.verdict(&terms) == Verdict::Worse && renewed > 0 {
            let more = known(judged, renewed - 1, failed + 1, (others_renewed, others_failed));
            prop_assert_eq!(more.verdict(&terms), Verdict::Worse);
        }
        if failed == 0 {
            prop_assert_ne!(here.verdict(&terms), Verdict::Worse);
        }
    }
}
