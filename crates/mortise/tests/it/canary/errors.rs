//! Requests and replies that are wrong in ways that invite repeating them.

use super::run::{IMPORTED, Run};
use crate::world::api::{Api, app_id};
use crate::world::provider::CLIENT_ID;
use mortise_sandbox::NewGrants;
use mortise_sandbox::RecoveryClass::F;
use mortise_testkit::{Answer, Http};
use reqwest::Method;
use serde_json::{Value, json};

/// Stands wherever a secret belongs and something else is wrong.
const MISPLACED: &str = "canary-misplaced-secret-x7Kd";

pub async fn provoke(run: &mut Run) {
    run.keep("the misplaced secret", MISPLACED);
    malformed_requests(run).await;
    strangers(run).await;
    hostile_replies(run).await;
}

fn refused(run: &mut Run, place: &str, answer: &Answer) {
    assert!((400..600).contains(&answer.status), "{place}: {answer:?}");
    run.errors.push((place.to_owned(), format!("{:?} {}", answer.headers, answer.body)));
}

async fn malformed_requests(run: &mut Run) {
    let api = run.world.api.clone();
    let import = |credentials: Value| json!({"customer": "canary-two", "app": app_id(F), "credentials": credentials});
    let app = |secret: Value| json!({"id": "b", "connector": app_id(F), "client_id": "c", "client_secret": secret, "scopes": []});
    let bodies = [
        ("/connections", import(json!(MISPLACED))),
        ("/connections", import(json!([MISPLACED]))),
        ("/connections", import(json!({"access_token": IMPORTED, "expires_at": MISPLACED}))),
        ("/connections", import(json!({"access_token": IMPORTED, "scopes": MISPLACED}))),
        ("/connections", import(json!({"access_token": format!("{MISPLACED}\n")}))),
        ("/connections", import(json!({"access_token": IMPORTED, MISPLACED: 1}))),
        ("/apps", app(json!({"value": MISPLACED}))),
        ("/apps", app(json!([MISPLACED]))),
        ("/api-keys", json!({"name": "x", "scopes": [MISPLACED]})),
        ("/connect-sessions", json!({"customer": "canary-two", "token": MISPLACED})),
    ];
    for (path, body) in bodies {
        let answer = api.post(path, &body).await;
        // A member's own name may be repeated, and so may a scope: they are no secrets where they stand.
        let repeats = body.to_string().contains(&format!("{MISPLACED}\":1")) || path == "/api-keys";
        if repeats {
            assert!((400..500).contains(&answer.status), "{answer:?}");
        } else {
            refused(run, &format!("POST {path} {}", run_length(&body)), &answer);
        }
    }
    // Cut off in the middle of a secret.
    let cut = format!("{{\"customer\":\"a\",\"app\":\"b\",\"credentials\":{{\"access_token\":\"{MISPLACED}");
    let request = Http::new().with_bearer(api.key()).request(Method::POST, &format!("{}/v1/connections", api.base()));
    let answer = Http::new().send(request.header("content-type", "application/json").body(cut)).await;
    refused(run, "a cut body", &answer);
}

fn run_length(body: &Value) -> usize {
    body.to_string().len()
}

async fn strangers(run: &mut Run) {
    let api = run.world.api.clone();
    let base = api.base().to_owned();
    let almost = format!("{}x", api.key());
    for (place, key) in [("a mistyped key", almost.as_str()), ("no key at all", MISPLACED)] {
        let answer = Http::new().with_bearer(key).get(&format!("{base}/v1/connections")).await;
        refused(run, place, &answer);
    }
    for path in [
        format!("/connect/{MISPLACED}"),
        format!("/oauth/callback/{MISPLACED}?state={MISPLACED}&code={MISPLACED}"),
        format!("/oauth/callback/x?error={MISPLACED}&error_description={MISPLACED}"),
        format!("/v1/connections?cursor={MISPLACED}&access_token={MISPLACED}"),
    ] {
        let answer = Http::new().with_bearer(api.key()).get(&format!("{base}{path}")).await;
        refused(run, path.split(['?', '/']).nth(1).unwrap_or_default(), &answer);
    }
}

/// A provider that repeats what it was sent, as code, as text, and as a page.
async fn hostile_replies(run: &mut Run) {
    let order = json!({"class": F, "client_id": CLIENT_ID, "count": 1, "scope": "profile"});
    let order: NewGrants = serde_json::from_value(order).unwrap();
    let grant = run.world.provider.sandbox.grant(&order).unwrap().remove(0);
    let (access, refresh) = (grant.access_token.expose().to_owned(), grant.refresh_token.unwrap().expose().to_owned());
    run.keep("an imported access token", &access);
    run.keep("an imported refresh token", &refresh);
    let api: Api = run.world.api.clone();
    api.put_customer("canary-two").await;
    let import = json!({
        "customer": "canary-two",
        "app": app_id(F),
        "credentials": {"access_token": access, "refresh_token": refresh},
    });
    let id = api.post("/connections", &import).await.expect(201).json()["id"].as_str().unwrap().to_owned();
    let echo = json!({"error": refresh, "error_description": format!("{refresh} {access}"), "error_uri": refresh});
    for action in [
        json!({"status": 400, "body": echo.to_string(), "content_type": "application/json"}),
        json!({"status": 200, "body": echo.to_string(), "content_type": "application/json"}),
        json!({"status": 500, "body": format!("<html>{refresh}</html>"), "content_type": "text/html"}),
        json!({"status": 200, "body": format!("{{\"access_token\":\"{MISPLACED}"), "content_type": "application/json"}),
        json!({"status": 200, "body": format!("{{\"access_token\":[\"{MISPLACED}\"]}}"), "content_type": "application/json"}),
        json!({"status": 401, "body": echo.to_string(), "headers": {"www-authenticate": format!("Bearer error=\"{refresh}\"")}}),
    ] {
        run.world.provider.script(F, "refresh_token", 1, action);
        let answer = api.refresh(&id).await;
        refused(run, "a refresh that was answered senselessly", &answer);
    }
    let timeline = api.get(&format!("/connections/{id}/events")).await.expect(200);
    run.errors.push(("a timeline".to_owned(), timeline.body));
    let view = api.get(&format!("/connections/{id}")).await.expect(200);
    run.errors.push(("a view".to_owned(), view.body));
}
