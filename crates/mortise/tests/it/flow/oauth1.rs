//! OAuth 1.0 (RFC 5849) at a provider that works out every signature anew.

use crate::world::api::{RETURN_URL, Session, app_id, manifest, text};
use crate::world::provider::CLIENT_ID;
use crate::world::visitor::{Visitor, title_of, to};
use crate::world::{CLIENT_SECRET, World};
use mortise_sandbox::RecoveryClass;
use mortise_testkit::{Backend, Http};
use serde_json::{Value, json};

pub const CLASS: RecoveryClass = RecoveryClass::N;

/// The sandbox's provider, described as one of OAuth 1.0.
pub async fn register(world: &World, secret: &str, changes: Value) {
    let mut connector = manifest(&world.provider, CLASS);
    let base = format!("{}/oauth1", world.provider.sandbox.issuer(CLASS));
    let mut auth = json!({
        "type": "oauth1",
        "request_token_url": format!("{base}/request_token"),
        "authorization_url": format!("{base}/authorize"),
        "token_url": format!("{base}/access_token"),
        "request_token_params": {"scope": "read write/all"},
        "token_response": {"extra": {"account": "/user_id"}},
    });
    auth.as_object_mut().unwrap().extend(changes.as_object().cloned().unwrap_or_default());
    connector["auth"] = auth;
    connector.as_object_mut().unwrap().remove("scopes");
    world.api.post("/connectors", &connector).await.expect(201);
    let app = json!({
        "id": app_id(CLASS), "connector": app_id(CLASS), "client_id": CLIENT_ID, "client_secret": secret,
        "settings": {"return_urls": [RETURN_URL]},
    });
    world.api.post("/apps", &app).await.expect(201);
    world.provider.sandbox.register_consumer(CLIENT_ID, CLIENT_SECRET);
}

/// From the link to the callback's address, which is not opened yet.
async fn up_to_the_callback(visitor: &mut Visitor, session: &Session, decision: &str) -> String {
    let authorize = to(&visitor.start(&session.url, &app_id(CLASS)).await.expect(303));
    let (form, query) = authorize.split_once('?').unwrap();
    let (_, token) = query.split_once("oauth_token=").unwrap();
    let token = token.split('&').next().unwrap();
    visitor.get(&authorize).await.expect(200);
    let fields = [("oauth_token", token), ("account", "robin"), ("decision", decision)];
    to(&visitor.submit(form, &fields).await.expect(303))
}

/// What whoever has the consumer secret does with a fetched token: a signature of its own making (section 3.4.4).
fn signed(token: &Value) -> String {
    let encode = |text: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect::<String>()
    };
    let (key, secret) = (text(&token["oauth1"], "consumer_key"), text(&token["oauth1"], "token_secret"));
    let signature = format!("{}&{}", encode(CLIENT_SECRET), encode(&secret));
    format!(
        "OAuth oauth_consumer_key=\"{}\", oauth_token=\"{}\", oauth_signature_method=\"PLAINTEXT\", oauth_signature=\"{}\"",
        encode(&key),
        encode(&text(token, "access_token")),
        encode(&signature),
    )
}

async fn a_life(backend: Backend, method: &str) {
    let world = World::serving(backend).await;
    register(&world, CLIENT_SECRET, json!({ "signature_method": method })).await;
    let session = world.api.session("acme", json!({ "apps": [app_id(CLASS)] })).await;
    let mut visitor = Visitor::new();
    let callback = up_to_the_callback(&mut visitor, &session, "allow").await;
    assert!(!callback.contains("state="), "{callback}");
    // Without the flow's cookie nothing happens, and the flow goes on.
    assert_eq!(Visitor::new().get(&callback).await.status, 403);
    assert_eq!(to(&visitor.get(&callback).await.expect(303)), "/connect/done");
    assert_eq!(visitor.get(&callback).await.status, 403, "the flow's cookie is taken back with its end");
    let connection = world.api.result_of(&session).await;
    let token = world.api.token(&connection).await;
    assert_eq!(token["token_type"], "oauth1");
    assert_eq!(token["extra"], json!({"account": "robin"}));
    assert_eq!((&token["expires_at"], &token["refresh_after"]), (&Value::Null, &Value::Null));
    assert_eq!(token["oauth1"]["signature_method"], method);
    assert!(!token.to_string().contains(CLIENT_SECRET), "the consumer secret is handed out");
    // Whoever has the consumer secret from elsewhere can call the API.
    let url = format!("{}/oauth1/account", world.provider.sandbox.issuer(CLASS));
    let request = Http::new().request(reqwest::Method::GET, &url).header("authorization", signed(&token));
    assert_eq!(Http::new().send(request).await.expect(200).json()["sub"], "robin");
    assert_eq!(world.api.refresh(&connection).await.status, 422, "there is nothing to renew");
    world.api.delete(&format!("/connections/{connection}")).await.expect(204);
    world.end().await;
}

#[tokio::test]
async fn a_customer_connects_with_hmac_sha1() {
    a_life(Backend::Sqlite, "HMAC-SHA1").await;
}

#[tokio::test]
async fn a_customer_connects_with_hmac_sha256_on_mariadb() {
    a_life(Backend::MariaDb, "HMAC-SHA256").await;
}

#[tokio::test]
async fn no_and_a_wrong_secret_are_told_apart() {
    let world = World::serving(Backend::Sqlite).await;
    register(&world, CLIENT_SECRET, json!({})).await;
    let session = world.api.session("acme", json!({ "apps": [app_id(CLASS)] })).await;
    let mut visitor = Visitor::new();
    let callback = up_to_the_callback(&mut visitor, &session, "deny").await;
    let answer = visitor.get(&callback).await;
    assert_eq!((answer.status, title_of(&answer.body)), (403, "Nothing was connected"));
    world.provider.sandbox.register_consumer(CLIENT_ID, "another-secret-than-the-app-has");
    let answer = visitor.start(&session.url, &app_id(CLASS)).await;
    assert_eq!(answer.status, 502);
    assert!(answer.body.contains("does not recognise the app"), "{answer:?}");
    world.end().await;
}

/// A verifier, or a token, of another flow does not finish this one.
#[tokio::test]
async fn flows_do_not_mix() {
    let world = World::serving(Backend::Sqlite).await;
    register(&world, CLIENT_SECRET, json!({})).await;
    let mut visitor = Visitor::new();
    let mut callbacks = Vec::new();
    for customer in ["one", "two"] {
        let session = world.api.session(customer, json!({ "apps": [app_id(CLASS)] })).await;
        callbacks.push(up_to_the_callback(&mut visitor, &session, "allow").await);
    }
    let verifier = |callback: &str| callback.split_once("oauth_verifier=").unwrap().1.to_owned();
    let swapped = callbacks[0].replace(&verifier(&callbacks[0]), &verifier(&callbacks[1]));
    let answer = visitor.get(&swapped).await;
    assert_eq!(answer.status, 502, "{answer:?}");
    let missing = callbacks[1].split("&oauth_verifier").next().unwrap().to_owned();
    assert_eq!(visitor.get(&missing).await.status, 400);
    assert_eq!(visitor.get(&callbacks[1]).await.status, 410, "the flow was used up by the attempt before");
    world.end().await;
}

/// The finisher check holds the verifier, and the token is asked for only when the backend has confirmed.
#[tokio::test]
async fn the_backend_confirms_who_came_back() {
    let mut world = World::prepared(Backend::Sqlite, "prod").await;
    world.serve().await;
    register(&world, CLIENT_SECRET, json!({})).await;
    let more = json!({ "apps": [app_id(CLASS)], "return_url": RETURN_URL });
    let session = world.api.session("acme", more).await;
    let mut visitor = Visitor::new();
    let callback = up_to_the_callback(&mut visitor, &session, "allow").await;
    let back = to(&visitor.get(&callback).await.expect(303));
    let code = back.split_once("&code=").unwrap().1.to_owned();
    let body = json!({"code": code, "customer": "acme"});
    let completed = world.api.post(&format!("/connect-sessions/{}/complete", session.id), &body).await.expect(200);
    assert_eq!(world.api.token(&text(&completed.json(), "id")).await["token_type"], "oauth1");
    world.end().await;
}
