//! A provider that tells how long its tokens live only when it is asked (RFC 7662).

use crate::world::{PATIENCE, World};
use mortise_sandbox::{ClassSettingsPatch, Endpoint, ExpiresIn, RecoveryClass, Script};
use mortise_testkit::{Backend, wait};
use serde_json::{Value, json};

const CLASS: RecoveryClass = RecoveryClass::U;

async fn silent_provider() -> World {
    let world = World::serving(Backend::Sqlite).await;
    let patch = ClassSettingsPatch {
        expires_in: Some(ExpiresIn::Omitted),
        access_token_lifetime: Some(3_000),
        ..ClassSettingsPatch::default()
    };
    world.provider.sandbox.configure(CLASS, patch).unwrap();
    let url = format!("{}/introspect", world.provider.sandbox.issuer(CLASS));
    let asks = |manifest: &mut Value| manifest["auth"]["introspection_url"] = json!(url);
    world.api.register_changed(&world.provider, CLASS, asks).await;
    world
}

/// What becomes of the next question about a token.
fn script(world: &World, action: Value) {
    let script = json!({"class": CLASS, "endpoint": "introspect", "times": 1, "action": action});
    world.provider.sandbox.script(serde_json::from_value::<Script>(script).unwrap()).unwrap();
}

async fn asked(world: &World, count: usize) {
    let questions = || {
        let requests = world.provider.sandbox.oracle(&Default::default(), usize::MAX).requests;
        requests.iter().filter(|request| request.endpoint == Endpoint::Introspect).count()
    };
    wait::until(PATIENCE, async || Ok((questions() >= count).then_some(()))).await.unwrap();
    assert_eq!(questions(), count, "once for each token");
}

#[tokio::test]
async fn the_provider_is_asked_when_a_token_ends_once_it_is_stored() {
    let world = silent_provider().await;
    let connection = world.api.connect("acme", CLASS).await;
    for asked_for in 1..=2 {
        world.api.wait_for_event(&connection, "lifetime_learned", asked_for).await;
        asked(&world, asked_for).await;
        let token = world.api.token(&connection).await;
        let (left, view) = (token["expires_in"].as_i64().unwrap(), world.api.connection(&connection).await);
        assert!((2_700..=3_000).contains(&left), "{token}");
        let (due, ends) = (view["next_refresh_at"].as_str().unwrap(), token["expires_at"].as_str().unwrap());
        assert!(due < ends, "it is renewed ahead of its end: {view}");
        if asked_for == 1 {
            world.api.refresh(&connection).await.expect(200);
        }
    }
    let story = world.api.events(&connection).await;
    let expected = ["connected", "lifetime_learned", "refresh_started", "refreshed", "lifetime_learned"];
    assert_eq!(story, expected, "persist before publish: the pair first");
    world.end().await;
}

/// A token of unknown end is as good as one of a known end, until somebody says that it is not.
#[tokio::test]
async fn a_provider_that_does_not_tell_costs_nothing() {
    let world = silent_provider().await;
    for (round, action) in [
        json!({"status": 500, "body": "no"}),
        json!({"status": 200, "body": "{\"active\":false}", "content_type": "application/json"}),
        json!({"status": 200, "body": "{\"active\":true}", "content_type": "application/json"}),
        json!({"drop": "before"}),
    ]
    .into_iter()
    .enumerate()
    {
        script(&world, action);
        let customer = format!("customer-{round}");
        let connection = world.api.connect(&customer, CLASS).await;
        asked(&world, round * 2 + 1).await;
        let token = world.api.token(&connection).await;
        assert!(token["expires_at"].is_null(), "{token}");
        assert_eq!(world.api.events(&connection).await, ["connected"]);
        world.api.refresh(&connection).await.expect(200);
        world.api.wait_for_event(&connection, "lifetime_learned", 1).await;
        assert!(world.api.token(&connection).await["expires_at"].is_string(), "the next one is asked about");
        asked(&world, round * 2 + 2).await;
    }
    world.end().await;
}
