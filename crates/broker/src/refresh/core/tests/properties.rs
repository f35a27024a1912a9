//! Random attempts in random worlds: the machine does what the model tells, and keeps its order.

use super::drive::{Trace, drive};
use super::model::{Failed, Kept, Story, Writes, tell};
use super::worlds::{World, any_attempt, any_world};
use super::*;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

fn spills(effect: &Effect) -> bool {
    matches!(effect, Effect::Spill(_))
}

fn commits(effect: &Effect) -> bool {
    matches!(effect, Effect::Commit(_))
}

fn sends(effect: &Effect) -> bool {
    matches!(effect, Effect::Send { .. })
}

fn records(effect: &Effect) -> bool {
    matches!(effect, Effect::Record(_) | Effect::GiveUp { .. } | Effect::Quarantine)
}

/// The machine did what the model tells.
fn agrees(trace: &Trace, story: &Story) -> TestCaseResult {
    prop_assert_eq!(trace.end, story.end);
    let sent = trace.effects.iter().filter_map(|(began, effect)| match effect {
        Effect::Send { credential, client, .. } => Some((*credential, *client, *began)),
        _ => None,
    });
    prop_assert_eq!(sent.collect::<Vec<_>>(), story.sends.clone());
    prop_assert_eq!(trace.count(|effect| *effect == Effect::HoldApp), usize::from(story.holds));
    prop_assert_eq!(trace.count(|effect| *effect == Effect::Astray), 0);
    let written = trace.effects.iter().map(|(_, effect)| effect).find(|effect| records(effect) || spills(effect));
    match (&story.writes, written) {
        (Writes::Nothing, None) | (Writes::Quarantine, Some(Effect::Quarantine)) => Ok(()),
        (Writes::GivenUp(told), Some(Effect::GiveUp { reason, .. })) => {
            prop_assert_eq!(told, reason);
            Ok(())
        }
        (Writes::Failure(failed), Some(Effect::Record(plan))) => is_written(failed, plan),
        (Writes::Pair(kept), Some(Effect::Spill(pair))) => is_kept(kept, pair, trace),
        (writes, written) => {
            prop_assert!(false, "{:?} and not {:?}", writes, written);
            Ok(())
        }
    }
}

fn is_written(failed: &Failed, plan: &Plan) -> TestCaseResult {
    prop_assert_eq!(failed.kind, plan.kind);
    prop_assert_eq!((failed.failures, failed.suspicions), (plan.failures, plan.suspicions));
    prop_assert_eq!(failed.suspected_at, plan.suspected_at.map(millis));
    prop_assert_eq!(failed.doubt, plan.doubt);
    let ((earliest, latest), next) = (failed.next, millis(plan.next));
    prop_assert!(earliest <= next && next <= latest, "{} in {}..={}: {}", next, earliest, latest, plan.why);
    Ok(())
}

fn is_kept(kept: &Kept, pair: &Pair, trace: &Trace) -> TestCaseResult {
    prop_assert_eq!(millis(pair.refreshed_at), kept.asked_at);
    prop_assert_eq!(kept.expires_at, pair.expires_at.map(millis));
    let in_time = match (kept.next, pair.next_refresh_at.map(millis)) {
        (Some((earliest, latest)), Some(next)) => earliest <= next && next <= latest,
        (told, found) => told.is_none() && found.is_none(),
    };
    prop_assert!(in_time, "{:?} and not {:?}: {}", pair.next_refresh_at.map(millis), kept.next, pair.why);
    prop_assert_eq!(kept.keeps_previous, pair.keeps_previous);
    prop_assert_eq!(kept.commits, trace.count(commits));
    prop_assert_eq!(usize::from(kept.doubled), trace.count(|effect| *effect == Effect::WarnOfDoubleRefresh));
    prop_assert_eq!(usize::from(kept.sent_back), trace.count(|effect| *effect == Effect::RevokePair));
    prop_assert_eq!(trace.count(|effect| *effect == Effect::Report(kept.refused)), 1, "the budgets hear of it");
    Ok(())
}

/// What holds of any attempt, whatever the rules are.
fn is_in_order(attempt: &Attempt, trace: &Trace) -> TestCaseResult {
    let penalised = attempt.rules.reuse_penalty && attempt.standing.unresolved && attempt.standing.has_refresh;
    prop_assert!(!penalised || trace.count(sends) == 0, "nothing is sent in doubt where it may cost the app");
    prop_assert!(trace.count(spills) + trace.count(records) <= 1, "one outcome at most");
    let (spilled, committed) = (trace.first(spills), trace.first(commits));
    if let Some(spilled) = spilled {
        prop_assert!(
            trace.effects[spilled..].iter().all(|(_, effect)| !sends(effect)),
            "a pair is no reason to ask again"
        );
        prop_assert!(committed.is_some_and(|committed| committed > spilled), "what is spilled is committed next");
    }
    prop_assert!(spilled.is_some() || committed.is_none());
    prop_assert!(trace.end != End::Refreshed || committed.is_some());
    for (began, effect) in &trace.effects {
        if let Effect::Send { deadline, .. } = effect {
            let ends = CLAIMED + Duration::from_millis(*began) + *deadline;
            prop_assert!(!deadline.is_zero() && ends <= attempt.send_until, "the attempt's time holds every request");
        }
    }
    let settled = trace.count(|effect| *effect == Effect::SettleSpill);
    let stays = spilled.is_some() && trace.end == End::Interrupted;
    prop_assert!(!stays || settled == 0, "the spill keeps what the database has not got");
    prop_assert!(spilled.is_none() || stays || settled == 1);
    let asked = trace.effects.iter().filter_map(|(_, effect)| match effect {
        Effect::Send { credential, client, .. } => Some((*credential, *client)),
        _ => None,
    });
    let mut asked: Vec<_> = asked.map(|(credential, client)| (credential == Credential::Previous, client)).collect();
    let all = asked.len();
    asked.sort_unstable();
    asked.dedup();
    prop_assert_eq!(asked.len(), all, "nothing is presented twice with one client");
    Ok(())
}

fn agreed(attempt: &Attempt, world: &World) -> TestCaseResult {
    let trace = drive(attempt, world);
    is_in_order(attempt, &trace)?;
    agrees(&trace, &tell(attempt, world))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn the_machine_does_what_the_model_tells(attempt in any_attempt(), world in any_world()) {
        agreed(&attempt, &world)?;
    }
}
