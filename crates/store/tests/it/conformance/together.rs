//! Pairs that are stored at the same time: what becomes of one is no business of another.

use crate::conformance::ground::{Ground, Kind};
use crate::world::{event, id, result};
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use mortise_domain::*;
use mortise_store::*;
use std::collections::HashSet;
use std::time::Duration;

async fn each_is_judged_by_itself(kind: Kind) {
    let ground = Ground::new(kind).await;
    ground.many_due(12).await;
    let mut pairs: Vec<RefreshResult> = ground.claim(12).await.iter().map(result).collect();
    pairs[1].parent_generation = 7;
    pairs[2].family = 7;
    pairs[3].id = id!(ConnectionId);
    // The very same attempt once more, as from a replay, with whom it may share a transaction.
    pairs.push(pairs[4].clone());
    let commits = pairs.iter().map(|pair| ground.ledger.refresh_commit(pair, event(EventKind::Refreshed)));
    let mut outcomes: Vec<_> = join_all(commits).await.into_iter().map(Result::unwrap).collect();
    let (first, again) = (outcomes[4], outcomes.remove(12));
    assert_eq!(
        HashSet::from([format!("{first:?}"), format!("{again:?}")]),
        HashSet::from(["Committed".into(), "AlreadyCommitted".into()])
    );
    outcomes[4] = CommitOutcome::Committed;
    let mut expected = vec![CommitOutcome::Committed; 12];
    expected[1] = CommitOutcome::GenerationMoved;
    expected[2] = CommitOutcome::FamilyMoved;
    expected[3] = CommitOutcome::Gone;
    assert_eq!(outcomes, expected);
    for (pair, outcome) in pairs.iter().zip(expected).filter(|(_, outcome)| *outcome == CommitOutcome::Committed) {
        let stored = ground.read(pair.id).await;
        assert_eq!((stored.generation, stored.access.as_ref()), (2, Some(&pair.access)), "{outcome:?}");
    }
}

/// A line whose id is taken cannot be written, so the transaction that it is in fails.
async fn one_that_cannot_be_stored_takes_nobody_with_it(kind: Kind) {
    let ground = Ground::new(kind).await;
    ground.many_due(12).await;
    let pairs: Vec<RefreshResult> = ground.claim(12).await.iter().map(result).collect();
    let taken = event(EventKind::Refreshed);
    ground.ledger.refresh_commit(&pairs[0], taken.clone()).await.unwrap();
    let ledger = &ground.ledger;
    let commits = pairs[1..].iter().enumerate().map(|(n, pair)| {
        // The next pair of the first connection, with the line of the one before: the key of the table.
        let bad = RefreshResult { parent_generation: 2, attempt: id!(AttemptId), ..pairs[0].clone() };
        let (pair, line) = if n == 5 { (bad, taken.clone()) } else { (pair.clone(), event(EventKind::Refreshed)) };
        async move { ledger.refresh_commit(&pair, line).await }
    });
    let outcomes = join_all(commits).await;
    for (n, outcome) in outcomes.into_iter().enumerate() {
        match n {
            5 => assert!(outcome.is_err(), "{outcome:?}"),
            _ => assert_eq!(outcome.unwrap(), CommitOutcome::Committed, "pair {n}"),
        }
    }
    assert_eq!(ground.read(pairs[0].id).await.generation, 2, "nothing of it is stored");
}

/// Somebody who hangs up in the middle of it may have had others' pairs in his hands.
async fn whoever_goes_away_takes_nobody_with_him(kind: Kind) {
    let ground = Ground::new(kind).await;
    for round in 0..20 {
        ground.many_due(6).await;
        let pairs: Vec<RefreshResult> = ground.claim(6).await.iter().map(result).collect();
        let commit = |pair| Box::pin(ground.ledger.refresh_commit(pair, event(EventKind::Refreshed)));
        let mut first = commit(&pairs[0]);
        let mut others: Vec<_> = pairs[1..].iter().map(commit).collect();
        // All of them stand in line, and the first is on his way, before he goes: each time a little later.
        let mut done: Vec<_> = others.iter_mut().map(|other| other.now_or_never()).collect();
        let gone = tokio::time::timeout(Duration::from_micros(250 * round), &mut first).await;
        drop((gone, first));
        for (other, done) in others.into_iter().zip(&mut done) {
            let outcome = match done.take() {
                Some(outcome) => outcome,
                None => other.await,
            };
            assert_eq!(outcome.unwrap(), CommitOutcome::Committed, "round {round}");
        }
        for pair in &pairs[1..] {
            assert_eq!(ground.read(pair.id).await.generation, 2);
        }
    }
}

on_every_ledger! {
    each_is_judged_by_itself,
    one_that_cannot_be_stored_takes_nobody_with_it,
    whoever_goes_away_takes_nobody_with_him,
}
