use super::*;
use crate::fixture::{Fixture, header};
use crate::testing::ScriptedTransport;
use serde_json::json;

const BACK: &str = "https://broker.example/oauth/callback/1";
const TOKEN: &str = "canary-initial-access-token";

fn fixture(more: serde_json::Value) -> Fixture {
    let mut changes = json!({
        "registration_url": "https://{subdomain}.acme.example/register",
        "client_authentication": "client_secret_basic", "default_scopes": ["offline"],
    });
    changes.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
    Fixture::new(changes)
}

fn client(scopes: &ScopeSet) -> NewClient<'_> {
    NewClient { name: "Acme sync", redirect_uri: BACK, scopes, initial_access_token: None }
}

async fn registered(fixture: &Fixture, status: u16, reply: serde_json::Value) -> Result<RegisteredClient, Failure> {
    let (scopes, transport, token) = (ScopeSet::default(), ScriptedTransport::new(), ClientSecret::new(TOKEN));
    transport.json(status, &reply);
    let client = NewClient { initial_access_token: Some(&token), ..client(&scopes) };
    let request = registration(&fixture.provider(), &client).expect("a request").expect("a way to register");
    let auth = fixture.provider().auth().expect("OAuth 2").clone();
    request_registration(&transport, request, &auth, BACK).await
}

#[test]
fn what_is_registered_is_what_the_manifest_speaks() {
    let scopes: ScopeSet = ["orders".to_owned()].into_iter().collect();
    let told = |more| {
        let fixture = fixture(more);
        let request = registration(&fixture.provider(), &client(&scopes)).expect("a request").expect("a way");
        assert_eq!(request.url.as_str(), "https://shop.acme.example/register");
        assert_eq!(header(&request, "content-type"), Some("application/json"));
        assert_eq!(header(&request, "authorization"), None);
        serde_json::from_slice::<serde_json::Value>(&request.body).expect("JSON")
    };
    let expected = json!({
        "client_name": "Acme sync", "redirect_uris": [BACK], "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"], "token_endpoint_auth_method": "client_secret_basic", "scope": "offline orders",
    });
    assert_eq!(told(json!({})), expected);
    assert_eq!(told(json!({"client_authentication": "none"}))["token_endpoint_auth_method"], "none");
    let robot = told(json!({"grant": "client_credentials", "authorization_url": null}));
    assert_eq!((&robot["grant_types"], &robot["response_types"]), (&json!(["client_credentials"]), &json!([])));
    assert_eq!(robot.get("redirect_uris"), None);
}

#[test]
fn some_clients_cannot_register_by_themselves() {
    let scopes = ScopeSet::default();
    let ways = ["client_secret_as_user", "private_key_jwt", "tls_client_auth"];
    for way in ways {
        let fixture = fixture(json!({"client_authentication": way}));
        let refused = registration(&fixture.provider(), &client(&scopes));
        assert!(matches!(refused, Err(ProtocolError::NotRegistrable)), "{way}");
    }
    let none = Fixture::new(json!({}));
    assert!(registration(&none.provider(), &client(&scopes)).expect("fine").is_none(), "there is nowhere to register");
}

#[tokio::test]
async fn a_client_is_read_out_of_the_reply() {
    let fixture = fixture(json!({}));
    let reply = json!({
        "client_id": "c-1", "client_secret": "s-1", "client_secret_expires_at": 0, "redirect_uris": [BACK],
        "token_endpoint_auth_method": "client_secret_basic", "registration_access_token": "canary-management",
        "registration_client_uri": "https://shop.acme.example/register/c-1",
    });
    let client = registered(&fixture, 201, reply.clone()).await.expect("a client");
    assert_eq!((client.client_id.as_str(), client.secret_expires_at), ("c-1", None));
    assert_eq!(client.client_secret.as_ref().map(ClientSecret::expose), Some("s-1"));
    let mut ending = reply;
    ending["client_secret_expires_at"] = json!(1_800_000_000);
    let client = registered(&fixture, 200, ending).await.expect("a client");
    assert_eq!(client.secret_expires_at.map(|end| end.timestamp()), Some(1_800_000_000));
    let public = super::tests::fixture(json!({"client_authentication": "none"}));
    let client = registered(&public, 201, json!({"client_id": "c-2", "client_secret": "unasked"})).await;
    assert!(client.expect("a client").client_secret.is_none(), "a public client keeps no secret");
}

#[tokio::test]
async fn another_client_than_was_asked_for_is_not_believed() {
    let fixture = fixture(json!({}));
    for reply in [
        json!({}),
        json!({"client_id": "", "client_secret": "s"}),
        json!({"client_id": "c\n1", "client_secret": "s"}),
        json!({"client_id": 7, "client_secret": "s"}),
        json!({"client_id": "c", "client_secret": null}),
        json!({"client_id": "c"}),
        json!({"client_id": "c".repeat(513), "client_secret": "s"}),
        json!({"client_id": "c", "client_secret": "s", "token_endpoint_auth_method": "client_secret_post"}),
        json!({"client_id": "c", "client_secret": "s", "redirect_uris": ["https://evil.example/"]}),
    ] {
        let failure = registered(&fixture, 201, reply.clone()).await.expect_err(&reply.to_string());
        assert_eq!((failure.class, failure.status), (FailureClass::Unknown, Some(201)), "{reply}");
    }
}

#[tokio::test]
async fn a_refusal_is_told_without_what_was_sent() {
    let fixture = fixture(json!({}));
    let failure = registered(&fixture, 400, json!({"error": "invalid_redirect_uri"})).await.expect_err("refused");
    assert_eq!(failure.error.as_deref(), Some("invalid_redirect_uri"));
    let leak = registered(&fixture, 400, json!({"error": TOKEN})).await.expect_err("refused");
    assert!(!format!("{leak:?} {leak}").contains(TOKEN));
}
