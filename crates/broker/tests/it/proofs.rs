//! What an app proves its client by stays what its connector wants it for: a key that signs is never sent, and no move begins
//! that every renewal would end in.

use crate::bench::{Bench, Flow};
use mortise_broker::{AppInput, Error, Fault, ManifestSource, MoveInput, Started, flow_cookie_name};
use mortise_domain::{ClientSecret, MoveTerms};
use mortise_oauth::testing::body_params;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// RFC 8037 appendix A.1.
const KEY: &str = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

fn manifest(method: &str) -> ManifestSource {
    ManifestSource::Text(format!(
        "id: desk\nname: Desk\nauth:\n  type: oauth2\n  grant: authorization_code\n  \
         authorization_url: https://desk.example/authorize\n  token_url: https://desk.example/token\n  \
         client_authentication: {method}\n"
    ))
}

/// The connector `desk` in two versions, and its app in the first.
async fn versions(first: &str, secret: Option<&str>, second: &str) -> Bench {
    let bench = Bench::new("F").await;
    let (broker, caller) = (&bench.broker, &bench.caller);
    broker.register_connector(caller, manifest(first)).await.unwrap();
    broker.create_app(caller, "desk".parse().unwrap(), app(&bench, 1, secret)).await.unwrap();
    broker.update_connector(caller, &"desk".parse().unwrap(), manifest(second)).await.unwrap();
    bench
}

fn app(bench: &Bench, version: i32, secret: Option<&str>) -> AppInput {
    AppInput {
        connector: "desk".parse().unwrap(),
        connector_version: Some(version),
        client_secret: secret.map(ClientSecret::new),
        ..bench.app("unused")
    }
}

fn faults<T>(answer: Result<T, Error>) -> Vec<Fault> {
    match answer {
        Err(Error::Invalid(faults)) => faults,
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("it is let through"),
    }
}

#[tokio::test]
async fn no_move_begins_to_a_version_that_the_apps_secret_is_not_for() {
    let table = [
        ("client_secret_post", Some("s3cret"), "private_key_jwt", "this is no private key"),
        ("private_key_jwt", Some(KEY), "client_secret_post", "this is a private key"),
        ("private_key_jwt", Some(KEY), "client_secret_basic", "this is a private key"),
        ("none", None, "client_secret_post", "the app has none"),
    ];
    for (first, secret, second, why) in table {
        let bench = versions(first, secret, second).await;
        let input = MoveInput {
            app: "desk".parse().unwrap(),
            to_version: Some(2),
            terms: MoveTerms::default(),
            client_secret: None,
            accept_hosts: BTreeSet::new(),
        };
        let [fault] = &faults(bench.broker.create_move(&bench.caller, input).await)[..] else { panic!("one fault") };
        assert_eq!(fault.pointer, "/to_version", "{first} to {second}");
        assert!(fault.detail.contains(why) && !fault.detail.contains("s3cret"), "{first} to {second}: {fault:?}");
    }
}

#[tokio::test]
async fn a_key_that_signs_is_never_pinned_to_a_version_that_sends_it() {
    let bench = versions("private_key_jwt", Some(KEY), "client_secret_post").await;
    let id = "desk".parse().unwrap();
    for secret in [None, Some(KEY)] {
        let found = faults(bench.broker.update_app(&bench.caller, &id, app(&bench, 2, secret)).await);
        assert!(
            found.iter().all(|fault| fault.pointer == "/client_secret" && !fault.detail.contains("nWGx")),
            "{found:?}"
        );
    }
    let other = app(&bench, 2, Some("s3cret"));
    assert_eq!(bench.broker.update_app(&bench.caller, &id, other).await.unwrap().connector_version, 2);

    // Nor is it sent as the secret before the newest, which is tried where the newest is refused.
    let link = bench.link(None).await;
    let started = bench.broker.start_connect(&link, &id, &BTreeMap::new()).await.unwrap();
    let Started::Redirect { location, attempt, cookie } = started else { panic!("no redirect") };
    let query: BTreeMap<_, _> = location.query_pairs().into_owned().collect();
    let flow = Flow {
        context: query["redirect_uri"].rsplit('/').next().unwrap().to_owned(),
        state: query["state"].clone(),
        cookie: (flow_cookie_name(attempt, true), cookie.expose().to_owned()),
    };
    for _ in 0..2 {
        bench.provider.json(401, &json!({"error": "invalid_client"}));
    }
    bench.finish(&flow, &[("code", "c"), ("state", &flow.state)]).await.unwrap_err();
    let sent = bench.provider.take_requests();
    let secrets: Vec<_> = sent.iter().map(|request| body_params(request)["client_secret"].clone()).collect();
    assert_eq!(secrets, ["s3cret"]);
}
