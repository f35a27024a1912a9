//! Device flows against a provider that follows a script: who asks, with what, and what becomes of what nobody confirms.

use crate::bench::{Bench, tokens};
use mortise_broker::{AppInput, AppSettings, CustomerInput, EnvironmentInput, ManifestSource, NewSession, Started};
use mortise_domain::{AttemptId, ClientSecret, FinisherCheck, ScopeSet};
use mortise_oauth::Reply;
use mortise_oauth::testing::body_params;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const TV: &str = "id: tv
name: TV
auth:
  type: oauth2
  grant: device_code
  device_authorization_url: https://tv.example/device
  token_url: https://tv.example/token
  revocation_url: https://tv.example/revoke
  client_authentication: client_secret_post
";

fn app(secret: &str) -> AppInput {
    AppInput {
        connector: "tv".parse().unwrap(),
        connector_version: None,
        client_id: "client".into(),
        client_secret: Some(ClientSecret::new(secret)),
        scopes: ScopeSet::default(),
        settings: AppSettings { return_urls: vec!["https://app.example/done".into()], ..AppSettings::default() },
    }
}

async fn bench() -> Bench {
    let bench = Bench::with("").await;
    bench.broker.register_connector(&bench.caller, ManifestSource::Text(TV.to_owned())).await.unwrap();
    bench.broker.create_app(&bench.caller, "tv".parse().unwrap(), app("secret")).await.unwrap();
    bench
}

fn codes(number: u32) -> Value {
    json!({
        "device_code": format!("d-{number}"), "user_code": format!("U-{number}"), "interval": 1, "expires_in": 600,
        "verification_uri": "https://tv.example/enter",
    })
}

/// The click of a customer of its own, whose answers from the provider are queued already.
async fn click(bench: &Bench, customer: &str) -> AttemptId {
    let customer = customer.parse().unwrap();
    bench.broker.put_customer(&bench.caller, &customer, CustomerInput::default()).await.unwrap();
    let return_url = Some("https://app.example/done".to_owned());
    let session = NewSession {
        customer,
        apps: Some(vec!["tv".parse().unwrap()]),
        connection: None,
        return_url,
        expires_in: None,
    };
    let link = bench.broker.create_session(&bench.caller, session).await.unwrap();
    let started = bench.broker.start_connect(link.token.expose(), &"tv".parse().unwrap(), &BTreeMap::new()).await;
    match started.unwrap() {
        Started::Device { attempt, .. } => attempt,
        other => panic!("{other:?}"),
    }
}

async fn poll(bench: &Bench) -> usize {
    bench.sql("UPDATE device_polls SET poll_at = 1 WHERE poll_at IS NOT NULL").await;
    bench.broker.poll_devices().await.unwrap()
}

/// Where the provider was asked since the last look, about what.
fn asked(bench: &Bench, about: &str) -> Vec<(String, String)> {
    let sent = bench.provider.take_requests();
    let told = |request| body_params(request).remove(about).unwrap_or_default();
    sent.iter().map(|request| (request.url.path().to_owned(), told(request))).collect()
}

fn pair(path: &str, what: &str) -> (String, String) {
    (path.to_owned(), what.to_owned())
}

#[tokio::test]
async fn while_one_secret_replaces_another_both_are_tried() {
    let bench = bench().await;
    bench.broker.update_app(&bench.caller, &"tv".parse().unwrap(), app("newer")).await.unwrap();
    let refuse = || bench.provider.json(401, &json!({"error": "invalid_client"}));
    refuse();
    bench.provider.json(200, &codes(1));
    click(&bench, "c1").await;
    assert_eq!(asked(&bench, "client_secret"), [pair("/device", "newer"), pair("/device", "secret")]);
    for answer in [(400, json!({"error": "authorization_pending"})), (200, tokens(1))] {
        refuse();
        bench.provider.json(answer.0, &answer.1);
        assert_eq!(poll(&bench).await, 1);
        assert_eq!(asked(&bench, "client_secret"), [pair("/token", "newer"), pair("/token", "secret")]);
    }
    assert_eq!(poll(&bench).await, 0, "it has its answer");
}

/// A grant that was held for a backend that never came, and does not open any more, keeps no other one alive.
#[tokio::test]
async fn what_nobody_confirms_is_given_back_each_by_itself() {
    let bench = bench().await;
    let checked = EnvironmentInput { finisher_check: Some(FinisherCheck::Required), ..EnvironmentInput::default() };
    bench.broker.update_environment(&"dev".parse().unwrap(), checked).await.unwrap();
    let mut flows = Vec::new();
    for number in 1..=3 {
        bench.provider.json(200, &codes(number));
        flows.push(click(&bench, &format!("customer-{number}")).await);
        bench.provider.json(200, &tokens(number));
        assert_eq!(poll(&bench).await, 1);
    }
    asked(&bench, "");
    assert_eq!(poll(&bench).await, 0, "the backend has time");
    bench.sql("UPDATE authorization_attempts SET code_expires_at = 1").await;
    let broken = flows[1].as_uuid().simple();
    bench.sql(&format!("UPDATE authorization_attempts SET code = x'00' WHERE hex(id) = upper('{broken}')")).await;
    for _ in 0..4 {
        bench.provider.reply(Reply::new(200, None, ""));
    }
    assert_eq!(poll(&bench).await, 3);
    let mut told = asked(&bench, "token");
    told.sort();
    assert_eq!(told, ["at-1", "at-3", "rt-1", "rt-3"].map(|token| pair("/revoke", token)));
    assert_eq!(poll(&bench).await, 0, "once");
}
