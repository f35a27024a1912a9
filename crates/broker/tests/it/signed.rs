//! Tokens that the customer's key signs, from the key that is pasted to the end: nobody is asked for one.

use crate::bench::Bench;
use mortise_broker::{AppInput, AppSettings, Error, Import, ImportedCredentials, ManifestSource, RefreshWish};
use mortise_domain::{ConnectionId, ConnectionState, PastedSecret, ScopeSet, StateReason};
use mortise_oauth::{Reply, SendError};
use serde_json::json;
use std::collections::BTreeMap;

const GHOST: &str = "id: ghost
name: Ghost
auth:
  type: signed_jwt
  credentials:
    id: {type: text, title: Id}
    secret: {type: secret, title: Secret}
    pin: {type: secret, title: PIN}
  jwt:
    algorithm: HS256
    key: '{secret}'
    key_encoding: hex
    key_id: '{id}'
    audience: /admin/
  verification: {url: 'https://ghost.example/admin/users'}
api:
  base_url: https://ghost.example/admin
  headers: {Authorization: 'Ghost {access_token}', x-pin: '{pin}'}
";
const SECRET: &str = "ca0a4900ca0a4900ca0a4900ca0a4900";

async fn bench() -> Bench {
    let bench = Bench::with("").await;
    bench.broker.register_connector(&bench.caller, ManifestSource::Text(GHOST.to_owned())).await.unwrap();
    let app = AppInput {
        connector: "ghost".parse().unwrap(),
        connector_version: None,
        client_id: String::new(),
        client_secret: None,
        scopes: ScopeSet::default(),
        settings: AppSettings { return_urls: vec!["https://app.example/done".into()], ..AppSettings::default() },
    };
    bench.broker.create_app(&bench.caller, "ghost".parse().unwrap(), app).await.unwrap();
    bench
}

async fn import(bench: &Bench, secret: &str) -> Result<ConnectionId, Error> {
    let all = [("id", "key-1"), ("secret", secret), ("pin", "4711")];
    let pasted = all.into_iter().map(|(name, value)| (name.to_owned(), PastedSecret::new(value))).collect();
    let credentials =
        ImportedCredentials { access_token: None, refresh_token: None, expires_at: None, scopes: None, pasted };
    let import = Import {
        customer: "c1".parse().unwrap(),
        app: "ghost".parse().unwrap(),
        variables: BTreeMap::new(),
        credentials: Some(credentials),
    };
    bench.broker.import_connection(&bench.caller, import).await.map(|view| view.id)
}

#[tokio::test]
async fn a_key_is_tried_out_once_and_signs_from_then_on_without_a_call() {
    let bench = bench().await;
    bench.provider.reply(Reply::new(200, Some("application/json"), "{}"));
    let id = import(&bench, SECRET).await.unwrap();
    let [tried] = &bench.provider.take_requests()[..] else { panic!("one call") };
    assert_eq!(tried.url.as_str(), "https://ghost.example/admin/users");
    let sent = tried.headers.iter().find(|header| header.name == "authorization").unwrap().value.to_string();
    let view = bench.view(id).await;
    assert_eq!((view.state, view.state_reason), (ConnectionState::Active, StateReason::Imported));
    assert!(view.expires_at.is_some() && view.next_refresh_at.is_some());
    let is_jwt = |token: &str| token.split('.').count() == 3;
    assert!(sent.strip_prefix("Ghost ").is_some_and(is_jwt), "{sent}");
    for _ in 0..3 {
        let token = bench.token(id, None).await.unwrap();
        let carried: Vec<_> = token.headers.iter().map(|(name, value)| format!("{name}: {}", value.expose())).collect();
        let own = token.access_token.expose();
        assert_eq!(carried, [format!("authorization: Ghost {own}"), "x-pin: 4711".to_owned()]);
        assert_eq!(token.token_type.as_str(), "signed_jwt");
        assert!(token.expires_at.is_some() && token.granted_scopes.iter().count() == 0);
        assert!(is_jwt(own), "{own}");
        bench.make_due().await;
        assert_eq!(bench.work().await, 1);
    }
    bench.broker.refresh_connection(&bench.caller, id, RefreshWish::Plain, None).await.unwrap();
    assert_eq!(bench.provider.take_requests().len(), 0, "neither fetches nor renewals call anybody");
    bench.broker.delete_connection(&bench.caller, id).await.unwrap();
    assert_eq!(bench.provider.take_requests().len(), 0, "nobody is told of what nobody gave");
}

#[tokio::test]
async fn what_is_no_key_and_what_the_provider_refuses_is_not_stored() {
    let bench = bench().await;
    let Err(Error::Invalid(faults)) = import(&bench, "canary").await else { panic!("refused") };
    assert_eq!(faults[0].pointer, "/credentials/secret");
    assert!(faults[0].detail.contains("hexadecimal") && !format!("{faults:?}").contains("canary"), "{faults:?}");
    assert_eq!(bench.provider.take_requests().len(), 0, "the key is looked at before anybody is called");
    bench.provider.json(401, &json!({"errors": ["Unknown Admin API Key"]}));
    let Err(Error::Invalid(faults)) = import(&bench, SECRET).await else { panic!("refused") };
    assert!(faults[0].detail.contains("Ghost does not accept this (status 401)"), "{faults:?}");
    bench.provider.fail(SendError::Timeout);
    assert!(
        matches!(import(&bench, SECRET).await, Err(Error::ProviderUnavailable { .. })),
        "that says nothing of the key"
    );
    assert_eq!(bench.provider.take_requests().len(), 2);
}
