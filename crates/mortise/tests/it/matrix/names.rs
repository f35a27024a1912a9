//! Row 44: the provider's name does not resolve, or leads where nothing may be called, or nobody listens there. Nothing was
//! sent, and that is known for certain.

use super::stage::Stage;
use crate::world::START;
use crate::world::api::{app, manifest};
use mortise_domain::{Clock as _, SystemClock};
use mortise_sandbox::RecoveryClass::F;
use serde_json::{Value, json};
use std::time::Duration;

/// An app at a provider of this base URL, and a connection whose tokens nobody will ever see there.
async fn nowhere(stage: &Stage, name: &str, base: &str) -> String {
    let mut manifest = manifest(&stage.world.provider, F);
    manifest["id"] = json!(name);
    for (member, path) in [("authorization_url", "authorize"), ("token_url", "token"), ("revocation_url", "revoke")] {
        manifest["auth"][member] = json!(format!("{base}/{path}"));
    }
    stage.world.api.post("/connectors", &manifest).await.expect(201);
    let mut app = app(F, "canary-secret-of-nowhere");
    app["id"] = json!(name);
    app["connector"] = json!(name);
    stage.world.api.post("/apps", &app).await.expect(201);
    stage.world.api.put_customer("somebody").await;
    let tokens = json!({
        "access_token": "canary-access-token-of-nowhere",
        "refresh_token": "canary-refresh-token-of-nowhere",
        "expires_at": SystemClock::new().now() + Duration::from_secs(3600),
    });
    let body = json!({"customer": "somebody", "app": name, "credentials": tokens});
    let view = stage.world.api.post("/connections", &body).await.expect(201).json();
    view["id"].as_str().unwrap().to_owned()
}

/// The timeline says that nothing was sent, and nothing else changed.
async fn unsent(stage: &Stage, id: &str) {
    stage.world.api.wait_for_event(id, "refresh_failed", 1).await;
    let lines = stage.story.timeline(id).await;
    let outcomes: Vec<&Value> =
        lines.iter().filter(|line| line["kind"] == "refresh_failed").map(|line| &line["detail"]["outcome"]).collect();
    assert!(outcomes.iter().all(|outcome| **outcome == "not_sent"), "{outcomes:?}");
    assert!(!lines.iter().any(|line| line["kind"] == "refresh_ambiguous"), "{lines:?}");
    let (view, lease) = (stage.world.api.connection(id).await, stage.gate.lease(id).await);
    assert_eq!((view["state"].as_str(), lease.until, lease.attempt), (Some("active"), None, false), "{view}");
    assert!(view["failures"].as_u64().is_some_and(|failures| failures >= 1), "{view}");
    let planned = view["next_refresh_at"].as_str().unwrap();
    assert!(planned > lines[0]["at"].as_str().unwrap(), "it is tried again later: {view}");
    stage.world.api.get(&format!("/connections/{id}/token")).await.expect(200);
}

#[tokio::test]
async fn row_44_the_providers_name_fails_or_turns_private() {
    let mut stage = Stage::serving(60, &[F]).await;
    let unresolved = nowhere(&stage, "unresolved", "https://provider.invalid").await;
    let private = nowhere(&stage, "private", &format!("https://localhost:{}", stage.wire.addr().port())).await;
    let refused = stage.import(F, 1).await;
    stage.wire.refuse().await;
    let ids = [unresolved.clone(), refused[0].id.clone()];
    stage.gate.make_due(ids.iter()).await;
    let mut worker = stage.worker("worker");
    for id in &ids {
        unsent(&stage, id).await;
    }
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());

    // Was open to this installation when the app was made, and no longer is.
    stage.wire.heal().await;
    let before = stage.wire.accepted();
    stage.gate.make_due([&private]).await;
    let mut worker = stage.launch("worker").env("MORTISE_EGRESS_ALLOW", "").start();
    unsent(&stage, &private).await;
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    assert_eq!(stage.wire.accepted(), before, "somebody connected to a private address");

    stage.make_due(&refused).await;
    let mut worker = stage.worker("worker");
    stage.wait_for_generation(&refused, 2).await;
    assert_eq!(stage.asked(&refused), 1);
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.run("UPDATE connections SET next_refresh_at = NULL").await;
    stage.end().await;
}
