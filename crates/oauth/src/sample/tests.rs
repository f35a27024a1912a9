use super::*;
use crate::fixture::manifest;
use mortise_connectors::{Values, parse};
use serde_json::json;

const CANARY: &str = "canary-2YotnFZFEjr1zCsicMWpAA";

async fn read(manifest: &Manifest, of: SampleOf, status: u16, body: &str) -> Sample {
    let provider = Provider { manifest, values: &Values::new() };
    let sample = read_sample(&provider, of, Reply::new(status, None, body), Timestamp::UNIX_EPOCH).await;
    assert!(!format!("{sample:?}").contains("canary"), "{sample:?}");
    sample
}

fn granted(sample: Sample) -> TokenGrant {
    match sample.told {
        Ok(Told::Grant(grant)) => *grant,
        told => panic!("{told:?}"),
    }
}

fn read_by(sample: &Sample) -> Vec<(&str, Option<&str>)> {
    sample.places.iter().map(|place| (place.pointer.as_str(), place.read_by.as_deref())).collect()
}

#[tokio::test]
async fn a_reply_is_read_as_the_manifest_says_and_what_it_overlooks_shows() {
    let wrapped = manifest(json!({"token_response": {
        "access_token": "/data/token", "refresh_token": "/data/refresh", "token_type_optional": true,
        "extra": {"shop": "/data/shop", "inside": "/data/inside"}
    }}));
    let body = json!({
        "data": {"token": CANARY, "refresh": format!("{CANARY}-r"), "shop": 17, "inside": "https://127.0.0.1/", "a/b": {}},
        "expires_in": 3600, "scope": "a b", "uid": null, "more": ["x", true]
    });
    let sample = read(&wrapped, SampleOf::Token, 200, &body.to_string()).await;
    let expected = [
        ("/data/a~1b", None),
        ("/data/inside", Some("extra.inside")),
        ("/data/refresh", Some("refresh_token")),
        ("/data/shop", Some("extra.shop")),
        ("/data/token", Some("access_token")),
        ("/expires_in", Some("expires_in")),
        ("/more/0", None),
        ("/more/1", None),
        ("/scope", Some("scope")),
        ("/uid", None),
    ];
    assert_eq!(read_by(&sample), expected);
    let kinds: Vec<_> = sample.places.iter().map(|place| place.kind.to_string()).collect();
    assert_eq!(
        kinds[..5],
        ["empty", "a text of 18 characters", "a text of 31 characters", "a number", "a text of 29 characters"]
    );
    let grant = granted(sample);
    assert_eq!((grant.access_token.expose(), grant.lifetime), (CANARY, Some(Duration::from_secs(3600))));
    assert!(grant.refresh_token.is_some());
    // What leads nowhere is left out, as it is for real.
    assert_eq!(grant.extra, BTreeMap::from([("shop".to_owned(), json!(17))]));
}

#[tokio::test]
async fn an_error_is_one_whatever_its_status_and_tells_where_things_stand() {
    let flagged = manifest(json!({
        "token_response": {"ok": "/ok", "error": "/code"}, "refresh_errors": {"permanent": ["90033"]}
    }));
    let body = r#"{"ok": false, "code": "90033"}"#;
    for (of, class) in [(SampleOf::Token, FailureClass::Unknown), (SampleOf::Refresh, FailureClass::GrantRejected)] {
        let sample = read(&flagged, of, 200, body).await;
        assert_eq!(read_by(&sample), [("/code", Some("error")), ("/ok", Some("ok"))]);
        let failure = sample.told.expect_err("an error");
        assert_eq!((failure.class, failure.error.as_deref()), (class, Some("90033")));
    }
    let elsewhere = read(
        &manifest(json!({})),
        SampleOf::Token,
        200,
        &json!({"data": {"access_token": CANARY}, "token_type": "bearer"}).to_string(),
    )
    .await;
    assert_eq!(elsewhere.told.as_ref().expect_err("no token").detail, "the reply holds no access token");
    assert_eq!(read_by(&elsewhere)[0], ("/data/access_token", None));
    let page = read(&manifest(json!({})), SampleOf::Token, 200, "<html>").await;
    assert_eq!((page.told.expect_err("a page").detail, page.places), ("the reply is HTML, not JSON", vec![]));
}

#[tokio::test]
async fn the_object_that_is_read_instead_is_read() {
    let alternate = manifest(json!({"token_response": {"alternate": "/user", "token_type": "/kind"}}));
    let body = json!({"user": {"access_token": CANARY, "kind": "bearer", "name": "x"}});
    let sample = read(&alternate, SampleOf::Token, 200, &body.to_string()).await;
    let expected =
        [("/user/access_token", Some("access_token")), ("/user/kind", Some("token_type")), ("/user/name", None)];
    assert_eq!(read_by(&sample), expected);
    assert_eq!(granted(sample).access_token.expose(), CANARY);
}

#[tokio::test]
async fn fragments_accounts_logins_and_tokens_with_secrets_are_read_too() {
    let implicit = manifest(json!({"grant": "implicit", "token_url": ""}));
    let fragment = format!("#access_token={CANARY}&token_type=bearer&state=s\n");
    let sample = read(&implicit, SampleOf::Token, 200, &fragment).await;
    assert!(read_by(&sample).contains(&("/state", None)));
    assert_eq!(granted(sample).access_token.expose(), CANARY);

    let identity = manifest(json!({"identity": {"url": "https://acme.example/me", "fields": {"account": "/0/id"}}}));
    let sample = read(&identity, SampleOf::Identity, 200, r#"[{"id": 7, "name": "n"}]"#).await;
    assert_eq!(read_by(&sample), [("/0/id", Some("extra.account")), ("/0/name", None)]);
    assert!(matches!(sample.told, Ok(Told::Account(fields)) if fields["account"] == json!(7)));

    let login = "id: a\nname: A\nauth:\n  type: two_step\n  credentials: {p: {type: secret, title: P}}\n  steps:\n    - {url: 'https://a.example/1', params: {p: '{p}'}, take: {x: /x}}\n    - {url: 'https://a.example/2', params: {x: '{x}'}, take: {site: /site}}\n  token_response: {access_token: /t}\n  default_lifetime: 60\napi:\n  base_url: https://a.example/\n  headers: {t: '{access_token}', s: '{site}'}\n";
    let login = parse(login).unwrap_or_else(|found| panic!("{found:#?}"));
    let body = json!({"t": CANARY, "site": "s", "u": 1}).to_string();
    let sample = read(&login, SampleOf::Token, 200, &body).await;
    assert_eq!(read_by(&sample), [("/site", Some("take.site")), ("/t", Some("access_token")), ("/u", None)]);
    assert_eq!(granted(sample).lifetime, Some(Duration::from_secs(60)));
    let lacking = read(&login, SampleOf::Token, 200, &json!({"t": CANARY}).to_string()).await;
    assert_eq!(lacking.told.expect_err("no site").detail, "a reply lacks what the next request or a call needs");

    let old = "id: a\nname: A\nauth: {type: oauth1, request_token_url: 'https://a.example/r', authorization_url: 'https://a.example/a', token_url: 'https://a.example/t'}\n";
    let old = parse(old).unwrap_or_else(|found| panic!("{found:#?}"));
    let sample =
        read(&old, SampleOf::Token, 200, &format!("oauth_token={CANARY}&oauth_token_secret=canary-s&user_id=7")).await;
    assert_eq!(read_by(&sample)[2], ("/user_id", None));
    assert_eq!(granted(sample).access_token.expose(), CANARY);
}

#[tokio::test]
async fn a_reply_to_a_request_that_is_never_made_is_no_sample() {
    for (manifest, of) in [(manifest(json!({})), SampleOf::Identity)] {
        let failure = read(&manifest, of, 200, "{}").await.told.expect_err("no such request");
        assert_eq!(failure.detail, "the connector makes no such request, so it reads no such reply");
    }
}
