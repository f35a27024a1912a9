//! Row 36: an admin switches connections off while their refreshes are out.

use super::hands::{LOOKS, looks, uuid_of};
use super::stage::{ALL, Made, Stage};
use crate::world::START;
use crate::world::api::{Api, app_id, assert_problem, text};
use mortise_sandbox::RecoveryClass::{F, G, M, N, S, U};
use serde_json::json;

/// Switches off by this scope; answers the hold's id.
async fn hold(api: &Api, scope: &str, id: &str) -> String {
    let body = json!({"scope": scope, "id": id, "reason": "something is wrong there"});
    let view = api.post("/holds", &body).await.expect(201).json();
    assert_eq!((&view["scope"], &view["target"], &view["lifted_at"]), (&json!(scope), &json!(id), &json!(null)));
    text(&view, "id")
}

/// No token is served of them, by any replica, and none is renewed.
async fn all_off(replicas: &[Api], made: &[Made]) {
    for api in replicas {
        for made in made {
            for answer in [api.get(&format!("/connections/{}/token", made.id)).await, api.refresh(&made.id).await] {
                assert_problem(&answer, 423, "held");
                assert_eq!(answer.json()["reason"], "held_by_admin", "{answer:?}");
            }
            let view = api.connection(&made.id).await;
            assert_eq!((&view["state"], &view["state_reason"]), (&json!("held"), &json!("held_by_admin")), "{view}");
        }
    }
}

#[tokio::test]
async fn row_36_the_hold_switch_while_a_refresh_is_in_flight() {
    let mut stage = Stage::serving(60, &ALL).await;
    let made = stage.one_each(&ALL).await;
    let (mut server, second) = stage.server("second").await;
    let replicas = [stage.world.api.clone(), second.clone()];
    let mut worker = stage.launch("worker").env("MORTISE_LOG", LOOKS).start();
    stage.hold_replies();
    stage.make_due(&made).await;
    stage.processed(&made).await;

    let customer = text(&second.connection(&made[2].id).await, "customer");
    let mut holds = vec![hold(&second, "customer", &customer).await];
    for class in [N, M, U] {
        holds.push(hold(&second, "app", &app_id(class)).await);
    }
    holds.push(hold(&second, "connection", &made[4].id).await);
    holds.push(hold(&second, "connector", &app_id(F)).await);
    assert_problem(
        &second.post("/holds", &json!({"scope": "app", "id": app_id(N), "reason": "again"})).await,
        409,
        "already_exists",
    );
    all_off(&replicas, &made).await;

    // What the provider said is kept, and nobody is given it.
    stage.wire.heal().await;
    stage.wait_for_generation(&made, 2).await;
    all_off(&replicas, &made).await;
    // Due or not, nothing is sent; and a grant that comes now is off from its first moment.
    stage.make_due(&made).await;
    let later = stage.import(F, 1).await;
    all_off(&replicas, &later).await;
    looks(&worker, 3).await;
    assert_eq!((stage.asked(&made), stage.asked(&later)), (6, 0), "something was sent for what is off");

    // One that two holds reach stays off when one of them is lifted.
    let twice = hold(&second, "connection", &later[0].id).await;
    for id in holds.iter().chain(holds.first()) {
        second.delete(&format!("/holds/{id}")).await.expect(204);
    }
    all_off(&replicas, &later).await;
    second.delete(&format!("/holds/{twice}")).await.expect(204);
    for made in made.iter().chain(&later) {
        let view = second.connection(&made.id).await;
        assert_eq!((&view["state"], &view["state_reason"]), (&json!("active"), &json!("hold_lifted")), "{view}");
        stage.story.served(&stage.world.provider, made).await;
        let events = second.events(&made.id).await;
        let told = |kind: &str| events.iter().filter(|event| *event == kind).count();
        assert_eq!((told("held"), told("released")), (1, 1), "{events:?}");
        // A token of an hour is renewed at some time of it, and not at once with all the others.
        let due = format!("SELECT next_refresh_at - state_since FROM connections WHERE id = '{}'", uuid_of(&made.id));
        assert!((1..3_600_000).contains(&stage.gate.number(&due).await));
    }
    let listed = second.get("/holds?limit=100").await.expect(200).json();
    let lifted = listed["items"].as_array().unwrap().iter().filter(|hold| !hold["lifted_at"].is_null()).count();
    assert_eq!(lifted, 7, "{listed}");
    let still: Vec<_> = made.iter().filter(|made| [G, S].contains(&made.class)).cloned().collect();
    stage.make_due(&still).await;
    stage.wait_for_generation(&still, 3).await;
    for process in [&mut worker, &mut server] {
        assert!(process.sigterm(START).await.success(), "{}", process.output());
    }
    stage.end().await;
}

/// Whoever makes a hold dies before the first connection is switched: another process goes on with it, and with its lift.
#[tokio::test]
async fn row_36_a_hold_that_was_interrupted_is_finished() {
    let mut stage = Stage::serving(60, &[F]).await;
    let made = stage.import(F, 1).await.remove(0);
    let id = hold(&stage.world.api, "connection", &made.id).await;
    let uuid = uuid_of(&made.id);
    let back = format!("UPDATE connections SET state = 'active', state_reason = 'imported' WHERE id = '{uuid}'");
    stage.run(&back).await;
    let mut worker = stage.worker("worker");
    stage.world.api.wait_for_state(&made.id, "held").await;
    stage.world.api.delete(&format!("/holds/{id}")).await.expect(204);
    stage
        .run(&format!("UPDATE connections SET state = 'held', state_reason = 'held_by_admin' WHERE id = '{uuid}'"))
        .await;
    stage.world.api.wait_for_state(&made.id, "active").await;
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.end_without_history().await;
}
