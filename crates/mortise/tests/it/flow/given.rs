//! Connections that are made with what a customer gives instead of a consent: a password, a key that signs, a SAML
//! assertion, another provider's token. The sandbox checks each as a provider does.

use crate::world::World;
use crate::world::api::{RETURN_URL, app, app_id, assert_problem, manifest, text};
use crate::world::provider::CLIENT_ID;
use crate::world::visitor::{Visitor, title_of, to};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use mortise_sandbox::{ClassSettingsPatch, RecoveryClass};
use mortise_testkit::{Answer, Backend, Http};
use serde_json::{Value, json};

const CLASS: RecoveryClass = RecoveryClass::S;
const JWT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const SAML: &str = "urn:ietf:params:oauth:grant-type:saml2-bearer";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// Registers connector and app of a grant; `auth` is laid over what the grants have in common.
async fn register(world: &World, grant: &str, auth: Value) {
    world.api.post("/connectors", &described(world, grant, auth)).await.expect(201);
    world.api.post("/apps", &app(CLASS, crate::world::CLIENT_SECRET)).await.expect(201);
    world.api.put_customer("acme").await;
}

fn described(world: &World, grant: &str, more: Value) -> Value {
    let mut manifest = manifest(&world.provider, CLASS);
    let auth = manifest["auth"].as_object_mut().unwrap();
    for member in ["authorization_url", "issuer", "authorization_response_iss_parameter_supported"] {
        auth.remove(member);
    }
    auth.insert("grant".to_owned(), json!(grant));
    auth.extend(more.as_object().cloned().unwrap());
    manifest
}

async fn import(world: &World, credentials: Value) -> Answer {
    let body = json!({"customer": "acme", "app": app_id(CLASS), "credentials": credentials});
    world.api.post("/connections", &body).await
}

/// Brings the sandbox into a state.
async fn control(world: &World, path: &str, body: Value) -> Value {
    let url = format!("http://{}/control/{path}", world.provider.sandbox.addr());
    Http::new().post(&url, &body).await.expect(200).json()
}

/// Whose access token the connection hands out.
async fn subject(world: &World, connection: &str) -> Value {
    let token = world.api.access_token(connection).await;
    world.provider.userinfo(CLASS, &token).await["sub"].clone()
}

fn no_refresh_tokens(world: &World) {
    let patch = ClassSettingsPatch { issue_refresh_token: Some(false), ..ClassSettingsPatch::default() };
    world.provider.sandbox.configure(CLASS, patch).unwrap();
}

/// A key on P-256: the private half in PEM, the public half as the sandbox takes it.
fn key() -> (String, Value) {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let point = pair.public_key().as_ref();
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let jwk = json!({"kty": "EC", "crv": "P-256", "x": part(&point[1..33]), "y": part(&point[33..])});
    let body = STANDARD.encode(pair.to_pkcs8v1().unwrap().as_ref());
    let (front, back) = body.split_at(64);
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{front}\n{back}\n-----END PRIVATE KEY-----\n");
    (pem, json!({"algorithm": "ES256", "key": jwk.to_string()}))
}

#[tokio::test]
async fn a_password_is_kept_only_until_a_refresh_token_comes() {
    let mut world = World::serving(Backend::Sqlite).await;
    world.provider.lifetime(CLASS, 16);
    register(&world, "password", json!({})).await;
    control(&world, "users", json!({"username": "ada", "password": "canary-right"})).await;
    let wrong = import(&world, json!({"username": "ada", "password": "canary-wrong"})).await;
    assert_problem(&wrong, 422, "invalid_request");
    assert!(!wrong.body.contains("canary"), "{wrong:?}");
    let missing = import(&world, json!({"username": "ada"})).await;
    assert_eq!(missing.json()["errors"][0]["pointer"], "/credentials/password", "{missing:?}");
    assert_eq!(world.api.get("/connections").await.json()["items"], json!([]), "nothing of that was stored");

    let view = import(&world, json!({"username": "ada", "password": "canary-right"})).await.expect(201).json();
    let connection = text(&view, "id");
    assert_eq!((&view["state"], &view["state_reason"]), (&json!("active"), &json!("imported")));
    assert_eq!(subject(&world, &connection).await, "ada");
    // The password is not needed any more, so its change ends nothing.
    control(&world, "users", json!({"username": "ada", "password": "canary-other"})).await;
    let asked = world.provider.count(CLASS, "password");
    world.work();
    world.api.wait_for_event(&connection, "refreshed", 2).await;
    world.stop_worker().await;
    assert!(world.provider.count(CLASS, "refresh_token") >= 2);
    assert_eq!(world.provider.count(CLASS, "password"), asked);
    world.end().await;
}

#[tokio::test]
async fn where_no_refresh_token_comes_the_password_asks_again() {
    let world = World::serving(Backend::Postgres).await;
    no_refresh_tokens(&world);
    register(&world, "password", json!({"refresh_errors": {"permanent": ["invalid_grant"]}})).await;
    control(&world, "users", json!({"username": "ada", "password": "canary-right"})).await;
    // On the page this time.
    let session = world.api.session("acme", json!({ "apps": [app_id(CLASS)] })).await;
    let mut visitor = Visitor::new();
    let wrong = paste(&mut visitor, &session.url, &[("username", "ada"), ("password", "canary-wrong")]).await;
    assert!(wrong.status == 422 && wrong.body.contains("does not accept this"), "{wrong:?}");
    assert!(!wrong.body.contains("canary"), "what was typed is not shown again");
    let done =
        to(&paste(&mut visitor, &session.url, &[("username", "ada"), ("password", "canary-right")]).await.expect(303));
    let page = visitor.get(&format!("{}{done}", world.api.base())).await.expect(200).body;
    assert!(title_of(&page).contains("connected"), "{page}");
    let connection = world.api.result_of(&session).await;
    assert_eq!(subject(&world, &connection).await, "ada");

    let before = world.api.access_token(&connection).await;
    world.api.refresh(&connection).await.expect(200);
    assert_ne!(world.api.access_token(&connection).await, before);
    assert_eq!(world.provider.count(CLASS, "refresh_token"), 0);
    control(&world, "users", json!({"username": "ada"})).await;
    world.api.refresh(&connection).await;
    let view = world.api.wait_for_state(&connection, "needs_reauth").await;
    assert_eq!(view["state_reason"], "credentials_rejected");
    world.end().await;
}

#[tokio::test]
async fn a_service_account_signs_with_its_own_key() {
    let world = World::serving(Backend::Sqlite).await;
    let auth = json!({
        "client_authentication": "none",
        "token_request": {"omit": ["client_id"]},
        "credentials": {
            "client_email": {"type": "text", "title": "Service account"},
            "private_key": {"type": "document", "title": "Private key"},
        },
        "assertion": {
            "issuer": "{client_email}", "subject": "ada", "key": "private_key", "scope_claim": "scope", "key_id": "1",
        },
    });
    register(&world, "jwt_bearer", auth).await;
    let ((pem, public), (other, _)) = (key(), key());
    let client = json!({"issuer": "robot@acme.example", "key": public, "client_id": CLIENT_ID, "subjects": ["ada"]});
    control(&world, "issuers", client).await;
    let with = |key: &str| json!({"client_email": "robot@acme.example", "private_key": key});

    let none = import(&world, with("-----BEGIN NONSENSE-----")).await;
    assert_eq!(
        (none.status, &none.json()["errors"][0]["pointer"]),
        (422, &json!("/credentials/private_key")),
        "{none:?}"
    );
    assert_eq!(world.provider.count(CLASS, JWT), 0, "what is no key is sent nowhere");
    assert_problem(&import(&world, with(&other)).await, 422, "invalid_request");

    // Out of a JSON file, where lines end in `\n`.
    let view = import(&world, with(&pem.replace('\n', "\\n"))).await.expect(201).json();
    let connection = text(&view, "id");
    assert_eq!(subject(&world, &connection).await, "ada");
    let scopes = world.api.connection(&connection).await["granted_scopes"].clone();
    assert_eq!(scopes, json!(["contacts.read", "profile"]), "they stood in the claim");
    // Each assertion is another: the provider takes none twice.
    for round in 2..4 {
        world.api.refresh(&connection).await.expect(200);
        assert!(world.provider.alive(&world.api.access_token(&connection).await), "{round}");
    }
    world.end().await;
}

#[tokio::test]
async fn an_apps_own_key_speaks_for_a_user_and_is_never_sent() {
    let world = World::serving(Backend::MariaDb).await;
    let auth = json!({
        "client_authentication": "none",
        "token_request": {"omit": ["client_id"]},
        "assertion": {"issuer": "{client_id}", "subject": "{user}", "lifetime": 60},
    });
    let mut manifest = described(&world, "jwt_bearer", auth);
    manifest["variables"] = json!({"user": {"type": "text", "title": "User id"}});
    world.api.post("/connectors", &manifest).await.expect(201);
    let (pem, public) = key();
    let no_secret = json!({"id": app_id(CLASS), "connector": app_id(CLASS), "client_id": CLIENT_ID});
    let refused = world.api.post("/apps", &no_secret).await;
    assert_eq!((refused.status, &refused.json()["errors"][0]["pointer"]), (422, &json!("/client_secret")));
    let refused = world.api.post("/apps", &app(CLASS, "canary-no-key")).await;
    assert_eq!(
        (refused.status, &refused.json()["errors"][0]["pointer"]),
        (422, &json!("/client_secret")),
        "{refused:?}"
    );
    world.api.post("/apps", &app(CLASS, &pem)).await.expect(201);
    control(&world, "issuers", json!({"issuer": CLIENT_ID, "key": public, "client_id": CLIENT_ID})).await;
    world.api.put_customer("acme").await;
    let body = json!({"customer": "acme", "app": app_id(CLASS), "variables": {"user": "ada"}});
    let connection = text(&world.api.post("/connections", &body).await.expect(201).json(), "id");
    assert_eq!(subject(&world, &connection).await, "ada");
    world.api.refresh(&connection).await.expect(200);
    assert_eq!(world.provider.count(CLASS, JWT), 2);

    // No customer says for whom: neither on a page that is asked for, nor in the form of one that stands.
    world.api.put_customer("other").await;
    let wanted = json!({"customer": "other", "apps": [app_id(CLASS)]});
    let refused = world.api.post("/connect-sessions", &wanted).await;
    assert_eq!((refused.status, &refused.json()["errors"][0]["pointer"]), (422, &json!("/apps/0")));
    let body = json!({"customer": "other", "app": app_id(CLASS), "variables": {"user": "robin"}});
    let second = text(&world.api.post("/connections", &body).await.expect(201).json(), "id");
    let session = world.api.session("other", json!({ "apps": [app_id(CLASS)], "return_url": RETURN_URL })).await;
    let mut visitor = Visitor::new();
    let page = visitor.get(&session.url).await.expect(200).body;
    let csrf = mortise_testkit::visitor::value_of(&page, "csrf");
    let app = app_id(CLASS);
    let forged = [("csrf", csrf), ("app", app.as_str()), ("field.user", "ada")];
    assert_eq!(visitor.submit(&session.url, &forged).await.status, 422);
    let form = [("csrf", csrf), ("app", app.as_str())];
    assert!(to(&visitor.submit(&session.url, &form).await.expect(303)).starts_with(RETURN_URL));
    assert_eq!(world.api.result_of(&session).await, second);
    assert_eq!(subject(&world, &second).await, "robin");
    world.end().await;
}

#[tokio::test]
async fn a_saml_assertion_and_a_token_from_elsewhere_are_exchanged() {
    let world = World::serving(Backend::Sqlite).await;
    register(&world, "saml2_bearer", json!({})).await;
    let made = control(&world, "saml", json!({"class": CLASS, "subject": "ada"})).await;
    let forged = text(&made, "xml").replace("ada", "eve");
    assert_problem(&import(&world, json!({"assertion": forged})).await, 422, "invalid_request");
    let view = import(&world, json!({"assertion": text(&made, "xml")})).await.expect(201).json();
    let connection = text(&view, "id");
    assert_eq!(subject(&world, &connection).await, "ada");
    world.api.refresh(&connection).await.expect(200);
    assert_eq!((world.provider.count(CLASS, SAML), world.provider.count(CLASS, "refresh_token")), (2, 1));
    world.api.delete(&format!("/connections/{connection}")).await.expect(204);
    world.end().await;

    let world = World::serving(Backend::Sqlite).await;
    world.api.register(&world.provider, RecoveryClass::N).await;
    let elsewhere = world.api.connect("acme", RecoveryClass::N).await;
    let token = world.api.access_token(&elsewhere).await;
    let audience = json!({"token_exchange": {"audience": world.provider.sandbox.issuer(CLASS)}});
    register(&world, "token_exchange", audience).await;
    assert_problem(&import(&world, json!({"subject_token": "canary-unknown"})).await, 422, "invalid_request");
    let view = import(&world, json!({"subject_token": token})).await.expect(201).json();
    let connection = text(&view, "id");
    assert_eq!(subject(&world, &connection).await, "alex");
    world.api.refresh(&connection).await.expect(200);
    assert_eq!(world.provider.count(CLASS, EXCHANGE), 3, "the subject's token is asked with again");
    world.end().await;
}

/// Opens a link and sends what was pasted.
async fn paste(visitor: &mut Visitor, link: &str, pasted: &[(&str, &str)]) -> Answer {
    let page = visitor.get(link).await.expect(200).body;
    let app = app_id(CLASS);
    let names: Vec<_> = pasted.iter().map(|(name, value)| (format!("paste.{name}"), *value)).collect();
    let mut form = vec![("csrf", mortise_testkit::visitor::value_of(&page, "csrf")), ("app", app.as_str())];
    form.extend(names.iter().map(|(name, value)| (name.as_str(), *value)));
    visitor.submit(link, &form).await
}
