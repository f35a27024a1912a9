//! Providers that bring more in their callbacks, want more calls, or renew in other ways, as their manifests say it.

use crate::bench::{Bench, Flow, tokens};
use mortise_broker::{CallbackOutcome, Completion, ConnectFault, EnvironmentInput, Error};
use mortise_domain::{Clock as _, ConnectionId, FinisherCheck, SystemClock};
use mortise_oauth::testing::body_params;
use mortise_vault::sha256;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn connected(outcome: Result<CallbackOutcome, Error>) -> ConnectionId {
    match outcome.unwrap() {
        CallbackOutcome::Connected { connection, .. } => connection,
        CallbackOutcome::AwaitingCompletion { .. } => panic!("the finisher check is off in dev"),
    }
}

fn fault(outcome: Result<CallbackOutcome, Error>) -> ConnectFault {
    match outcome {
        Err(Error::Connect(fault)) => fault,
        other => panic!("not a fault of the flow: {other:?}"),
    }
}

async fn fields(bench: &Bench, id: ConnectionId) -> BTreeMap<String, Value> {
    bench.token(id, None).await.unwrap().extra
}

#[tokio::test]
async fn what_the_callback_and_the_account_tell_is_handed_out_and_outlives_refreshes() {
    let bench = Bench::with(
        "  callback: {code: auth_code, keep: {realm_id: realmId, absent: nothing}}\n  identity: {url: 'https://api.acme.example/me', \
         fields: {account: /sub, missing: /no}}\n  token_response: {extra: {team: /team}}\n",
    )
    .await;
    let flow = bench.start(&bench.link(None).await).await;
    let mut first = tokens(1);
    first["team"] = json!("t1");
    bench.provider.json(200, &first).json(200, &json!({"sub": 7}));
    let callback = [("auth_code", "c-1"), ("code", "decoy"), ("realmId", "R 9"), ("state", &flow.state)];
    let id = connected(bench.finish(&flow, &callback).await);
    let sent = bench.provider.take_requests();
    assert_eq!((sent.len(), body_params(&sent[0])["code"].as_str()), (2, "c-1"));
    assert_eq!(sent[1].url.as_str(), "https://api.acme.example/me");
    let told = BTreeMap::from([("realm_id".to_owned(), json!("R 9")), ("account".to_owned(), json!(7))]);
    let mut with_team = told.clone();
    with_team.insert("team".to_owned(), json!("t1"));
    assert_eq!(fields(&bench, id).await, with_team);
    for number in 2..4 {
        bench.provider.json(200, &tokens(number));
        bench.make_due().await;
        assert_eq!(bench.work().await, 1);
        assert_eq!(fields(&bench, id).await, told, "what each reply tells is not carried on");
    }
    assert_eq!(bench.token(id, None).await.unwrap().access_token.expose(), "at-3");
    assert_eq!(bench.provider.take_requests().len(), 2, "the account is asked about once");
}

#[tokio::test]
async fn an_account_that_is_not_told_costs_no_grant() {
    let bench = Bench::with("  identity: {url: 'https://api.acme.example/me', fields: {account: /sub}}\n").await;
    for answer in [json!({}), json!([]), json!({"sub": "x at-1"})] {
        let flow = bench.start(&bench.link(None).await).await;
        bench.provider.json(200, &tokens(1)).json(200, &answer);
        let id = connected(bench.finish(&flow, &[("code", "c"), ("state", &flow.state)]).await);
        assert_eq!(fields(&bench, id).await, BTreeMap::new(), "{answer}");
    }
    let flow = bench.start(&bench.link(None).await).await;
    bench.provider.json(200, &tokens(1)).fail(mortise_oauth::SendError::Timeout);
    connected(bench.finish(&flow, &[("code", "c"), ("state", &flow.state)]).await);
}

#[tokio::test]
async fn a_parameter_to_keep_with_control_characters_is_refused() {
    let bench = Bench::with("  callback: {keep: {realm_id: realmId}}\n").await;
    let flow = bench.start(&bench.link(None).await).await;
    let outcome = bench.finish(&flow, &[("code", "c"), ("realmId", "a\r\nb"), ("state", &flow.state)]).await;
    assert_eq!(fault(outcome), ConnectFault::Malformed("a parameter holds control characters"));
    assert_eq!(bench.provider.take_requests().len(), 0);
}

/// RFC 2104, by hand.
fn hmac(key: &str, message: &str) -> String {
    let block = |pad: u8| -> Vec<u8> { (0..64).map(|i| key.as_bytes().get(i).copied().unwrap_or(0) ^ pad).collect() };
    let inner = sha256([block(0x36), message.as_bytes().to_vec()].concat());
    hex::encode(sha256([block(0x5c), inner.to_vec()].concat()))
}

/// The callback of a provider that signs: its parameters with their signature, made so many seconds ago.
fn signed(flow: &Flow, age: i64) -> Vec<(String, String)> {
    let timestamp = SystemClock::new().now().timestamp() - age;
    let message = format!("code=c&shop=a.acme.example&state={}&timestamp={timestamp}&z=a+b%26", flow.state);
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    vec![
        pair("z", "a b&"),
        pair("code", "c"),
        pair("shop", "a.acme.example"),
        pair("timestamp", &timestamp.to_string()),
        pair("hmac", &hmac("secret", &message)),
        pair("signature", "old"),
        pair("state", &flow.state),
    ]
}

#[tokio::test]
async fn a_signed_callback_is_believed_as_it_was_signed_and_not_otherwise() {
    let bench = Bench::with(
        "  callback: {expect: {shop: A.acme.example}, hmac: {parameter: hmac, except: [signature], timestamp: timestamp}}\n",
    )
    .await;
    type Change = fn(&mut Vec<(String, String)>);
    let table: [(&str, i64, Change, ConnectFault); 9] = [
        ("another code", 0, |q| q[1].1 = "d".into(), ConnectFault::MixedUp),
        ("another shop", 0, |q| q[2].1 = "b.acme.example".into(), ConnectFault::MixedUp),
        ("a later time", 0, |q| q[3].1 = "99999999999".into(), ConnectFault::MixedUp),
        ("another signature", 0, |q| q[4].1 = "0".repeat(64), ConnectFault::MixedUp),
        ("no hexadecimal", 0, |q| q[4].1 = "x".into(), ConnectFault::MixedUp),
        ("one more parameter", 0, |q| q.push(("more".into(), "1".into())), ConnectFault::MixedUp),
        ("a signature twice", 0, |q| q.push(q[4].clone()), ConnectFault::Malformed("a parameter stands there twice")),
        ("no signature", 0, |q| drop(q.remove(4)), ConnectFault::Malformed("its signature is missing")),
        ("an old one", 601, |_| {}, ConnectFault::StaleState),
    ];
    for (what, age, change, expected) in table {
        let flow = bench.start(&bench.link(None).await).await;
        let mut query = signed(&flow, age);
        change(&mut query);
        let query: Vec<_> = query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(fault(bench.finish(&flow, &query).await), expected, "{what}");
    }
    assert_eq!(bench.provider.take_requests().len(), 0);
    let flow = bench.start(&bench.link(None).await).await;
    bench.provider.json(200, &tokens(1));
    let mut query = signed(&flow, 30);
    query[5].1 = "whatever: it is not covered".to_owned();
    let query: Vec<_> = query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    connected(bench.finish(&flow, &query).await);
}

#[tokio::test]
async fn another_shop_is_refused_even_where_its_callback_is_signed() {
    let bench =
        Bench::with("  callback: {expect: {shop: b.acme.example}, hmac: {parameter: hmac, except: [signature]}}\n")
            .await;
    let flow = bench.start(&bench.link(None).await).await;
    let query = signed(&flow, 0);
    let query: Vec<_> = query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(fault(bench.finish(&flow, &query).await), ConnectFault::MixedUp);
    assert_eq!(bench.provider.take_requests().len(), 0);
}

#[tokio::test]
async fn a_short_lived_token_is_never_stored_and_the_long_lived_one_renews_itself() {
    let bench = Bench::with(
        "  long_lived_exchange: {url: 'https://graph.acme.example/x', grant_type: fb_exchange_token, token_parameter: t, method: GET}\n  \
         token_response: {refresh_token: /access_token, extra: {user: /user_id}}\n  \
         refresh_request: {method: GET, grant_type: th_refresh_token, names: {refresh_token: access_token}, omit: [client_id, client_secret]}\n  \
         recovery_class: M\n",
    )
    .await;
    let flow = bench.start(&bench.link(None).await).await;
    let short = json!({"access_token": "short", "token_type": "bearer", "expires_in": 3600, "user_id": "u1"});
    let long = |number: u32| json!({"access_token": format!("long-{number}"), "token_type": "bearer", "expires_in": 5_184_000});
    bench.provider.json(200, &short).json(200, &long(1));
    let id = connected(bench.finish(&flow, &[("code", "c"), ("state", &flow.state)]).await);
    let user = BTreeMap::from([("user".to_owned(), json!("u1"))]);
    let answer = bench.token(id, None).await.unwrap();
    assert_eq!((answer.access_token.expose(), &answer.extra), ("long-1", &user));
    assert!(answer.expires_in.unwrap() > 5_000_000);
    for number in 2..4 {
        bench.provider.json(200, &long(number));
        bench.make_due().await;
        assert_eq!(bench.work().await, 1);
    }
    assert_eq!(fields(&bench, id).await, user, "what only the first reply told");
    let sent: Vec<_> = bench.provider.take_requests().iter().map(|request| request.url.to_string()).collect();
    assert_eq!(
        sent[1..],
        [
            "https://graph.acme.example/x?grant_type=fb_exchange_token&t=short&client_id=client&client_secret=secret",
            "https://acme.example/token?grant_type=th_refresh_token&access_token=long-1",
            "https://acme.example/token?grant_type=th_refresh_token&access_token=long-2",
        ]
    );
}

#[tokio::test]
async fn a_second_exchange_that_fails_is_a_failed_flow() {
    let bench = Bench::with(
        "  long_lived_exchange: {url: 'https://graph.acme.example/x', grant_type: g, token_parameter: t}\n",
    )
    .await;
    let flow = bench.start(&bench.link(None).await).await;
    bench.provider.json(200, &tokens(1)).json(400, &json!({"error": "invalid_request"}));
    let outcome = bench.finish(&flow, &[("code", "c"), ("state", &flow.state)]).await;
    assert!(matches!(fault(outcome), ConnectFault::Exchange { code: Some(code), .. } if code == "invalid_request"));
}

#[tokio::test]
async fn what_the_callback_told_waits_with_the_code_for_the_backends_word() {
    let bench = Bench::with("  callback: {keep: {realm_id: realmId}}\n").await;
    let required = EnvironmentInput { finisher_check: Some(FinisherCheck::Required), ..EnvironmentInput::default() };
    bench.broker.update_environment(&"dev".parse().unwrap(), required).await.unwrap();
    let flow = bench.start(&bench.link(None).await).await;
    let outcome = bench.finish(&flow, &[("code", "{\"c\":1}"), ("realmId", "R9"), ("state", &flow.state)]).await;
    let CallbackOutcome::AwaitingCompletion { return_url } = outcome.unwrap() else {
        panic!("nobody asked the backend")
    };
    let query: BTreeMap<_, _> = return_url.query_pairs().into_owned().collect();
    assert_eq!(bench.provider.take_requests().len(), 0);
    bench.provider.json(200, &tokens(1));
    let completion = Completion { code: query["code"].clone().into(), customer: "c1".parse().unwrap() };
    let session = query["session"].parse().unwrap();
    let view = bench.broker.complete_session(&bench.caller, session, completion).await.unwrap();
    assert_eq!(fields(&bench, view.id).await, BTreeMap::from([("realm_id".to_owned(), json!("R9"))]));
    assert_eq!(body_params(&bench.provider.take_requests()[0])["code"], "{\"c\":1}");
}

/// Security reference A16: what was connected for one account is not repaired with the grant of another.
#[tokio::test]
async fn a16_a_repair_keeps_to_the_account() {
    let bench = Bench::with("  identity: {url: 'https://api.acme.example/me', fields: {account: /sub}}\n").await;
    let consent = async |link: String, number: u32, account: &str| {
        let flow = bench.start(&link).await;
        bench.provider.json(200, &tokens(number)).json(200, &json!({"sub": account}));
        bench.finish(&flow, &[("code", "c"), ("state", &flow.state)]).await
    };
    let sent = || bench.provider.take_requests().iter().map(|sent| sent.url.path().to_owned()).collect::<Vec<_>>();
    let id = connected(consent(bench.link(None).await, 1, "ann").await);
    assert_eq!(sent(), ["/token", "/me"]);
    let link = bench.link(Some(id)).await;
    let flow = bench.start(&link).await;
    bench.provider.json(200, &tokens(2)).json(200, &json!({"sub": "bob"})).json(200, &json!({})).json(200, &json!({}));
    let refused = bench.finish(&flow, &[("code", "c"), ("state", &flow.state)]).await;
    assert!(matches!(fault(refused), ConnectFault::OtherAccount));
    assert_eq!(sent(), ["/token", "/me", "/revoke", "/revoke"], "both tokens of the grant are given back");
    assert_eq!(bench.token(id, None).await.unwrap().access_token.expose(), "at-1", "and nothing was changed");
    // The link still serves for another try.
    assert_eq!(connected(consent(link, 3, "ann").await), id);
    let chosen = connected(consent(bench.link(None).await, 4, "bob").await);
    assert_eq!(chosen, id, "who connects anew may choose another");
    assert_eq!(bench.token(id, None).await.unwrap().extra["account"], "bob");
}
