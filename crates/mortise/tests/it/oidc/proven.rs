//! The same provider where a secret is not enough: signed assertions, pushed requests, certificates, and tokens that are bound
//! to a key. The whole life of a connection each time, and every refusal that the provider wrote down.

use crate::world::World;
use crate::world::api::text;
use crate::world::visitor::Visitor;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use mortise_domain::{Clock as _, SystemClock};
use mortise_testkit::{Answer, Backend, Http, OidcConfig, OidcProvider, oidc_manifest, wait, workspace_root};
use mortise_vault::sha256;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

const SECRET: &str = "canary-oidc-provider-secret-of-32-bytes";
/// RFC 7515 appendix A.3.1.
const PUBLIC: &str = r#"{"kty":"EC","crv":"P-256","kid":"k1","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
const KEY: &str = r#"{"kty":"EC","crv":"P-256","kid":"k1","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;

fn certificates() -> PathBuf {
    workspace_root().join("crates/oauth/tests/it/data")
}

/// The app's secret is known before the provider is, and the app's callback before the provider starts.
async fn introduced(
    world: &World,
    secret: &str,
    config: OidcConfig,
    change: impl Fn(&OidcProvider, &mut Value),
) -> OidcProvider {
    world.api.post("/connectors", &oidc_manifest("certified", "http://127.0.0.1:9")).await.expect(201);
    let app = json!({"id": "certified", "connector": "certified", "client_id": "mortise", "client_secret": "for now", "scopes": ["openid", "offline_access"]});
    let made = world.api.post("/apps", &app).await.expect(201).json();
    let provider = OidcProvider::start(OidcConfig { redirect_uris: vec![text(&made, "redirect_uri")], ..config }).await;
    let mut manifest = oidc_manifest("certified", provider.issuer());
    change(&provider, &mut manifest);
    world.api.put("/connectors/certified", &manifest).await.expect(200);
    let mut moved = app;
    moved.as_object_mut().unwrap().remove("id");
    moved["connector_version"] = json!(2);
    moved["client_secret"] = json!(secret);
    world.api.put("/apps/certified", &moved).await.expect(200);
    provider
}

async fn connect(world: &World) -> (String, String) {
    let session = world.api.session("acme", json!({ "apps": ["certified"] })).await;
    let mut visitor = Visitor::new();
    let authorize = visitor.start(&session.url, "certified").await.expect(303).header("location").to_owned();
    let callback = visitor.decide_at_oidc(&authorize, "someone").await;
    visitor.get(&callback).await.expect(303);
    (world.api.result_of(&session).await, authorize)
}

/// Renewed unattended, then once more on request.
async fn renewed(world: &World, connection: &str) {
    let twice = wait::until(Duration::from_secs(120), async || {
        let events = world.api.events(connection).await;
        Ok((events.iter().filter(|kind| *kind == "refreshed").count() >= 2).then_some(()))
    });
    twice.await.unwrap();
    world.api.refresh(connection).await.expect(200);
}

async fn ended(world: &World, connection: &str) {
    world.api.delete(&format!("/connections/{connection}")).await.expect(204);
    world.api.wait_for_event(connection, "revoked_upstream", 1).await;
}

/// What the provider refused, but for the challenges that belong to the protocol.
async fn refusals(provider: &OidcProvider) -> Vec<String> {
    let errors = provider.events().await.errors.into_iter();
    errors
        .filter(|error| error.error != "use_dpop_nonce")
        .map(|error| format!("{}: {}", error.error, error.detail))
        .collect()
}

/// A proof as a caller of the API makes it, with what the fetch handed out (RFC 9449 section 4).
fn proof(key: &Value, token: &str, url: &str, nonce: &str) -> String {
    let bytes = |member: &str| BASE64.decode(key[member].as_str().unwrap()).unwrap();
    let point = [vec![4], bytes("x"), bytes("y")].concat();
    let pair =
        EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_FIXED_SIGNING, &bytes("d"), &point).unwrap();
    let public = json!({"kty": "EC", "crv": "P-256", "x": key["x"], "y": key["y"]});
    let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": public});
    let now = SystemClock::new().now();
    let claims = json!({
        "jti": now.timestamp_nanos_opt().unwrap().to_string(), "htm": "GET", "htu": url, "iat": now.timestamp(), "nonce": nonce,
        "ath": BASE64.encode(sha256(token)),
    });
    let message = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
    let signature = pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
    format!("{message}.{}", BASE64.encode(signature.as_ref()))
}

async fn me(provider: &OidcProvider, token: &Value, scheme: &str, with_proof: bool) -> Answer {
    let (http, url) = (Http::new(), format!("{}/me", provider.issuer()));
    let access = token["access_token"].as_str().unwrap();
    let ask = async |nonce: &str| {
        let request = http.request(reqwest::Method::GET, &url).header("authorization", format!("{scheme} {access}"));
        let request =
            if with_proof { request.header("dpop", proof(&token["dpop_key"], access, &url, nonce)) } else { request };
        http.send(request).await
    };
    let first = ask("none").await;
    match first.header("dpop-nonce") {
        nonce if with_proof && first.status == 401 && !nonce.is_empty() => ask(nonce).await,
        _ => first,
    }
}

#[tokio::test]
async fn a_client_with_a_key_pushes_its_request_and_gets_tokens_that_only_its_connection_can_use() {
    let mut world = World::running(Backend::Sqlite).await;
    let config = OidcConfig {
        client_auth: "private_key_jwt",
        client_metadata: json!({
            "jwks": {"keys": [serde_json::from_str::<Value>(PUBLIC).unwrap()]}, "token_endpoint_auth_signing_alg": "ES256",
            "require_pushed_authorization_requests": true, "dpop_bound_access_tokens": true,
        }),
        dpop: true,
        access_token_lifetime: 20,
        ..OidcConfig::new("")
    };
    let provider = introduced(&world, KEY, config, |provider, manifest| {
        let auth = &mut manifest["auth"];
        auth["client_authentication"] = json!("private_key_jwt");
        auth["pushed_authorization_request_url"] = json!(format!("{}/request", provider.issuer()));
        auth["dpop"] = json!(true);
        auth["introspection_url"] = json!(format!("{}/token/introspection", provider.issuer()));
        auth["identity"] = json!({"url": format!("{}/me", provider.issuer()), "fields": {"account": "/sub"}});
    })
    .await;
    let (connection, authorize) = connect(&world).await;
    assert!(authorize.contains("request_uri=urn") && !authorize.contains("redirect_uri"), "{authorize}");
    let token = world.api.token(&connection).await;
    assert_eq!((&token["token_type"], &token["extra"]["account"]), (&json!("dpop"), &json!("someone")));
    assert_eq!(me(&provider, &token, "DPoP", true).await.expect(200).json()["sub"], "someone");
    // Without the key it is worth nothing.
    for scheme in ["DPoP", "Bearer"] {
        let refused = me(&provider, &token, scheme, false).await.status;
        assert!([400, 401].contains(&refused), "{scheme}: {refused}");
    }
    let before = refusals(&provider).await.len();
    renewed(&world, &connection).await;
    let newer = world.api.token(&connection).await;
    assert_ne!(newer["access_token"], token["access_token"]);
    assert_eq!((&newer["dpop_key"], &newer["extra"]["account"]), (&token["dpop_key"], &json!("someone")));
    assert_eq!(me(&provider, &newer, "DPoP", true).await.expect(200).json()["sub"], "someone");

    // A key that the provider does not know yet: the one before it goes on.
    let next = json!({
        "connector": "certified", "connector_version": 2, "client_id": "mortise", "scopes": ["openid", "offline_access"],
        "client_secret": token["dpop_key"].to_string(),
    });
    world.api.put("/apps/certified", &next).await.expect(200);
    wait::until(Duration::from_secs(30), async || {
        let answer = world.api.refresh(&connection).await;
        let unknown_key = refusals(&provider).await.iter().any(|refusal| refusal.starts_with("invalid_client"));
        Ok((answer.status == 200 && unknown_key).then_some(()))
    })
    .await
    .unwrap();
    let back = json!({
        "connector": "certified", "connector_version": 2, "client_id": "mortise", "scopes": ["openid", "offline_access"],
        "client_secret": KEY,
    });
    world.api.put("/apps/certified", &back).await.expect(200);
    world.stop_worker().await;
    ended(&world, &connection).await;
    let after: Vec<_> = refusals(&provider).await.split_off(before);
    assert!(after.iter().all(|refusal| refusal.starts_with("invalid_client")), "{after:?}");
    assert_eq!(provider.events().await.reuses, 0);
    world.end().await;
}

#[tokio::test]
async fn a_shared_secret_that_only_signs() {
    let world = World::running(Backend::Sqlite).await;
    let config = OidcConfig {
        client_auth: "client_secret_jwt",
        client_secret: SECRET.to_owned(),
        access_token_lifetime: 20,
        ..OidcConfig::new("")
    };
    let provider = introduced(&world, SECRET, config, |_, manifest| {
        manifest["auth"]["client_authentication"] = json!("client_secret_jwt");
    })
    .await;
    let (connection, _) = connect(&world).await;
    assert_eq!(
        me(&provider, &world.api.token(&connection).await, "Bearer", false).await.expect(200).json()["sub"],
        "someone"
    );
    renewed(&world, &connection).await;
    ended(&world, &connection).await;
    assert_eq!((refusals(&provider).await, provider.events().await.reuses), (Vec::new(), 0));
    world.end().await;
}

/// RFC 8705: the browser goes to the one address, and the broker with its certificate to the other.
async fn a_life_with_a_certificate(method: &'static str, metadata: Value) {
    let mut world = World::prepared(Backend::Sqlite, "dev").await;
    // The name may have an address of either family.
    world.set("MORTISE_EGRESS_ALLOW", "127.0.0.0/8,::1/128");
    world.set("MORTISE_EGRESS_CA_FILE", certificates().join("authority.crt").to_str().unwrap());
    world.serve().await;
    world.work();
    let config = OidcConfig {
        client_auth: method,
        client_metadata: metadata,
        tls_folder: Some(certificates()),
        access_token_lifetime: 20,
        ..OidcConfig::new("")
    };
    let identity = std::fs::read_to_string(certificates().join("client-a.pem")).unwrap();
    let provider = introduced(&world, &identity, config, |provider, manifest| {
        let auth = &mut manifest["auth"];
        auth["client_authentication"] = json!(method);
        auth["token_url"] = json!(format!("{}/token", provider.secure()));
        auth["revocation_url"] = json!(format!("{}/token/revocation", provider.secure()));
        auth["pushed_authorization_request_url"] = json!(format!("{}/request", provider.secure()));
    })
    .await;
    let (connection, _) = connect(&world).await;
    renewed(&world, &connection).await;
    ended(&world, &connection).await;
    assert_eq!((refusals(&provider).await, provider.events().await.reuses), (Vec::new(), 0));
    world.end().await;
}

#[tokio::test]
async fn a_certificate_that_an_authority_vouches_for() {
    a_life_with_a_certificate("tls_client_auth", json!({"tls_client_auth_san_dns": "client-a.example"})).await;
}

#[tokio::test]
async fn a_certificate_that_the_provider_knows() {
    let pem = std::fs::read_to_string(certificates().join("client-a.pem")).unwrap();
    let body = pem.split("-----").nth(2).unwrap();
    let x5c: String = body.chars().filter(|c| !c.is_whitespace()).collect();
    let key = EC_OF_CLIENT_A.split(' ').collect::<Vec<_>>();
    let jwk = json!({"kty": "EC", "crv": "P-256", "x": key[0], "y": key[1], "x5c": [x5c]});
    a_life_with_a_certificate("self_signed_tls_client_auth", json!({"jwks": {"keys": [jwk]}})).await;
}

/// The point of the certificate's key.
const EC_OF_CLIENT_A: &str = "7_zyZvN8Ko8jlEIWGr8uhn4j4ASxEGGvLwBa-IvR0jg 3eGmhDwkHn4aYwbbf2VlbjJ7ncXsoC5DgSGzQuVPR-g";

#[tokio::test]
async fn a_secret_that_proves_nothing_is_refused_with_the_way_out() {
    let world = World::serving(Backend::Sqlite).await;
    let app = |secret: &str| json!({"id": "certified", "connector": "certified", "client_id": "mortise", "client_secret": secret});
    for (method, words) in
        [("private_key_jwt", "this is no private key"), ("tls_client_auth", "there is no certificate in it")]
    {
        let mut manifest = oidc_manifest("certified", "http://127.0.0.1:9");
        manifest["auth"]["client_authentication"] = json!(method);
        if method == "tls_client_auth" {
            manifest["auth"]["token_url"] = json!("https://acme.example/token");
            manifest["auth"]["revocation_url"] = json!("https://acme.example/revoke");
            world.api.put("/connectors/certified", &manifest).await.expect(200);
        } else {
            world.api.post("/connectors", &manifest).await.expect(201);
        }
        let refused = world.api.post("/apps", &app("canary-hunter2")).await;
        assert!([400, 422].contains(&refused.status), "{refused:?}");
        let fault = &refused.json()["errors"][0];
        assert_eq!(fault["pointer"], "/client_secret");
        assert!(
            fault["detail"].as_str().unwrap().contains(words) && !refused.body.contains("canary-hunter2"),
            "{fault}"
        );
    }
    world.end().await;
}
