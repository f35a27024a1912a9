//! Rows 31 to 33: a row that does not open, a replica with the wrong keys, new keys in the middle of it all.

use super::hands::{soon, uuid_of};
use super::stage::{ALL, Stage};
use crate::world::START;
use crate::world::api::assert_problem;
use mortise_sandbox::RecoveryClass::{F, N};

#[tokio::test]
async fn row_31_a_poisoned_row_is_set_aside_and_the_queue_moves_on() {
    let mut stage = Stage::serving(60, &ALL).await;
    let (poisoned, sound) = (stage.one_each(&[N, F]).await, stage.one_each(&ALL).await);
    for (made, at) in poisoned.iter().zip(["length(refresh_token) - 1", "length(refresh_token) / 2"]) {
        let uuid = uuid_of(&made.id);
        let flip = format!("set_byte(refresh_token, {at}, 255 - get_byte(refresh_token, {at}))");
        stage.run(&format!("UPDATE connections SET refresh_token = {flip} WHERE id = '{uuid}'")).await;
    }
    // The poisoned ones first.
    stage.make_due(&poisoned).await;
    let mut worker = stage.worker("worker");
    for made in &poisoned {
        let view = stage.world.api.wait_for_state(&made.id, "quarantined").await;
        assert_eq!(view["state_reason"], "ciphertext_rejected", "{view}");
        assert_problem(&stage.story.fetch(&made.id).await, 423, "connection_quarantined");
        assert_eq!(stage.world.api.events(&made.id).await.last().map(String::as_str), Some("quarantined"));
    }
    stage.make_due(&sound).await;
    stage.wait_for_generation(&sound, 2).await;
    assert_eq!((stage.asked(&poisoned), stage.asked(&sound)), (0, 6), "a token that does not open was sent");
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.end().await;
}

#[tokio::test]
async fn row_32_one_replica_of_three_has_the_wrong_keys() {
    let mut stage = Stage::serving(60, &ALL).await;
    let made = stage.one_each(&ALL).await;
    stage.make_due(&made).await;
    let right = stage.world.folder.path().join("keys.json");
    let wrong = stage.world.folder.path().join("other.json");
    stage.world.set("MORTISE_KEY_FILE", wrong.to_str().unwrap());
    stage.world.command(&["keys", "init"]).await;
    // One of another installation; and one that calls its key by the right name.
    let read =
        |path: &std::path::Path| serde_json::from_slice::<serde_json::Value>(&std::fs::read(path).unwrap()).unwrap();
    let (mut forged, id) = (read(&wrong), read(&right)["primary"].clone());
    forged["primary"] = id.clone();
    forged["keys"][0]["id"] = id;
    for keys in [read(&wrong), forged] {
        std::fs::write(&wrong, keys.to_string()).unwrap();
        let mut worker = stage.worker("wrong");
        assert_eq!(worker.ended(START).await.code(), Some(1), "{}", worker.output());
        assert!(worker.stderr().contains("MORTISE_KEY_FILE"), "{}", worker.output());
    }
    assert_eq!(stage.asked(&made), 0);
    stage.world.set("MORTISE_KEY_FILE", right.to_str().unwrap());
    let mut workers = [stage.worker("first"), stage.worker("second")];
    stage.wait_for_generation(&made, 2).await;
    for made in &made {
        assert_eq!(stage.world.api.connection(&made.id).await["state"], "active");
        stage.story.served(&stage.world.provider, made).await;
    }
    for worker in &mut workers {
        assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    }
    stage.end().await;
}

#[tokio::test]
async fn row_33_new_keys_while_refreshes_are_in_flight() {
    let mut stage = Stage::serving(60, &ALL).await;
    let made = stage.one_each(&ALL).await;
    let mut worker = stage.worker("worker");
    for generation in 2..=3 {
        // Between the request and its reply, and then between the reply and its commit.
        if generation == 2 {
            stage.hold_replies();
            stage.make_due(&made).await;
            stage.processed(&made).await;
        } else {
            stage.gate.close().await;
            stage.make_due(&made).await;
            stage.gate.wait_for(6).await;
        }
        let printed = stage.world.command(&["keys", "rotate"]).await;
        assert!(printed.contains("data keys anew"), "{printed}");
        if generation == 2 {
            stage.wire.heal().await;
        } else {
            stage.gate.open().await;
        }
        stage.wait_for_generation(&made, generation).await;
        for made in &made {
            stage.story.served(&stage.world.provider, made).await;
        }
    }
    // What was stored meanwhile opens, as the generation that it was sealed for.
    stage.make_due(&made).await;
    stage.wait_for_generation(&made, 4).await;
    assert_eq!(stage.asked(&made), 18);
    soon("every key", async || stage.world.command(&["keys", "verify"]).await.contains("every key")).await;
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.end().await;
}
