//! The three requests of a flow, and replies that are not believed.

use super::*;
use crate::testing::{ScriptedTransport, body_params};
use mortise_connectors::Values;
use mortise_domain::{AccessToken, ClientSecret};
use serde_json::json;

const SECRET: &str = "canary-consumer-secret";

fn manifest(changes: Value) -> Manifest {
    let mut auth = json!({
        "type": "oauth1",
        "request_token_url": "https://{subdomain}.acme.example/initiate",
        "authorization_url": "https://{subdomain}.acme.example/authorize?lang=en",
        "token_url": "https://{subdomain}.acme.example/token",
        "request_token_params": {"scope": "read write"},
        "authorization_params": {"name": "{subdomain}"},
        "token_response": {"extra": {"account": "/user_id"}},
    });
    auth.as_object_mut().expect("an object").extend(changes.as_object().cloned().unwrap_or_default());
    let variables = json!({"subdomain": {"type": "host_label", "title": "Subdomain"}});
    let manifest = json!({"id": "acme", "name": "Acme", "auth": auth, "variables": variables});
    serde_json::from_value(manifest).expect("a manifest")
}

fn once() -> Once {
    Once { timestamp: "137131200".to_owned(), nonce: "wIjqoxSZ".to_owned() }
}

/// What a test does with a provider and a client.
fn with<T>(changes: Value, then: impl FnOnce(&Provider<'_>, &ClientRegistration<'_>) -> T) -> T {
    let (manifest, secret) = (manifest(changes), ClientSecret::new(SECRET));
    let values = Values::from([("subdomain".to_owned(), "shop".to_owned())]);
    let provider = Provider { manifest: &manifest, values: &values };
    let client = ClientRegistration {
        client_id: "key",
        secret: Some(&secret),
        redirect_uri: "https://broker.example/oauth/callback/1",
        signer: None,
        dpop_key: None,
    };
    then(&provider, &client)
}

fn header(request: &Outbound) -> String {
    let found = request.headers.iter().find(|header| header.name == "authorization");
    found.expect("a header").value.to_string()
}

fn temporary() -> Oauth1Credentials {
    Oauth1Credentials { token: AccessToken::new("tmp"), secret: PastedSecret::new("tmp-secret") }
}

#[test]
fn temporary_credentials_are_asked_for_with_the_callback_signed() {
    let request =
        with(json!({}), |provider, client| temporary_credentials(provider, client, &once())).expect("a request");
    assert_eq!(request.url.as_str(), "https://shop.acme.example/initiate");
    assert_eq!(body_params(&request).get("scope").map(String::as_str), Some("read write"));
    let header = header(&request);
    assert!(header.contains("oauth_callback=\"https%3A%2F%2Fbroker.example%2Foauth%2Fcallback%2F1\""), "{header}");
    assert!(
        header.contains("oauth_signature_method=\"HMAC-SHA1\"") && header.contains("oauth_nonce=\"wIjqoxSZ\""),
        "{header}"
    );
    assert!(!header.contains("oauth_token=") && !header.contains(SECRET), "{header}");
}

#[test]
fn the_browser_carries_the_temporary_token_and_nothing_secret() {
    let url = with(json!({}), |provider, _| oauth1_authorization_url(provider, "tmp/+")).expect("a URL");
    assert_eq!(url.as_str(), "https://shop.acme.example/authorize?lang=en&oauth_token=tmp%2F%2B&name=shop");
}

#[test]
fn the_token_is_asked_for_with_the_verifier() {
    let verifier = AuthorizationCode::new("hfdp7dh39dks9884");
    let request =
        with(json!({}), |provider, client| token_credentials(provider, client, &temporary(), &verifier, &once()));
    let request = request.expect("a request");
    let header = header(&request);
    assert!(
        header.contains("oauth_token=\"tmp\"") && header.contains("oauth_verifier=\"hfdp7dh39dks9884\""),
        "{header}"
    );
    assert!(!header.contains("tmp-secret") && request.body.is_empty() && request.fresh_connection, "{header}");
}

#[test]
fn plaintext_never_leaves_in_the_clear_and_a_client_needs_its_secret() {
    let plain = json!({"signature_method": "PLAINTEXT"});
    let request = with(plain, |provider, client| temporary_credentials(provider, client, &once())).expect("a request");
    assert!(header(&request).contains(&format!("oauth_signature=\"{SECRET}%26\"")));
    let clear = json!({"signature_method": "PLAINTEXT", "request_token_url": "http://127.0.0.1:9/initiate"});
    let refused = with(clear, |provider, client| temporary_credentials(provider, client, &once()).map(drop));
    assert!(matches!(refused, Err(ProtocolError::PlaintextInTheClear)));
    let bare = with(json!({}), |provider, client| {
        let bare = ClientRegistration { secret: None, ..*client };
        temporary_credentials(provider, &bare, &once()).map(drop)
    });
    assert!(matches!(bare, Err(ProtocolError::NoClientSecret)));
}

async fn first_reply(status: u16, body: &'static str) -> Result<Oauth1Credentials, Failure> {
    let transport = ScriptedTransport::new();
    transport.reply(Reply::new(status, Some("text/html"), body));
    let request =
        with(json!({}), |provider, client| temporary_credentials(provider, client, &once())).expect("a request");
    request_temporary_credentials(&transport, request).await
}

#[tokio::test]
async fn a_provider_has_to_confirm_the_callback() {
    let good =
        first_reply(200, "oauth_token=t&oauth_token_secret=s%2F&oauth_callback_confirmed=true").await.expect("some");
    assert_eq!((good.token.expose(), good.secret.expose()), ("t", "s/"));
    for body in [
        "oauth_token=t&oauth_token_secret=s",
        "oauth_token=t&oauth_token_secret=s&oauth_callback_confirmed=false",
        "oauth_token=&oauth_token_secret=s&oauth_callback_confirmed=true",
        "oauth_token=t&oauth_callback_confirmed=true",
        "oauth_token=t%0A&oauth_token_secret=s&oauth_callback_confirmed=true",
        "",
    ] {
        assert!(first_reply(200, body).await.is_err(), "{body}");
    }
    let refused = first_reply(401, "Failed to validate oauth signature and token").await.expect_err("a refusal");
    assert_eq!(refused.class, FailureClass::AppMisconfigured);
    let refused = first_reply(401, "oauth_problem=signature_invalid").await.expect_err("a refusal");
    assert_eq!((refused.class, refused.error.as_deref()), (FailureClass::AppMisconfigured, Some("signature_invalid")));
    let other = first_reply(400, "oauth_problem=parameter_absent").await.expect_err("a refusal");
    assert_eq!(other.class, FailureClass::Unknown);
}

#[tokio::test]
async fn the_token_comes_with_its_secret_and_the_fields_of_the_manifest() {
    let transport = ScriptedTransport::new();
    transport.reply(Reply::new(200, None, "oauth_token=nnch&oauth_token_secret=pfkk&user_id=7&screen_name=x"));
    let request = with(json!({}), |provider, client| {
        token_credentials(provider, client, &temporary(), &AuthorizationCode::new("v"), &once())
    });
    let grant =
        request_token_credentials(&transport, request.expect("a request"), &manifest(json!({}))).await.expect("one");
    assert_eq!((grant.access_token.expose(), grant.token_type.as_str()), ("nnch", "oauth1"));
    assert_eq!(grant.kept.get(OAUTH1_TOKEN_SECRET).map(PastedSecret::expose), Some("pfkk"));
    assert_eq!((grant.extra.get("account"), grant.extra.len(), grant.lifetime), (Some(&json!("7")), 1, None));
}

/// An empty secret is one, and stands in every text.
#[tokio::test]
async fn an_empty_secret_costs_no_field_and_a_field_that_repeats_a_secret_is_left_out() {
    let given = async |body: &'static str| {
        let transport = ScriptedTransport::new();
        transport.reply(Reply::new(200, None, body));
        let request = with(json!({}), |provider, client| {
            token_credentials(provider, client, &temporary(), &AuthorizationCode::new("v"), &once())
        });
        request_token_credentials(&transport, request.expect("a request"), &manifest(json!({}))).await.expect("one")
    };
    let grant = given("oauth_token=nnch&oauth_token_secret=&user_id=7").await;
    assert_eq!(grant.extra.get("account"), Some(&json!("7")));
    let grant = given("oauth_token=nnch&oauth_token_secret=pfkk&user_id=x-pfkk").await;
    assert_eq!(grant.extra.get("account"), None);
}
