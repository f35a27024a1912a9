//! Credentials for a token, from the customer's password to its end: made, renewed, refused, ended.

use crate::bench::Bench;
use mortise_broker::{
    AppInput, AppSettings, Completion, ConnectFault, EnvironmentInput, Error, Import, ImportedCredentials,
    ManifestSource, NewSession, RefreshWish, Started,
};
use mortise_domain::{
    CompletionCode, ConnectionId, ConnectionState, EventKind, FinisherCheck, PastedSecret, ScopeSet, StateReason,
};
use mortise_oauth::{Outbound, Reply, SendError};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const DESK: &str = "id: desk
name: Desk
auth:
  type: two_step
  credentials:
    user: {type: text, title: User}
    password: {type: secret, title: Password}
    key: {type: secret, title: Key}
  steps:
    - url: https://desk.example/login
      body: json
      params: {user: '{user}', password: '{password}'}
      take: {account: /account}
  revocation: {url: 'https://desk.example/logout', headers: {x-token: '{access_token}'}}
  token_response: {extra: {plan: /plan}, access_token: /token, expires_in: /ttl}
api:
  base_url: https://desk.example/api
  headers: {x-token: '{access_token}', x-key: '{key}', x-account: '{account}'}
";

/// With a refresh token.
const WITH_REFRESH: &str = "  refresh:
    - url: https://desk.example/refresh
      params: {token: '{refresh_token}', account: '{account}'}
";

async fn bench(more: &str) -> Bench {
    let bench = Bench::with("").await;
    let reply = if more.is_empty() { "" } else { ", refresh_token: /fresh" };
    let text = DESK.replace("expires_in: /ttl}\n", &format!("expires_in: /ttl{reply}}}\n{more}"));
    bench.broker.register_connector(&bench.caller, ManifestSource::Text(text)).await.unwrap();
    let app = AppInput {
        connector: "desk".parse().unwrap(),
        connector_version: None,
        client_id: String::new(),
        client_secret: None,
        scopes: ScopeSet::default(),
        settings: AppSettings { return_urls: vec!["https://app.example/done".into()], ..AppSettings::default() },
    };
    bench.broker.create_app(&bench.caller, "desk".parse().unwrap(), app).await.unwrap();
    bench
}

fn given() -> BTreeMap<String, PastedSecret> {
    let all = [("user", "ann"), ("password", "canary-password"), ("key", "k-1")];
    all.into_iter().map(|(name, value)| (name.to_owned(), PastedSecret::new(value))).collect()
}

async fn import(bench: &Bench) -> Result<ConnectionId, Error> {
    let credentials = ImportedCredentials {
        access_token: None,
        refresh_token: None,
        expires_at: None,
        scopes: None,
        pasted: given(),
    };
    let import = Import {
        customer: "c1".parse().unwrap(),
        app: "desk".parse().unwrap(),
        variables: BTreeMap::new(),
        credentials: Some(credentials),
    };
    bench.broker.import_connection(&bench.caller, import).await.map(|view| view.id)
}

fn session(number: u32) -> Value {
    json!({"token": format!("t-{number}"), "ttl": 3600, "plan": "gold", "account": "a-7", "fresh": format!("f-{number}")})
}

fn sent(request: &Outbound) -> (String, Value) {
    let body = serde_json::from_slice(&request.body).unwrap_or_else(|_| String::from_utf8_lossy(&request.body).into());
    (request.url.path().to_owned(), body)
}

fn paths(bench: &Bench) -> Vec<String> {
    bench.provider.take_requests().iter().map(|request| request.url.path().to_owned()).collect()
}

#[tokio::test]
async fn a_login_is_made_once_handed_out_and_made_again_when_it_is_due() {
    let bench = bench("").await;
    bench.provider.json(200, &session(1));
    let id = import(&bench).await.unwrap();
    let login = ("/login".to_owned(), json!({"user": "ann", "password": "canary-password"}));
    assert_eq!(bench.provider.take_requests().iter().map(sent).collect::<Vec<_>>(), std::slice::from_ref(&login));
    let view = bench.view(id).await;
    assert_eq!((view.state, view.state_reason), (ConnectionState::Active, StateReason::Imported));
    assert!(view.expires_at.is_some() && view.next_refresh_at.is_some());
    for number in 1..4 {
        let token = bench.token(id, None).await.unwrap();
        let carried: Vec<_> = token.headers.iter().map(|(name, value)| format!("{name}: {}", value.expose())).collect();
        assert_eq!(carried, ["x-account: a-7".to_owned(), "x-key: k-1".into(), format!("x-token: t-{number}")]);
        assert_eq!((token.access_token.expose(), token.token_type.as_str()), (&*format!("t-{number}"), "two_step"));
        assert_eq!(bench.provider.take_requests().len(), 0, "fetches call nobody");
        bench.provider.json(200, &session(number + 1));
        bench.make_due().await;
        assert_eq!(bench.work().await, 1);
        assert_eq!(bench.provider.take_requests().iter().map(sent).collect::<Vec<_>>(), std::slice::from_ref(&login));
    }
    // Unlike what is pasted and never changes, a login can be asked for now.
    bench.provider.json(200, &session(9));
    bench.broker.refresh_connection(&bench.caller, id, RefreshWish::Plain, None).await.unwrap();
    assert_eq!(bench.token(id, None).await.unwrap().access_token.expose(), "t-9");
}

#[tokio::test]
async fn what_the_provider_refuses_is_not_stored() {
    let bench = bench("").await;
    for status in [401, 403, 400, 422] {
        bench.provider.json(status, &json!({"error": "canary-password"}));
        let Err(Error::Invalid(faults)) = import(&bench).await else { panic!("refused") };
        assert_eq!(faults[0].pointer, "/credentials");
        assert!(faults[0].detail.contains("Desk does not accept this") && !format!("{faults:?}").contains("canary"));
    }
    bench.provider.json(500, &json!({}));
    assert!(matches!(import(&bench).await, Err(Error::ProviderUnavailable { .. })));
    bench.provider.json(200, &json!({"token": "t"}));
    assert!(matches!(import(&bench).await, Err(Error::ProviderUnavailable { .. })), "the account is missing");
}

#[tokio::test]
async fn a_password_that_no_longer_works_is_asked_about_again_and_then_said_so() {
    let bench = bench("").await;
    bench.provider.json(200, &session(1));
    let id = import(&bench).await.unwrap();
    let refusal = || bench.provider.json(401, &json!({}));
    refusal();
    bench.stand(-10, 0, 0).await;
    assert_eq!(bench.work().await, 1);
    assert_eq!(bench.view(id).await.state, ConnectionState::Active, "once is not believed");
    refusal();
    bench.stand(-10, 1, 60).await;
    assert_eq!(bench.work().await, 1);
    let view = bench.view(id).await;
    assert_eq!((view.state, view.state_reason), (ConnectionState::NeedsReauth, StateReason::CredentialsRejected));
    let events = bench.events(id).await;
    assert_eq!(events.last(), Some(&EventKind::NeedsReauth), "{events:?}");
    // There is no client that a login could blame.
    assert!(bench.broker.app(&bench.caller, &"desk".parse().unwrap()).await.unwrap().held_reason.is_none());
}

#[tokio::test]
async fn a_login_without_an_answer_costs_nothing_and_is_made_again() {
    let bench = bench("").await;
    bench.provider.json(200, &session(1));
    let id = import(&bench).await.unwrap();
    bench.provider.fail(SendError::Timeout);
    bench.stand(-10, 0, 0).await;
    assert_eq!(bench.work().await, 1);
    assert_eq!(bench.view(id).await.state, ConnectionState::Active);
    bench.provider.json(200, &session(2));
    bench.make_due().await;
    assert_eq!(bench.work().await, 1);
    assert_eq!(bench.token(id, None).await.unwrap().access_token.expose(), "t-2");
}

#[tokio::test]
async fn a_refresh_token_takes_the_place_of_the_password() {
    let bench = bench(WITH_REFRESH).await;
    bench.provider.json(200, &session(1));
    let id = import(&bench).await.unwrap();
    assert_eq!(paths(&bench), ["/login"]);
    for number in 1..3 {
        bench.provider.json(200, &json!({"token": "t", "ttl": 3600, "fresh": format!("f-{}", number + 1)}));
        bench.make_due().await;
        assert_eq!(bench.work().await, 1);
        let sent: Vec<_> = bench.provider.take_requests().iter().map(sent).collect();
        assert_eq!(sent, [("/refresh".to_owned(), json!(format!("account=a-7&token=f-{number}")))]);
    }
    let token = bench.token(id, None).await.unwrap();
    assert_eq!((token.headers["x-key"].expose(), token.headers["x-account"].expose()), ("k-1", "a-7"));
    assert_eq!(token.extra["plan"], "gold", "what only the login told stays");
    bench.provider.json(401, &json!({}));
    bench.stand(-10, 1, 60).await;
    assert_eq!(bench.work().await, 1);
    let view = bench.view(id).await;
    assert_eq!((view.state, view.state_reason), (ConnectionState::NeedsReauth, StateReason::RefreshTokenRejected));
    assert_eq!(paths(&bench), ["/refresh"], "there is no password to log in with");
}

#[tokio::test]
async fn where_no_refresh_token_came_a_lost_reply_has_spent_nothing() {
    let bench = bench(WITH_REFRESH).await;
    let mut alone = session(1);
    alone["fresh"] = Value::Null;
    bench.provider.json(200, &alone);
    let id = import(&bench).await.unwrap();
    bench.provider.fail(SendError::Timeout);
    bench.stand(-10, 0, 0).await;
    assert_eq!(bench.work().await, 1);
    // A used refresh token would be lost now: refused once more, and given up for that reason.
    bench.provider.json(401, &json!({}));
    bench.stand(-10, 1, 60).await;
    assert_eq!(bench.work().await, 1);
    let view = bench.view(id).await;
    assert_eq!((view.state, view.state_reason), (ConnectionState::NeedsReauth, StateReason::CredentialsRejected));
    assert_eq!(paths(&bench), ["/login", "/login", "/login"]);
}

#[tokio::test]
async fn the_end_tells_the_provider_the_token_and_nothing_that_was_given() {
    for more in ["", WITH_REFRESH] {
        let bench = bench(more).await;
        bench.provider.json(200, &session(1));
        let id = import(&bench).await.unwrap();
        bench.provider.take_requests();
        bench.provider.reply(Reply::new(204, None, ""));
        bench.broker.delete_connection(&bench.caller, id).await.unwrap();
        let [request] = &bench.provider.take_requests()[..] else { panic!("one request") };
        assert_eq!((request.url.path(), request.body.is_empty()), ("/logout", true));
        assert!(request.headers.iter().any(|header| header.name == "x-token" && *header.value == "t-1"));
        assert!(request.headers.iter().all(|header| !header.value.contains("canary")));
        assert_eq!(bench.events(id).await.last(), Some(&EventKind::RevokedUpstream));
    }
}

#[tokio::test]
async fn where_the_backend_confirms_a_login_is_tried_out_ended_and_made_for_good() {
    let bench = bench("").await;
    let checked = EnvironmentInput { finisher_check: Some(FinisherCheck::Required), ..EnvironmentInput::default() };
    bench.broker.update_environment(&"dev".parse().unwrap(), checked).await.unwrap();
    let session_of = |customer: &str| NewSession {
        customer: customer.parse().unwrap(),
        apps: None,
        connection: None,
        return_url: Some("https://app.example/done".into()),
        expires_in: None,
    };
    let link = bench.broker.create_session(&bench.caller, session_of("c1")).await.unwrap();
    let desk = "desk".parse().unwrap();
    let no_values = BTreeMap::new();
    let click = || bench.broker.start_connect_with(link.token.expose(), &desk, &no_values, given());
    bench.provider.json(401, &json!({}));
    assert!(matches!(click().await, Err(Error::Connect(ConnectFault::Fields(_)))), "a wrong password is told at once");
    assert_eq!(paths(&bench), ["/login"]);
    bench.provider.json(200, &session(1)).reply(Reply::new(204, None, ""));
    let Ok(Started::AwaitingCompletion { return_url }) = click().await else { panic!("the backend is to confirm") };
    assert_eq!(paths(&bench), ["/login", "/logout"]);
    let code = return_url.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    bench.provider.json(200, &session(2));
    let completion = Completion { code: CompletionCode::new(code), customer: "c1".parse().unwrap() };
    let view = bench.broker.complete_session(&bench.caller, link.session, completion).await.unwrap();
    assert_eq!((view.state, view.state_reason), (ConnectionState::Active, StateReason::Consented));
    assert_eq!(bench.token(view.id, None).await.unwrap().access_token.expose(), "t-2");
}
