//! T02 to T06, T11 and H03: what a token endpoint may say, read back from the API that hands tokens out.

use crate::api::bench::{Bench, assert_problem};
use mortise_oauth::Reply;
use mortise_oauth::testing::body_params;
use serde_json::{Value, json};

const JSON: Option<&str> = Some("application/json");

/// A connection with `refresh_token` as its refresh token.
async fn connected(bench: &Bench, customer: &str, refresh_token: &str) -> String {
    bench.put(&format!("/v1/customers/{customer}"), &json!({})).await;
    let body = json!({
        "customer": customer, "app": "acme",
        "credentials": {"access_token": "canary-at-0", "refresh_token": refresh_token, "expires_at": "2099-01-01T00:00:00Z"},
    });
    bench.post("/v1/connections", &body).await.expect(201).json()["id"].as_str().unwrap().to_owned()
}

/// Refreshes once with `body` as the provider's reply; the answer's status.
async fn refreshed(bench: &Bench, connection: &str, status: u16, kind: Option<&str>, body: &str) -> u16 {
    bench.provider.reply(Reply::new(status, kind, body));
    let answer = bench.post(&format!("/v1/connections/{connection}/refresh"), &json!({})).await;
    assert!(!answer.body.contains("canary-at"), "{answer:?}");
    answer.status
}

async fn fetched(bench: &Bench, connection: &str) -> Value {
    bench.get(&format!("/v1/connections/{connection}/token")).await.expect(200).json()
}

fn granted(changes: &Value) -> String {
    let mut reply = json!({"access_token": "canary-at-1", "token_type": "Bearer", "expires_in": 3600});
    reply.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    reply.to_string()
}

#[actix_web::test]
async fn t02_only_bearer_tokens_are_taken_in_any_spelling() {
    let bench = Bench::registered().await;
    let table = [
        (json!({"token_type": "bearer"}), true),
        (json!({"token_type": "BEARER"}), true),
        (json!({"token_type": "BeArEr"}), true),
        (json!({"token_type": "mac"}), false),
        (json!({"token_type": "DPoP"}), false),
        (json!({"token_type": "N_A"}), false),
        (json!({"token_type": ""}), false),
        (json!({"token_type": null}), false),
        (json!({"token_type": ["bearer"]}), false),
    ];
    for (index, (changes, taken)) in table.into_iter().enumerate() {
        let id = connected(&bench, &format!("t02-{index}"), "canary-rt").await;
        let status = refreshed(&bench, &id, 200, JSON, &granted(&changes)).await;
        assert_eq!(status, if taken { 200 } else { 503 }, "{changes}");
        let served = fetched(&bench, &id).await;
        let expected = if taken { "canary-at-1" } else { "canary-at-0" };
        assert_eq!((&served["access_token"], &served["token_type"]), (&json!(expected), &json!("bearer")), "{changes}");
    }
}

#[actix_web::test]
async fn t03_a_lifetime_in_any_form_is_within_a_second_and_ten_years() {
    const TEN_YEARS: i64 = 10 * 365 * 86_400;
    let bench = Bench::registered().await;
    // `None`: nobody knows when the token ends.
    let table = [
        ("3600", Some(3600)),
        ("\"3600\"", Some(3600)),
        ("\" 3600 \"", Some(3600)),
        ("3600.0", Some(3600)),
        ("3600.9", Some(3600)),
        ("3.6e3", Some(3600)),
        ("null", None),
        ("\"\"", None),
        ("\"soon\"", None),
        ("\"NaN\"", None),
        ("true", None),
        ("0", Some(1)),
        ("-5", Some(1)),
        ("\"-5\"", Some(1)),
        ("315360000", Some(TEN_YEARS)),
        ("315360001", Some(TEN_YEARS)),
        ("9223372036854775808", Some(TEN_YEARS)),
        ("\"inf\"", Some(TEN_YEARS)),
    ];
    for (index, (value, expected)) in table.into_iter().enumerate() {
        let id = connected(&bench, &format!("t03-{index}"), "canary-rt").await;
        let body = format!(r#"{{"access_token":"canary-at-1","token_type":"bearer","expires_in":{value}}}"#);
        assert_eq!(refreshed(&bench, &id, 200, JSON, &body).await, 200, "{value}");
        let events = bench.get(&format!("/v1/connections/{id}/events")).await.expect(200).json();
        let line = events["items"].as_array().unwrap().iter().find(|line| line["kind"] == "refreshed").cloned();
        let line = line.unwrap_or_else(|| panic!("{value}: {events}"));
        assert_eq!(line["detail"]["expires_in"], json!(expected), "{value}");
        let view = bench.get(&format!("/v1/connections/{id}")).await.expect(200).json();
        assert_eq!(view["expires_at"].is_null(), expected.is_none(), "{value}: {view}");
    }
}

#[actix_web::test]
async fn t04_the_newest_refresh_token_is_the_one_that_is_sent() {
    let bench = Bench::registered().await;
    let id = connected(&bench, "t04", "canary-rt-0").await;
    let table = [
        (json!({}), "canary-rt-0"),
        (json!({"refresh_token": null}), "canary-rt-0"),
        (json!({"refresh_token": ""}), "canary-rt-0"),
        (json!({"refresh_token": "canary-rt-1"}), "canary-rt-0"),
        (json!({"refresh_token": "canary-rt-1"}), "canary-rt-1"),
        (json!({}), "canary-rt-1"),
        (json!({"refresh_token": "canary-rt-2"}), "canary-rt-1"),
        (json!({}), "canary-rt-2"),
    ];
    for (index, (changes, sent)) in table.into_iter().enumerate() {
        let token = format!("canary-at-{index}-new");
        let mut reply: Value = serde_json::from_str(&granted(&changes)).unwrap();
        reply["access_token"] = json!(token);
        assert_eq!(refreshed(&bench, &id, 200, JSON, &reply.to_string()).await, 200, "{index}");
        let [request] = &bench.provider.take_requests()[..] else { panic!("{index}: one request") };
        assert_eq!(body_params(request)["refresh_token"], sent, "{index}");
        assert_eq!(fetched(&bench, &id).await["access_token"], token.as_str(), "{index}");
    }
}

#[actix_web::test]
async fn t05_scopes_are_what_was_told_last_and_a_loss_is_told() {
    let bench = Bench::registered().await;
    let id = connected(&bench, "t05", "canary-rt").await;
    let table = [
        (json!({}), json!(["read", "write"]), Value::Null),
        (json!({"scope": "read"}), json!(["read"]), json!({"lost": ["write"], "gained": []})),
        (json!({}), json!(["read"]), Value::Null),
        (json!({"scope": ""}), json!(["read"]), Value::Null),
        (json!({"scope": "read"}), json!(["read"]), Value::Null),
        (json!({"scope": ["write", "read"]}), json!(["read", "write"]), json!({"lost": [], "gained": ["write"]})),
        (json!({"scope": "write admin"}), json!(["admin", "write"]), json!({"lost": ["read"], "gained": ["admin"]})),
    ];
    for (changes, scopes, change) in table {
        assert_eq!(refreshed(&bench, &id, 200, JSON, &granted(&changes)).await, 200, "{changes}");
        let token = fetched(&bench, &id).await;
        let view = bench.get(&format!("/v1/connections/{id}")).await.expect(200).json();
        assert_eq!((&token["granted_scopes"], &view["granted_scopes"]), (&scopes, &scopes), "{changes}");
        let events = bench.get(&format!("/v1/connections/{id}/events")).await.expect(200).json();
        let newest = events["items"].as_array().unwrap().iter().find(|line| line["kind"] == "refreshed").unwrap();
        assert_eq!(newest["detail"]["scope_changed"], change, "{changes}: {newest}");
    }
}

#[actix_web::test]
async fn t06_an_error_with_status_200_is_no_token() {
    let bench = Bench::new().await;
    let acme = crate::api::bench::ACME.to_owned() + "  token_response: {ok: /ok, error: /error}\n";
    bench.register(&acme, "acme").await;
    let form = Some("application/x-www-form-urlencoded");
    let table = [
        (JSON, r#"{"ok":false,"error":"fatal_error"}"#),
        (JSON, r#"{"ok":false,"access_token":"canary-at-x","token_type":"bearer"}"#),
        (JSON, r#"{"ok":true,"error":"temporarily_unavailable","access_token":"canary-at-x","token_type":"bearer"}"#),
        (JSON, r#"{"error":"bad_verification_code","error_description":"canary-at-x"}"#),
        (form, "error=server_error&error_description=canary-at-x"),
        (form, "ok=false&error=server_error&access_token=canary-at-x&token_type=bearer"),
        (Some("text/plain"), "error=server_error&access_token=canary-at-x&token_type=bearer"),
    ];
    for (index, (kind, body)) in table.into_iter().enumerate() {
        let id = connected(&bench, &format!("t06-{index}"), "canary-rt").await;
        let status = refreshed(&bench, &id, 200, kind, body).await;
        assert!([429, 503].contains(&status), "{body}: {status}");
        assert_eq!(fetched(&bench, &id).await["access_token"], "canary-at-0", "{body}");
        let events = bench.get(&format!("/v1/connections/{id}/events")).await.expect(200);
        assert!(!events.body.contains("canary") && !events.body.contains("\"refreshed\""), "{}", events.body);
    }
}

#[actix_web::test]
async fn t11_tokens_of_any_sane_length_are_taken_and_control_characters_never() {
    let bench = Bench::registered().await;
    let table = [
        ("x".repeat(300), true),
        ("x".repeat(16 * 1024), true),
        ("x".repeat(17 * 1024), false),
        ("canary-at-\r\nx: y".to_owned(), false),
        ("canary-at-\u{0}".to_owned(), false),
        ("canary-at-\u{7f}".to_owned(), false),
        ("canary-at-ä".to_owned(), false),
    ];
    for (index, (token, taken)) in table.into_iter().enumerate() {
        for member in ["access_token", "refresh_token"] {
            let id = connected(&bench, &format!("t11-{index}-{member}").replace('_', "-"), "canary-rt").await;
            let status = refreshed(&bench, &id, 200, JSON, &granted(&json!({member: token}))).await;
            assert_eq!(status, if taken { 200 } else { 503 }, "{member} of {} bytes", token.len());
            let served = fetched(&bench, &id).await["access_token"].clone();
            match (taken, member) {
                (true, "access_token") => assert_eq!(served, token.as_str()),
                (true, _) => assert_eq!(served, "canary-at-1"),
                (false, _) => assert_eq!(served, "canary-at-0"),
            }
        }
    }
}

#[actix_web::test]
async fn h03_nonsense_costs_neither_the_token_nor_the_refresh_token() {
    let bench = Bench::registered().await;
    let deep = |open: &str, close: &str| format!("{{\"a\":{}{}}}", open.repeat(10_000), close.repeat(10_000));
    let many = format!("{{{}}}", (0..100_000).map(|n| format!("\"k{n}\":1")).collect::<Vec<_>>().join(","));
    let table: Vec<(u16, Option<&str>, String)> = vec![
        (200, Some("text/html"), "<!doctype html><title>Sign in</title>".to_owned()),
        (200, JSON, String::new()),
        (204, None, String::new()),
        (200, JSON, format!("\u{feff}{}", granted(&json!({})))),
        (200, JSON, format!("{}trailing", granted(&json!({})))),
        (200, JSON, r#"{"access_token":"canary-at-1","access_token":"canary-at-2","token_type":"bearer"}"#.to_owned()),
        (200, JSON, deep("[", "]")),
        (200, JSON, deep("{\"a\":", "}")),
        (200, JSON, many),
        (200, JSON, granted(&json!({})).replace("3600", &"9".repeat(100_000))),
        (200, JSON, granted(&json!({})).replace("3600", "1e999")),
        (200, JSON, "[]".to_owned()),
        (200, Some("application/xml"), "<?xml version=\"1.0\"?><token/>".to_owned()),
        (302, None, String::new()),
    ];
    for (index, (status, kind, body)) in table.into_iter().enumerate() {
        let id = connected(&bench, &format!("h03-{index}"), "canary-rt").await;
        assert_eq!(refreshed(&bench, &id, status, kind, &body).await, 503, "{index}");
        let view = bench.get(&format!("/v1/connections/{id}")).await.expect(200).json();
        assert_eq!(view["state"], "active", "{index}");
        assert_eq!(fetched(&bench, &id).await["access_token"], "canary-at-0", "{index}");
        bench.provider.take_requests();
    }
    let unknown = bench.get("/v1/connections/con_0192d5e8f3a17c0e9b1d2f3a4b5c6d7e/token").await;
    assert_problem(&unknown, 404, "not_found");
}
