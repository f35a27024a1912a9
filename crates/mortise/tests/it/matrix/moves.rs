//! Rows 34, 35 and 43: the connection is replaced or ended while its refresh is out, and the worker is asked to stop.

use super::hands::soon;
use super::stage::{ALL, Made, Stage};
use crate::site::logged;
use crate::world::START;
use crate::world::api::app_id;
use crate::world::visitor::Visitor;
use mortise_sandbox::RecoveryClass::{F, G, S, U};
use mortise_sandbox::{GrantFilter, TokenId};
use mortise_testkit::faults::{Flow, Way, thaw};
use serde_json::json;

/// Nothing of a grant is good any more.
async fn gone_at_the_provider(stage: &Stage, made: &Made) {
    soon("the end of the grant", async || {
        let grants = stage.world.provider.sandbox.oracle(&GrantFilter::default(), 0).grants;
        let grant = grants.into_iter().find(|grant| grant.family == made.family).unwrap();
        grant.alive_refresh_tokens.is_empty() && grant.alive_access_tokens.is_empty()
    })
    .await;
}

#[tokio::test]
async fn row_34_withdrawn_and_connected_anew_while_a_refresh_is_out() {
    let classes = [G, U, S, F];
    let mut stage = Stage::serving(120, &classes).await;
    let made = stage.one_each(&classes).await;
    let mut worker = stage.stands_with_replies("worker", &made).await;
    let mut tokens = Vec::new();
    for made in &made {
        assert!(stage.world.provider.sandbox.end_grant(made.family).unwrap());
        let customer = stage.world.api.connection(&made.id).await["customer"].as_str().unwrap().to_owned();
        let session = stage.world.api.session(&customer, json!({ "connection": made.id })).await;
        Visitor::new().consent(&session.url, &app_id(made.class)).await;
        assert_eq!(stage.world.api.result_of(&session).await, made.id);
        let token = stage.story.fetch(&made.id).await.expect(200).json()["access_token"].as_str().unwrap().to_owned();
        stage.story.reconnected(made, stage.world.provider.sandbox.check(&token).family.unwrap());
        tokens.push(TokenId::of(&token));
    }
    thaw(&mut worker).await;
    for (made, token) in made.iter().zip(tokens) {
        stage.world.api.wait_for_event(&made.id, "late_reply", 1).await;
        gone_at_the_provider(&stage, made).await;
        let served = stage.story.fetch(&made.id).await.expect(200).json();
        assert_eq!(TokenId::of(served["access_token"].as_str().unwrap()), token, "the new grant was overwritten");
        stage.world.api.refresh(&made.id).await.expect(200);
        stage.story.served(&stage.world.provider, made).await;
    }
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.end().await;
}

#[tokio::test]
async fn row_35_deleted_while_a_refresh_is_out() {
    let mut stage = Stage::serving(120, &ALL).await;
    let made = stage.one_each(&ALL).await;
    let mut worker = stage.stands_with_replies("worker", &made).await;
    for made in &made {
        stage.world.api.delete(&format!("/connections/{}", made.id)).await.expect(204);
    }
    thaw(&mut worker).await;
    for made in &made {
        stage.world.api.wait_for_event(&made.id, "late_reply", 1).await;
        gone_at_the_provider(&stage, made).await;
    }
    let stored = "SELECT count(*) FROM connections WHERE access_token IS NOT NULL OR refresh_token IS NOT NULL \
                  OR state <> 'revoked'";
    assert_eq!(stage.gate.number(stored).await, 0, "something is stored of a connection that was deleted");
    assert_eq!(stage.asked(&made), 6);
    stage.site.drained("worker").await;
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.end().await;
}

#[tokio::test]
async fn row_43_asked_to_stop_with_two_hundred_in_flight() {
    let mut stage = Stage::serving(60, &[S, F]).await;
    let mut made = stage.import(S, 100).await;
    made.extend(stage.import(F, 100).await);
    let mut worker = stage.launch("worker").env("MORTISE_REFRESH_CONCURRENCY", "200").start();
    // Providers that have answered of late are sent that many at once.
    stage.make_due(&made).await;
    stage.wait_for_generation(&made, 2).await;
    stage.hold_replies();
    stage.make_due(&made).await;
    stage.wait_for_requests(&made, 400).await;
    worker.signal("TERM");
    logged(&mut worker, "stopping").await;
    assert_eq!(worker.exit_status(), None, "it left its refreshes behind:\n{}", worker.output());
    stage.wire.set(Way::Down, Flow::Pass);
    assert!(worker.ended(START).await.success(), "{}", worker.output());
    assert_eq!((stage.asked(&made), stage.site.spilled("worker").len(), stage.gate.taken().await), (400, 0, 0));
    assert_eq!(stage.gate.number("SELECT count(*) FROM connections WHERE generation = 3").await, 200);
    assert_eq!(stage.gate.number("SELECT count(*) FROM events WHERE kind = 'refreshed'").await, 400);
    assert_eq!(stage.gate.number("SELECT count(*) FROM events WHERE kind = 'refresh_ambiguous'").await, 0);
    stage.end().await;
}
