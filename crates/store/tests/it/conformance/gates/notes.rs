//! What is told to gates, and how they turn.

use super::{at_once, down, gate, provider, quiet, rate};
use crate::conformance::ground::{Ground, Kind};
use crate::world::id;
use futures_util::future::join_all;
use mortise_domain::gate::{GateId, Limits, Outcome, Turn};
use mortise_domain::*;

async fn a_limit_is_written_once_and_leaves_the_state_alone(kind: Kind) {
    let ground = Ground::new(kind).await;
    let (ledger, id) = (&*ground.ledger, provider(ground.app()));
    assert!(!ledger.gate_limit(id, Limits::default()).await.unwrap(), "nothing is limited anyway");
    assert_eq!(ledger.gates().await.unwrap(), []);
    assert!(ledger.gate_limit(id, rate(10, 60)).await.unwrap());
    assert!(!ledger.gate_limit(id, rate(10, 60)).await.unwrap());
    down(&ground, ground.app(), 2).await;
    assert!(ledger.gate_limit(id, at_once(4)).await.unwrap());
    let changed = gate(ledger, id).await.unwrap();
    assert_eq!((changed.limits, changed.breaker.failures), (at_once(4), 2));
}

async fn what_is_well_leaves_no_trace(kind: Kind) {
    let ground = Ground::new(kind).await;
    let (provider, app) = (provider(ground.app()), GateId::App(ground.app_key));
    for outcome in [Outcome::Answered, Outcome::NotSent] {
        assert_eq!(ground.ledger.gates_note(&[(provider, outcome), (app, outcome)]).await.unwrap(), []);
    }
    assert_eq!(ground.ledger.gates_note(&[]).await.unwrap(), []);
    assert_eq!(ground.ledger.gates().await.unwrap(), []);
}

async fn turns_are_told_to_one_of_many(kind: Kind) {
    let ground = Ground::new(kind).await;
    let other = ground.other_process().await;
    let id = provider(ground.app());
    let many = async |outcome| {
        let notes = (0..8_usize).map(|n| {
            let store = if n.is_multiple_of(2) { ground.ledger.clone() } else { other.clone() };
            async move { store.gates_note(&[(id, outcome)]).await.unwrap() }
        });
        join_all(notes).await.into_iter().flatten().collect::<Vec<_>>()
    };
    assert_eq!(many(Outcome::Down).await, [(id, Turn::Opened)]);
    let open = gate(&*ground.ledger, id).await.unwrap();
    assert!(open.breaker.is_open() && open.breaker.failures == 5, "{open:?}");
    assert_eq!(many(Outcome::Answered).await, [(id, Turn::Recovered)]);
    assert!(!gate(&*ground.ledger, id).await.unwrap().breaker.is_open());
}

async fn retry_after_is_kept_for_all(kind: Kind) {
    let ground = Ground::new(kind).await;
    let before = ground.ledger.database_now().await.unwrap();
    quiet(&ground, ground.app(), 600).await;
    let after = ground.ledger.database_now().await.unwrap();
    let until = gate(&*ground.ledger, provider(ground.app())).await.unwrap().closed_until.unwrap();
    let wish = chrono::Duration::seconds(600);
    assert!(until >= before + wish && until <= after + wish, "{until} is by the database's clock");
}

async fn a_wave_is_counted_over_processes(kind: Kind) {
    let ground = Ground::new(kind).await;
    let other = ground.other_process().await;
    let app = GateId::App(ground.app_key);
    let mut turns = Vec::new();
    for n in 0..5 {
        let store = if n % 2 == 0 { &ground.ledger } else { &other };
        turns.extend(store.gates_note(&[(app, Outcome::Rejected(id!(ConnectionId)))]).await.unwrap());
    }
    assert_eq!(turns, [(app, Turn::Wave)]);
    // One connection that is rejected over and over is none.
    let (one, mut turns) = (id!(ConnectionId), Vec::new());
    for _ in 0..9 {
        turns.extend(ground.ledger.gates_note(&[(app, Outcome::Rejected(one))]).await.unwrap());
    }
    assert_eq!(turns, []);
}

async fn turns_of_one_batch_come_in_the_order_of_their_keys(kind: Kind) {
    let ground = Ground::new(kind).await;
    let app = GateId::App(ground.app_key);
    let later = provider(ground.another_app("later").await);
    assert!(app.as_uuid() < later.as_uuid());
    let mut notes = vec![(later, Outcome::Down); 5];
    notes.extend((0..5).map(|_| (app, Outcome::Rejected(id!(ConnectionId)))));
    let turns = ground.ledger.gates_note(&notes).await.unwrap();
    assert_eq!(turns, [(app, Turn::Wave), (later, Turn::Opened)]);
}

on_every_ledger! {
    a_limit_is_written_once_and_leaves_the_state_alone,
    what_is_well_leaves_no_trace,
    turns_are_told_to_one_of_many,
    retry_after_is_kept_for_all,
    a_wave_is_counted_over_processes,
    turns_of_one_batch_come_in_the_order_of_their_keys,
}
