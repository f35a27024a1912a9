//! The device flow (RFC 8628): a code is entered elsewhere, the worker asks, and the page only tells.

use crate::world::api::{RETURN_URL, Session, app_id, assert_problem, manifest, text};
use crate::world::visitor::{Visitor, title_of, to};
use crate::world::{CLIENT_SECRET, PATIENCE, World};
use mortise_sandbox::RecoveryClass;
use mortise_testkit::{Backend, wait};
use serde_json::{Value, json};

pub const CLASS: RecoveryClass = RecoveryClass::S;
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The sandbox's provider, described as one with a device flow.
pub async fn register(world: &World) {
    let mut connector = manifest(&world.provider, CLASS);
    let issuer = world.provider.sandbox.issuer(CLASS);
    let auth = connector["auth"].as_object_mut().unwrap();
    auth["grant"] = json!("device_code");
    auth.insert("device_authorization_url".into(), json!(format!("{issuer}/device_authorization")));
    for member in ["authorization_url", "issuer", "authorization_response_iss_parameter_supported"] {
        auth.remove(member);
    }
    world.api.post("/connectors", &connector).await.expect(201);
    world.api.post("/apps", &crate::world::api::app(CLASS, CLIENT_SECRET)).await.expect(201);
}

/// Somebody who has clicked; answers the page's address and the code on it.
async fn begun(world: &World, visitor: &mut Visitor, session: &Session) -> (String, String) {
    let page = to(&visitor.start(&session.url, &app_id(CLASS)).await.expect(303));
    let page = format!("{}{page}", world.api.base());
    let shown = visitor.get(&page).await.expect(200);
    assert!(title_of(&shown.body).starts_with("Enter this code"), "{shown:?}");
    assert!(!shown.body.contains("sbx_dc_"), "the page holds the device code");
    let (_, rest) = shown.body.split_once("id=\"user-code\">").unwrap();
    (page, rest.split('<').next().unwrap().to_owned())
}

/// What somebody answers at the provider, with another browser.
async fn decides(world: &World, user_code: &str, decision: &str) {
    let address = format!("{}/device", world.provider.sandbox.issuer(CLASS));
    let fields = [("user_code", user_code), ("account", "robin"), ("decision", decision)];
    Visitor::new().submit(&address, &fields).await.expect(200);
}

/// Looks at the page until it is another than that of the code.
async fn outcome(visitor: &mut Visitor, page: &str) -> mortise_testkit::Answer {
    let mut last = None;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while tokio::time::Instant::now() < deadline {
        let answer = visitor.get(page).await;
        if answer.status != 200 {
            return answer;
        }
        last = Some(answer);
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    panic!("nothing comes of it: {last:?}");
}

async fn a_life(backend: Backend) {
    let mut world = World::running(backend).await;
    world.provider.lifetime(CLASS, 600);
    register(&world).await;
    let session = world.api.session("acme", json!({ "apps": [app_id(CLASS)] })).await;
    let mut visitor = Visitor::new();
    let (page, user_code) = begun(&world, &mut visitor, &session).await;
    // Another browser with the same link learns nothing.
    let other = Visitor::new().get(&page).await;
    assert_eq!((other.status, other.body.contains(&user_code)), (403, false));
    decides(&world, &user_code, "allow").await;
    let done = outcome(&mut visitor, &page).await.expect(303);
    assert_eq!(to(&done), "/connect/done");
    let connection = world.api.result_of(&session).await;
    let token = world.api.access_token(&connection).await;
    assert_eq!(world.provider.userinfo(CLASS, &token).await["sub"], "robin");
    world.api.refresh(&connection).await.expect(200);
    let newer = world.api.access_token(&connection).await;
    assert!(newer != token && world.provider.alive(&newer));
    world.api.delete(&format!("/connections/{connection}")).await.expect(204);
    world.provider.wait_for_the_end_of(&newer).await;
    world.stop_worker().await;
    world.end().await;
}

#[tokio::test]
async fn a_customer_connects_with_a_code() {
    a_life(Backend::Sqlite).await;
}

#[tokio::test]
async fn a_customer_connects_with_a_code_on_postgresql() {
    a_life(Backend::Postgres).await;
}

#[tokio::test]
async fn a_customer_connects_with_a_code_on_mariadb() {
    a_life(Backend::MariaDb).await;
}

#[tokio::test]
async fn no_is_told_and_the_link_works_again() {
    let world = World::running(Backend::Sqlite).await;
    register(&world).await;
    let session = world.api.session("acme", json!({ "apps": [app_id(CLASS)] })).await;
    let mut visitor = Visitor::new();
    let (page, user_code) = begun(&world, &mut visitor, &session).await;
    decides(&world, &user_code, "deny").await;
    let answer = outcome(&mut visitor, &page).await;
    assert_eq!((answer.status, title_of(&answer.body)), (403, "Nothing was connected"));
    assert!(answer.body.contains("Try again"));
    let asked = world.provider.count(CLASS, GRANT_TYPE);
    let (page, user_code) = begun(&world, &mut visitor, &session).await;
    decides(&world, &user_code, "allow").await;
    outcome(&mut visitor, &page).await.expect(303);
    world.api.result_of(&session).await;
    assert!(world.provider.count(CLASS, GRANT_TYPE) > asked);
    world.end().await;
}

#[tokio::test]
async fn an_ended_code_is_asked_about_no_more() {
    let world = World::running(Backend::Sqlite).await;
    world.provider.sandbox.pace_devices(3, 1);
    register(&world).await;
    let session = world.api.session("acme", json!({ "apps": [app_id(CLASS)] })).await;
    let mut visitor = Visitor::new();
    let (page, _) = begun(&world, &mut visitor, &session).await;
    let answer = outcome(&mut visitor, &page).await;
    assert_eq!((answer.status, title_of(&answer.body)), (410, "This step is over"));
    let ended = wait::until(PATIENCE, async || {
        let before = world.provider.count(CLASS, GRANT_TYPE);
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        Ok((world.provider.count(CLASS, GRANT_TYPE) == before).then_some(()))
    });
    ended.await.unwrap();
    assert_eq!(world.provider.grants(CLASS).len(), 0);
    world.end().await;
}

/// The times of the questions, by the sandbox's clock (RFC 8628 section 3.5).
#[tokio::test]
async fn the_interval_is_kept_and_slow_down_makes_it_longer() {
    let world = World::running(Backend::Sqlite).await;
    world.provider.sandbox.pace_devices(600, 2);
    register(&world).await;
    world.provider.script(CLASS, GRANT_TYPE, 1, json!({"error": "slow_down"}));
    let session = world.api.session("acme", json!({ "apps": [app_id(CLASS)] })).await;
    let mut visitor = Visitor::new();
    let (page, user_code) = begun(&world, &mut visitor, &session).await;
    world.provider.wait_for(CLASS, GRANT_TYPE, 3).await;
    decides(&world, &user_code, "allow").await;
    outcome(&mut visitor, &page).await.expect(303);
    let at: Vec<u64> = world.provider.token_requests(CLASS).iter().map(|request| request.received_us / 1000).collect();
    let gaps: Vec<u64> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().all(|gap| *gap >= 7_000), "after `slow_down` it is asked every seven seconds: {gaps:?}");
    world.end().await;
}

#[tokio::test]
async fn a_restart_of_everything_costs_nothing() {
    let mut world = World::running(Backend::Sqlite).await;
    register(&world).await;
    let session = world.api.session("acme", json!({ "apps": [app_id(CLASS)] })).await;
    let mut visitor = Visitor::new();
    let (page, user_code) = begun(&world, &mut visitor, &session).await;
    world.provider.wait_for(CLASS, GRANT_TYPE, 1).await;
    world.stop_worker().await;
    let mut server = world.server.take().unwrap();
    server.sigterm(crate::world::START).await;
    decides(&world, &user_code, "allow").await;
    world.serve().await;
    world.work();
    outcome(&mut visitor, &page).await.expect(303);
    let connection = world.api.result_of(&session).await;
    assert!(world.provider.alive(&world.api.access_token(&connection).await));
    world.end().await;
}

/// Where the finisher check is on, the grant waits sealed for the backend.
#[tokio::test]
async fn a_grant_waits_for_the_backend_and_is_revoked_for_a_stranger() {
    let mut world = World::prepared(Backend::Sqlite, "prod").await;
    world.serve().await;
    world.work();
    register(&world).await;
    for (customer, finisher, status) in [("acme", "acme", 200), ("other", "acme", 403)] {
        let more = json!({ "apps": [app_id(CLASS)], "return_url": RETURN_URL });
        let session = world.api.session(customer, more).await;
        let mut visitor = Visitor::new();
        let (page, user_code) = begun(&world, &mut visitor, &session).await;
        decides(&world, &user_code, "allow").await;
        let back = to(&outcome(&mut visitor, &page).await.expect(303));
        let code = back.split_once("&code=").unwrap_or_else(|| panic!("{back}")).1.to_owned();
        assert!(back.starts_with(RETURN_URL) && back.contains("status=awaiting_completion"), "{back}");
        let view = world.api.get(&format!("/connect-sessions/{}", session.id)).await.expect(200).json();
        assert_eq!(view["status"], "awaiting_completion");
        let body = json!({"code": code, "customer": finisher});
        let completed = world.api.post(&format!("/connect-sessions/{}/complete", session.id), &body).await;
        if status == 200 {
            let connection = text(&completed.expect(200).json(), "id");
            assert!(world.provider.alive(&world.api.access_token(&connection).await));
        } else {
            assert_problem(&completed, status, "wrong_finisher");
            let grants = world.provider.grants(CLASS);
            let alive: Vec<_> = grants.iter().filter(|grant| !grant.alive_refresh_tokens.is_empty()).collect();
            assert_eq!(alive.len(), 1, "the stranger's grant outlives its refusal: {grants:?}");
        }
    }
    world.end().await;
}

#[tokio::test]
async fn a_manifest_that_says_too_little_or_too_much_is_refused() {
    let world = World::serving(Backend::Sqlite).await;
    let mut connector: Value = manifest(&world.provider, CLASS);
    connector["auth"]["grant"] = json!("device_code");
    let answer = world.api.post("/connectors", &connector).await;
    assert_problem(&answer, 422, "invalid_manifest");
    assert!(
        answer.body.contains("device_authorization_url") && answer.body.contains("authorization_url"),
        "{answer:?}"
    );
    world.end().await;
}
