//! Hostile input: a clear 4xx, nothing lost, nobody hurt.

use crate::http::{raw, send};
use crate::kit::{Kit, error, start, tokens};
use mortise_sandbox::RecoveryClass;
use serde_json::json;

async fn still_works(kit: &Kit) {
    let (_, refresh) = kit.connect(RecoveryClass::F).await;
    tokens(&kit.refresh(RecoveryClass::F, &refresh).await);
}

#[tokio::test]
async fn odd_bodies_at_the_protocol_endpoints() {
    let kit = start().await;
    let form = "application/x-www-form-urlencoded";
    let huge = vec![b'a'; 100_000];
    let bodies: [(&str, &[u8]); 9] = [
        (form, b""),
        (form, b"grant_type=refresh_token&grant_type=refresh_token"),
        (form, b"\xff\xfe\x00=%ff%fe&&&=&%"),
        (form, &huge),
        ("text/plain", b"grant_type=refresh_token"),
        ("", b"grant_type=refresh_token"),
        ("application/json", b"[1,2"),
        ("application/json", br#"{"grant_type":{"a":[]}}"#),
        ("multipart/form-data; boundary=x", b"--x--"),
    ];
    for endpoint in ["token", "revoke", "introspect"] {
        for (content_type, body) in &bodies {
            let headers = [("Content-Type", *content_type)];
            let reply = send(kit.sandbox.addr(), "POST", &format!("/f/{endpoint}"), &headers, body).await.unwrap();
            assert!((400..500).contains(&reply.status), "{endpoint} {content_type} {}", reply.status);
            assert!(reply.json()["error_description"].is_string(), "{endpoint} {content_type}");
        }
    }
    still_works(&kit).await;
}

#[tokio::test]
async fn odd_credentials_and_grants() {
    let kit = start().await;
    for header in ["Basic", "Basic %%%", "Basic bm9jb2xvbg==", "Basic //86/w==", "Bearer x", "Digest a=b"] {
        let form = [("grant_type", "client_credentials")];
        let reply = kit.try_post("/f/token", &form, &[("Authorization", header)]).await.unwrap();
        assert_eq!(error(&reply), (401, "invalid_client".to_owned()), "{header}");
    }
    for (form, code) in [
        (vec![], "invalid_request"),
        (vec![("grant_type", "magic")], "unsupported_grant_type"),
        (vec![("grant_type", "password")], "invalid_request"),
        (vec![("grant_type", "refresh_token")], "invalid_request"),
        (vec![("grant_type", "refresh_token"), ("refresh_token", "\0\r\n")], "invalid_grant"),
        (vec![("grant_type", "authorization_code")], "invalid_request"),
        (vec![("grant_type", "authorization_code"), ("code", "sbx_code_x")], "invalid_grant"),
    ] {
        assert_eq!(error(&kit.as_client("/f/token", &form).await.unwrap()), (400, code.to_owned()), "{form:?}");
    }
    for bearer in ["", "sbx_at_unknown", "a b c", "ü"] {
        assert_eq!(error(&kit.userinfo(RecoveryClass::F, bearer).await), (401, "invalid_token".to_owned()));
    }
    assert_eq!(kit.get("/f/userinfo").await.status, 401);
    still_works(&kit).await;
}

#[tokio::test]
async fn odd_addresses_and_methods() {
    let kit = start().await;
    for path in ["/", "/x/authorize", "/F/authorize", "/nn/token", "/f/unknown", "/control/unknown", "/%00", "/..%2f"] {
        assert_eq!(kit.get(path).await.status, 404, "{path}");
    }
    for (method, path) in
        [("GET", "/f/token"), ("PUT", "/f/revoke"), ("DELETE", "/control/reset"), ("TRACE", "/f/userinfo")]
    {
        let reply = send(kit.sandbox.addr(), method, path, &[], b"").await.unwrap();
        assert!([404, 405].contains(&reply.status), "{method} {path} {}", reply.status);
    }
    let garbage = raw(kit.sandbox.addr(), b"\x16\x03\x01 nonsense\r\n\r\n").await.unwrap();
    assert_eq!(garbage.status, 400);
    for form in
        [vec![], vec![("decision", "allow")], vec![("decision", "maybe")], vec![("decision", "deny"), ("request", "x")]]
    {
        assert_eq!(kit.post("/f/authorize", &form).await.status, 400, "{form:?}");
    }
    still_works(&kit).await;
}

#[tokio::test]
async fn odd_orders_at_the_control_endpoints() {
    let kit = start().await;
    for (path, body, code) in [
        ("script", json!({"class": "f", "action": {"status": 7}}), "invalid_script"),
        ("script", json!({"class": "z", "action": {}}), "invalid_json"),
        ("script", json!({"class": "f", "action": {"unknown": 1}}), "invalid_json"),
        ("script", json!({"class": "f"}), "invalid_json"),
        ("clients", json!({"client_id": ""}), "invalid_client_metadata"),
        ("clients", json!({"client_id": "a", "client_secret": ""}), "invalid_client_metadata"),
        ("clients", json!({"client_id": "a", "redirect_uris": ["nowhere"]}), "invalid_client_metadata"),
        ("classes/f", json!({"grace": -1}), "invalid_json"),
        ("classes/f", json!({"gracious": 1}), "invalid_json"),
        ("oracle/check", json!({}), "invalid_json"),
        ("grants", json!([]), "invalid_json"),
    ] {
        assert_eq!(error(&kit.control(path, body.clone()).await), (400, code.to_owned()), "{path} {body}");
    }
    assert_eq!(error(&kit.get("/control/oracle?class=q").await), (400, "invalid_query".to_owned()));
    assert_eq!(error(&kit.get("/control/oracle/requests?after=-1").await), (400, "invalid_query".to_owned()));
    assert_eq!(kit.control("classes/q", json!({})).await.status, 404);
    assert_eq!(kit.control("grants/x/end", json!({})).await.status, 404);
    still_works(&kit).await;
}
