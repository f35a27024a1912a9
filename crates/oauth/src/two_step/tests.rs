use super::*;
use crate::fixture::header;
use crate::testing::ScriptedTransport;
use crate::{
    ClientRegistration, FailureClass, Given, Method, MintError, Reply, RevocationToken, SendError, mint, revocation,
};
use mortise_connectors::{Manifest, Values, parse};
use mortise_domain::{RefreshToken, ScopeSet, Timestamp, TokenGrant};
use serde_json::{Value, json};
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(30);

/// A login in two steps, with everything in it.
const FULL: &str = r#"
id: acme
name: Acme
auth:
  type: two_step
  credentials:
    user: {type: text, title: User}
    password: {type: secret, title: Password}
    site_key: {type: secret, title: Key}
  steps:
    - url: https://{shop}.acme.example/session
      body: json
      params: {/login/name: "{user}", /login/password: "{password}"}
      literals: {/login/remember: "false"}
      take: {session: /session/id, account: /account}
    - method: GET
      url: https://{shop}.acme.example/token?v=2
      params: {account: "{account}"}
      headers: {x-session: "{session}"}
      basic: {username: "{user}", password: "{site_key}"}
  refresh:
    - url: https://{shop}.acme.example/refresh
      params: {token: "{refresh_token}", session: "{session}"}
  revocation:
    url: https://{shop}.acme.example/logout
    headers: {x-token: "{access_token}"}
  token_response: {access_token: /data/token, refresh_token: /data/refresh, expires_in: /data/ttl, extra: {plan: /data/plan}}
  recovery_class: S
  refresh_errors: {permanent: [locked], transient: [busy]}
variables: {shop: {type: host_label, title: Shop}}
api:
  base_url: https://{shop}.acme.example/v1
  headers: {x-token: "{access_token}", x-key: "{site_key}"}
  query: {account: "{account}"}
"#;

fn manifest(text: &str) -> Manifest {
    parse(text).unwrap_or_else(|found| panic!("{found:#?}"))
}

fn values() -> Values {
    Values::from([("shop".to_owned(), "demo".to_owned())])
}

fn given(pairs: &[(&str, &str)]) -> Credentials {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), PastedSecret::new(*value))).collect()
}

fn client() -> ClientRegistration<'static> {
    ClientRegistration { client_id: "", secret: None, redirect_uri: "", signer: None, dpop_key: None }
}

fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().expect("a time")
}

fn reply(status: u16, body: &Value) -> Reply {
    Reply::new(status, Some("application/json"), body.to_string())
}

async fn log_in(text: &str, transport: &ScriptedTransport, credentials: &Credentials) -> Result<TokenGrant, MintError> {
    let (manifest, values, scopes) = (manifest(text), values(), ScopeSet::default());
    let provider = Provider { manifest: &manifest, values: &values };
    mint(transport, &provider, &client(), &Given { credentials, scopes: &scopes }, DEADLINE, now()).await
}

fn everything() -> Credentials {
    given(&[("user", "ann"), ("password", "p\"w\\ {x}"), ("site_key", "canary-key")])
}

fn class(outcome: Result<TokenGrant, MintError>) -> FailureClass {
    match outcome {
        Err(MintError::Refused(refused)) => refused.failure.class,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn each_request_uses_what_was_given_and_what_the_one_before_it_told() {
    let transport = ScriptedTransport::new();
    transport.reply(reply(200, &json!({"session": {"id": "s&1"}, "account": 7})));
    let data = json!({"token": "t-1", "refresh": "r-1", "ttl": "600", "plan": "gold"});
    transport.reply(reply(201, &json!({"data": data})));
    let grant = log_in(FULL, &transport, &everything()).await.expect("a token");
    let [first, second] = &transport.take_requests()[..] else { panic!("two requests") };
    assert_eq!((first.method, first.url.as_str()), (Method::Post, "https://demo.acme.example/session"));
    assert_eq!(header(first, "content-type"), Some("application/json"));
    let body: Value = serde_json::from_slice(&first.body).expect("JSON");
    assert_eq!(body, json!({"login": {"name": "ann", "password": "p\"w\\ {x}", "remember": false}}));
    assert_eq!((second.method, second.url.as_str()), (Method::Get, "https://demo.acme.example/token?v=2&account=7"));
    assert_eq!(header(second, "x-session"), Some("s&1"));
    assert_eq!(header(second, "authorization"), Some("Basic YW5uOmNhbmFyeS1rZXk="));
    assert!(second.body.is_empty());
    assert_eq!((grant.access_token.expose(), grant.token_type.as_str()), ("t-1", "two_step"));
    assert_eq!(grant.refresh_token.as_ref().map(RefreshToken::expose), Some("r-1"));
    assert_eq!((grant.lifetime, &grant.extra["plan"]), (Some(Duration::from_secs(600)), &json!("gold")));
    // The password is needed for nothing once there is a token.
    let kept: Vec<_> = grant.kept.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
    assert_eq!(kept, [("account", "7"), ("session", "s&1"), ("site_key", "canary-key")]);
}

#[tokio::test]
async fn a_refresh_token_renews_with_what_was_kept() {
    let (manifest, values) = (manifest(FULL), values());
    let provider = Provider { manifest: &manifest, values: &values };
    let transport = ScriptedTransport::new();
    transport.reply(reply(200, &json!({"data": {"token": "t-2", "ttl": 600}})));
    let kept = given(&[("session", "s 1"), ("account", "7"), ("site_key", "k")]);
    let token = RefreshToken::new("r-1");
    let grant =
        crate::renew(&transport, &provider, &client(), (&token, &kept), DEADLINE, now()).await.expect("a token");
    let [request] = &transport.take_requests()[..] else { panic!("one request") };
    assert_eq!(request.url.as_str(), "https://demo.acme.example/refresh");
    assert_eq!(String::from_utf8_lossy(&request.body), "session=s+1&token=r-1");
    assert!(grant.refresh_token.is_none(), "the one that was sent stays good");
    assert_eq!(grant.kept.len(), 3);
}

/// As the refresh token of any other mode: what is spent by its use must not get lost on the way.
#[tokio::test]
async fn a_refresh_token_that_is_spent_by_its_use_goes_out_on_a_connection_of_its_own() {
    let patient = Duration::from_secs(300);
    let (values, token) = (values(), RefreshToken::new("r-1"));
    for (class, fresh, deadline) in [("S", true, 120), ("F", true, 120), ("G", false, 30), ("M", false, 30)] {
        let manifest = manifest(&FULL.replace("recovery_class: S", &format!("recovery_class: {class}")));
        let provider = Provider { manifest: &manifest, values: &values };
        let transport = ScriptedTransport::new();
        transport.reply(reply(200, &json!({"data": {"token": "t-2"}})));
        let kept = given(&[("session", "s"), ("account", "7"), ("site_key", "k")]);
        crate::renew(&transport, &provider, &client(), (&token, &kept), patient, now()).await.expect("a token");
        let [request] = &transport.take_requests()[..] else { panic!("one request") };
        assert_eq!((request.fresh_connection, request.deadline.as_secs()), (fresh, deadline), "{class}");
    }
    // A login presents nothing that could be spent.
    let transport = ScriptedTransport::new();
    transport.reply(reply(200, &json!({"session": {"id": "s"}, "account": 7})));
    transport.reply(reply(200, &json!({"data": {"token": "t-1"}})));
    log_in(FULL, &transport, &everything()).await.expect("a token");
    assert!(transport.take_requests().iter().all(|request| !request.fresh_connection));
}

#[test]
fn a_token_is_ended_and_carried_as_the_manifest_says() {
    let (manifest, values) = (manifest(FULL), values());
    let provider = Provider { manifest: &manifest, values: &values };
    let token = AccessToken::new("t-1");
    let request = revocation(&provider, &client(), RevocationToken::Access(&token)).expect("built").expect("a request");
    assert_eq!((request.url.as_str(), header(&request, "x-token")), ("https://demo.acme.example/logout", Some("t-1")));
    let refresh = RefreshToken::new("r-1");
    assert!(revocation(&provider, &client(), RevocationToken::Refresh(&refresh)).expect("built").is_none());
    let kept = given(&[("session", "s"), ("account", "7"), ("site_key", "k")]);
    let carried = carried_token(&provider, &token, &kept).expect("filled in").expect("a way of its own");
    let shown = |all: &std::collections::BTreeMap<String, PastedSecret>| -> Vec<_> {
        all.iter().map(|(name, value)| format!("{name}={}", value.expose())).collect()
    };
    assert_eq!(
        (shown(&carried.headers), shown(&carried.query)),
        (vec!["x-key=k".into(), "x-token=t-1".into()], vec!["account=7".into()])
    );
    assert!(carried_token(&provider, &token, &given(&[])).is_err(), "what was not kept cannot be carried");
}

/// One step with a body in XML.
const XML: &str = r#"
id: acme
name: Acme
auth:
  type: two_step
  credentials: {user: {type: text, title: U}, password: {type: secret, title: P}}
  steps:
    - url: https://acme.example/login
      body: xml
      xml: '<login user="{user}"><password>{password}</password></login>'
  default_lifetime: 900
"#;

#[tokio::test]
async fn a_value_in_xml_cannot_end_its_place() {
    let transport = ScriptedTransport::new();
    transport.reply(reply(200, &json!({"access_token": "t"})));
    let credentials = given(&[("user", "a\" b=\"'"), ("password", "</password><x>&amp;")]);
    let grant = log_in(XML, &transport, &credentials).await.expect("a token");
    let [request] = &transport.take_requests()[..] else { panic!("one request") };
    let expected =
        "<login user=\"a&quot; b=&quot;&apos;\"><password>&lt;/password&gt;&lt;x&gt;&amp;amp;</password></login>";
    assert_eq!(String::from_utf8_lossy(&request.body), expected);
    assert_eq!(
        (header(request, "content-type"), header(request, "accept")),
        (Some("application/xml"), Some("application/xml"))
    );
    assert_eq!((grant.lifetime, grant.kept.len()), (Some(Duration::from_secs(900)), 0));
    assert!(matches!(
        log_in(XML, &transport, &given(&[("user", "a\nb"), ("password", "p")])).await,
        Err(MintError::Protocol(_))
    ));
}

#[tokio::test]
async fn who_says_no_refuses_what_was_given_and_who_fails_says_nothing() {
    for (status, body, expected) in [
        (401, json!({}), FailureClass::GrantRejected),
        (401, json!({"error": "invalid_client"}), FailureClass::GrantRejected),
        (400, json!({"error": "invalid_grant"}), FailureClass::GrantRejected),
        (403, json!({"message": "no"}), FailureClass::GrantRejected),
        (422, json!({"error": "wrong"}), FailureClass::GrantRejected),
        (200, json!({"error": "wrong password"}), FailureClass::GrantRejected),
        (200, json!({"error": "locked"}), FailureClass::GrantRejected),
        (200, json!({"error": "busy"}), FailureClass::Ambiguous),
        (404, json!({}), FailureClass::Unknown),
        (429, json!({}), FailureClass::Throttled),
        (500, json!({}), FailureClass::Ambiguous),
        (302, json!({}), FailureClass::Ambiguous),
        (200, json!({"nothing": "of use"}), FailureClass::Ambiguous),
        (200, json!({"session": {"id": "a\nb"}, "account": 1}), FailureClass::Ambiguous),
        (200, json!({"session": {"id": ["x"]}, "account": 1}), FailureClass::Ambiguous),
        (200, json!({"session": {"id": "x".repeat(20_000)}, "account": 1}), FailureClass::Ambiguous),
    ] {
        let transport = ScriptedTransport::new();
        transport.reply(reply(status, &body));
        assert_eq!(class(log_in(FULL, &transport, &everything()).await), expected, "{status} {body}");
        assert_eq!(transport.take_requests().len(), 1, "nothing is sent after it");
    }
}

#[tokio::test]
async fn what_breaks_before_the_first_request_did_nothing_and_after_it_nobody_knows() {
    let transport = ScriptedTransport::new();
    transport.fail(SendError::Connect);
    assert_eq!(class(log_in(FULL, &transport, &everything()).await), FailureClass::NotSent);
    transport.reply(reply(200, &json!({"session": {"id": "s"}, "account": 7})));
    transport.fail(SendError::Connect);
    assert_eq!(class(log_in(FULL, &transport, &everything()).await), FailureClass::Ambiguous);
}

#[tokio::test]
async fn what_was_given_does_not_come_back_in_an_error() {
    let transport = ScriptedTransport::new();
    transport.reply(reply(401, &json!({"error": "canary-key"})));
    let Err(MintError::Refused(refused)) = log_in(FULL, &transport, &everything()).await else { panic!("refused") };
    assert!(!format!("{refused:?}").contains("canary"), "{refused:?}");
}

#[test]
fn a_simulation_shows_every_request_with_words_for_secrets() {
    let (manifest, values, scopes) = (manifest(FULL), values(), ScopeSet::default());
    let provider = Provider { manifest: &manifest, values: &values };
    let client = crate::SimulatedClient { client_id: "", redirect_uri: "", scopes: &scopes };
    let shown = crate::simulate(&provider, &client).expect("requests");
    let steps: Vec<_> = shown.iter().map(|request| (request.step, request.url.as_str())).collect();
    let at = |path: &str| format!("https://demo.acme.example{path}");
    let (login, token, refresh, logout) =
        (at("/session"), at("/token?v=2&account=ACCOUNT"), at("/refresh"), at("/logout"));
    let expected = [
        (crate::Step::Token, login.as_str()),
        (crate::Step::Token, &token),
        (crate::Step::Refresh, &refresh),
        (crate::Step::Revoke, &logout),
    ];
    assert_eq!(steps, expected);
    let body = r#"{"login":{"name":"USER","password":"PASSWORD","remember":false}}"#;
    assert_eq!(shown[0].body.as_deref(), Some(body));
    assert_eq!(shown[2].body.as_deref(), Some("session=SESSION&token=REFRESH_TOKEN"));
}
