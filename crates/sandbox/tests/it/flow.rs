//! The whole life of a grant in each class.

use crate::http::send;
use crate::kit::{REDIRECT, VERIFIER, error, start, tokens};
use mortise_sandbox::RecoveryClass;
use serde_json::json;

#[tokio::test]
async fn a_grant_lives_through_consent_use_refresh_and_revocation_in_each_class() {
    let kit = start().await;
    for class in RecoveryClass::ALL {
        let answer = kit.consent(class, "allow").await;
        assert_eq!(answer["state"], "st&te ü=");
        assert_eq!(answer["iss"], kit.sandbox.issuer(class));
        assert_eq!(answer["fixed"], "1", "the redirect URI's own query stays");
        let reply = kit.exchange(class, &answer["code"]).await;
        let body = reply.json();
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(60)));
        assert_eq!((&body["scope"], &body["instance_url"]), (&json!("read write"), &json!(kit.sandbox.issuer(class))));
        let (mut access, mut refresh) = tokens(&reply);
        assert!(access.starts_with("sbx_at_") && refresh.starts_with("sbx_rt_"));
        for _ in 0..3 {
            assert_eq!(kit.userinfo(class, &access).await.json()["email"], "alex@sandbox.example");
            kit.clock.advance_seconds(60);
            assert_eq!(error(&kit.userinfo(class, &access).await), (401, "invalid_token".to_owned()));
            let (next_access, next_refresh) = tokens(&kit.refresh(class, &refresh).await);
            assert_ne!(next_access, access);
            assert_eq!(next_refresh.is_empty(), class == RecoveryClass::N, "{class}");
            access = next_access;
            if !next_refresh.is_empty() {
                refresh = next_refresh;
            }
        }
        let path = format!("/{class}/introspect");
        let introspected = kit.as_client(&path, &[("token", &access)]).await.unwrap().json();
        assert_eq!((&introspected["active"], &introspected["sub"]), (&json!(true), &json!("alex")));
        let revoked = kit.as_client(&format!("/{class}/revoke"), &[("token", &refresh)]).await.unwrap();
        assert_eq!((revoked.status, revoked.body.len()), (200, 0));
        for token in [&access, &refresh] {
            assert_eq!(kit.as_client(&path, &[("token", token)]).await.unwrap().json(), json!({"active": false}));
        }
        assert_eq!(error(&kit.refresh(class, &refresh).await), (400, "invalid_grant".to_owned()));
    }
    let totals = kit.sandbox.totals();
    assert_eq!((totals.grants, totals.live_grants, totals.issued, totals.overlaps), (6, 0, 24, 0));
    kit.stop().await;
}

#[tokio::test]
async fn a_code_works_once_and_its_reuse_ends_the_grant() {
    let kit = start().await;
    let answer = kit.consent(RecoveryClass::M, "allow").await;
    let (access, refresh) = tokens(&kit.exchange(RecoveryClass::M, &answer["code"]).await);
    assert_eq!(error(&kit.exchange(RecoveryClass::M, &answer["code"]).await), (400, "invalid_grant".to_owned()));
    assert!(!kit.alive(&access) && !kit.alive(&refresh));
    let report = kit.sandbox.oracle(&Default::default(), 0);
    assert_eq!(serde_json::to_value(report.grants[0].ended).unwrap(), "code_reused");
}

#[tokio::test]
async fn a_code_is_tied_to_verifier_redirect_client_class_and_minute() {
    let kit = start().await;
    let class = RecoveryClass::S;
    let public = json!({"client_id": "public-client"});
    assert_eq!(kit.control("clients", public).await.status, 200);
    let usual = [("grant_type", "authorization_code"), ("redirect_uri", REDIRECT), ("code_verifier", VERIFIER)];
    let wrong_verifier = VERIFIER.to_uppercase();
    let table: [(&str, &str, i64); 5] = [
        ("code_verifier", &wrong_verifier, 0),
        ("code_verifier", "", 0),
        ("redirect_uri", "http://localhost:9/callback", 0),
        ("redirect_uri", "", 0),
        ("", "", 60),
    ];
    for (name, value, wait) in table {
        let code = kit.consent(class, "allow").await.remove("code").unwrap();
        kit.clock.advance_seconds(wait);
        let mut form: Vec<(&str, &str)> =
            usual.iter().map(|(key, usual)| if *key == name { (*key, value) } else { (*key, *usual) }).collect();
        form.push(("code", &code));
        let reply = kit.as_client("/s/token", &form).await.unwrap();
        assert_eq!(error(&reply), (400, "invalid_grant".to_owned()), "{name} {value} {wait}");
        assert_eq!(error(&kit.exchange(class, &code).await), (400, "invalid_grant".to_owned()), "it is spent");
    }
    let code = kit.consent(class, "allow").await.remove("code").unwrap();
    let mut form = usual.to_vec();
    form.extend([("code", code.as_str()), ("client_id", "public-client")]);
    assert_eq!(error(&kit.post("/s/token", &form).await), (400, "invalid_grant".to_owned()));
    assert_eq!(error(&kit.exchange(RecoveryClass::F, &code).await), (400, "invalid_grant".to_owned()));
    tokens(&kit.exchange(class, &code).await);
}

#[tokio::test]
async fn clients_prove_themselves_by_header_body_or_not_at_all() {
    let kit = start().await;
    let odd = "s:e%c r+t/ö";
    kit.control("clients", json!({"client_id": "odd", "client_secret": odd})).await;
    kit.control("clients", json!({"client_id": "public"})).await;
    let form = [("grant_type", "client_credentials"), ("scope", "jobs")];
    let reply = kit.as_client("/n/token", &form).await.unwrap();
    assert_eq!(tokens(&reply).1, "", "no refresh token comes with client credentials");
    assert_eq!(kit.userinfo(RecoveryClass::N, &tokens(&reply).0).await.json()["scope"], "jobs");
    let posted = kit.post("/n/token", &[form[0], ("client_id", "odd"), ("client_secret", odd)]).await;
    assert_eq!(posted.status, 200);
    let encoded: String = url::form_urlencoded::byte_serialize(odd.as_bytes()).collect();
    let basic = |id: &str, secret: &str| {
        use base64::Engine as _;
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}")))
    };
    let header = basic("odd", &encoded);
    let by_header = kit.try_post("/n/token", &form, &[("Authorization", &header)]).await.unwrap();
    assert_eq!(by_header.status, 200);
    let wrong = basic("odd", "wrong");
    let refused = kit.try_post("/n/token", &form, &[("Authorization", &wrong)]).await.unwrap();
    assert_eq!(error(&refused), (401, "invalid_client".to_owned()));
    assert!(refused.header("www-authenticate").is_some_and(|challenge| challenge.starts_with("Basic")));
    for credentials in [
        vec![],
        vec![("client_id", "nobody"), ("client_secret", "x")],
        vec![("client_id", "odd")],
        vec![("client_id", "public"), ("client_secret", "x")],
    ] {
        let all = [vec![form[0]], credentials].concat();
        assert_eq!(error(&kit.post("/n/token", &all).await), (401, "invalid_client".to_owned()), "{all:?}");
    }
    let public = kit.post("/n/token", &[form[0], ("client_id", "public")]).await;
    assert_eq!(error(&public), (400, "unauthorized_client".to_owned()));
    let twice = [form[0], ("client_secret", "sandbox-secret")];
    assert_eq!(error(&kit.as_client("/n/token", &twice).await.unwrap()), (400, "invalid_request".to_owned()));
}

#[tokio::test]
async fn a_refresh_may_narrow_the_scopes_and_never_widen_them() {
    let kit = start().await;
    let (_, refresh) = kit.connect(RecoveryClass::S).await;
    let form = |scope| [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str()), ("scope", scope)];
    let wider = kit.as_client("/s/token", &form("read admin")).await.unwrap();
    assert_eq!(error(&wider), (400, "invalid_scope".to_owned()));
    let narrower = kit.as_client("/s/token", &form("read")).await.unwrap();
    assert_eq!(narrower.json()["scope"], "read");
}

#[tokio::test]
async fn json_bodies_are_read_too() {
    let kit = start().await;
    let (_, refresh) = kit.connect(RecoveryClass::S).await;
    let body = json!({"grant_type": "refresh_token", "refresh_token": refresh,
        "client_id": "sandbox-client", "client_secret": "sandbox-secret"});
    let headers = [("Content-Type", "application/json")];
    let reply = send(kit.sandbox.addr(), "POST", "/s/token", &headers, body.to_string().as_bytes()).await.unwrap();
    tokens(&reply);
}

#[tokio::test]
async fn revoking_an_access_token_spares_its_grant_and_strangers_change_nothing() {
    let kit = start().await;
    kit.control("clients", json!({"client_id": "other", "client_secret": "o"})).await;
    let (access, refresh) = kit.connect(RecoveryClass::F).await;
    let as_other = [("client_id", "other"), ("client_secret", "o"), ("token", refresh.as_str())];
    assert_eq!(kit.post("/f/introspect", &as_other).await.json(), json!({"active": false}));
    assert_eq!(error(&kit.post("/f/revoke", &as_other).await), (400, "unauthorized_client".to_owned()));
    assert!(kit.alive(&refresh));
    assert_eq!(kit.as_client("/f/revoke", &[("token", &access)]).await.unwrap().status, 200);
    assert!(!kit.alive(&access) && kit.alive(&refresh));
    assert_eq!(kit.as_client("/f/revoke", &[("token", "never-issued")]).await.unwrap().status, 200);
    assert_eq!(error(&kit.as_client("/f/revoke", &[]).await.unwrap()), (400, "invalid_request".to_owned()));
}
