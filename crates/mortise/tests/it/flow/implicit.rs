//! The implicit grant (RFC 6749 section 4.2): what stands behind the `#` comes through a page of ours alone.

use crate::world::api::{app_id, manifest};
use crate::world::visitor::{Visitor, title_of, to};
use crate::world::{CLIENT_SECRET, World};
use mortise_sandbox::RecoveryClass;
use mortise_testkit::Backend;
use serde_json::{Value, json};

pub const CLASS: RecoveryClass = RecoveryClass::M;

/// The sandbox's provider, described as one that gives tokens in the fragment.
pub async fn register(world: &World) {
    let mut connector = manifest(&world.provider, CLASS);
    let auth = connector["auth"].as_object_mut().unwrap();
    auth["grant"] = json!("implicit");
    for member in
        ["token_url", "recovery_class", "token_response", "issuer", "authorization_response_iss_parameter_supported"]
    {
        auth.remove(member);
    }
    world.api.post("/connectors", &connector).await.expect(201);
    world.api.post("/apps", &crate::world::api::app(CLASS, CLIENT_SECRET)).await.expect(201);
}

/// From the link to the callback's address without its fragment, and the fragment.
async fn up_to_the_callback(
    world: &World,
    visitor: &mut Visitor,
    customer: &str,
    decision: &str,
) -> (String, String, String) {
    let session = world.api.session(customer, json!({ "apps": [app_id(CLASS)] })).await;
    let callback = visitor.up_to_the_callback(&session.url, &app_id(CLASS), decision).await;
    let (address, fragment) = callback.split_once('#').unwrap();
    (address.to_owned(), fragment.to_owned(), session.id)
}

#[tokio::test]
async fn a_token_comes_with_the_callback_once() {
    let world = World::serving(Backend::Sqlite).await;
    register(&world).await;
    let mut visitor = Visitor::new();
    let (address, fragment, session) = up_to_the_callback(&world, &mut visitor, "acme", "allow").await;
    let page = visitor.get(&address).await.expect(200);
    assert!(page.body.contains("data-handover") && page.body.contains("<noscript>"), "{page:?}");
    let policy = page.header("content-security-policy").to_owned();
    assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
    // Another browser has the fragment and not the cookie.
    assert_eq!(Visitor::new().submit(&address, &[("fragment", &fragment)]).await.status, 403);
    let done = visitor.submit(&address, &[("fragment", &fragment)]).await.expect(303);
    assert_eq!(to(&done), "/connect/done");
    let again = visitor.submit(&address, &[("fragment", &fragment)]).await;
    assert_eq!(again.status, 403, "the flow's cookie is taken back with its end");
    let view = world.api.get(&format!("/connect-sessions/{session}")).await.expect(200).json();
    let connection = view["connection"].as_str().unwrap().to_owned();
    let token = world.api.token(&connection).await;
    assert!(world.provider.alive(token["access_token"].as_str().unwrap()));
    assert_eq!((&token["refresh_after"], token["expires_in"].as_i64().is_some()), (&Value::Null, true));
    assert_eq!(world.provider.token_requests(CLASS).len(), 0);
    world.api.delete(&format!("/connections/{connection}")).await.expect(204);
    world.provider.wait_for_the_end_of(token["access_token"].as_str().unwrap()).await;
    world.end().await;
}

#[tokio::test]
async fn a_token_that_comes_another_way_is_not_taken() {
    let world = World::serving(Backend::Sqlite).await;
    register(&world).await;
    world.api.register(&world.provider, RecoveryClass::F).await;
    let mut visitor = Visitor::new();
    // In the query.
    let (address, fragment, _) = up_to_the_callback(&world, &mut visitor, "one", "allow").await;
    let answer = visitor.get(&format!("{address}?{fragment}")).await;
    assert_eq!((answer.status, title_of(&answer.body)), (400, "The answer could not be read"));
    // A wrong state.
    let (address, fragment, _) = up_to_the_callback(&world, &mut visitor, "two", "allow").await;
    let wrong = fragment.replace("state=", "state=x");
    assert_eq!(visitor.submit(&address, &[("fragment", &wrong)]).await.status, 410);
    // A token for a flow that waits for a code.
    let session = world.api.session("three", json!({ "apps": [app_id(RecoveryClass::F)] })).await;
    let callback = visitor.up_to_the_callback(&session.url, &app_id(RecoveryClass::F), "allow").await;
    let (of_codes, query) = callback.split_once('?').unwrap();
    let state = query.split('&').find(|part| part.starts_with("state=")).unwrap();
    let issuer = query.split('&').find(|part| part.starts_with("iss=")).unwrap();
    let foreign = format!("access_token=stolen&token_type=bearer&{state}&{issuer}");
    assert_eq!(visitor.submit(of_codes, &[("fragment", &foreign)]).await.status, 400);
    assert_eq!(world.api.get("/connections").await.expect(200).json()["items"], json!([]));
    world.end().await;
}

#[tokio::test]
async fn no_is_told() {
    let world = World::serving(Backend::Sqlite).await;
    register(&world).await;
    let mut visitor = Visitor::new();
    let (address, fragment, _) = up_to_the_callback(&world, &mut visitor, "acme", "deny").await;
    let answer = visitor.submit(&address, &[("fragment", &fragment)]).await;
    assert_eq!((answer.status, title_of(&answer.body)), (403, "Nothing was connected"));
    world.end().await;
}
