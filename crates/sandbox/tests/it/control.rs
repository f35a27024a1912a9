//! The control endpoints.

use crate::http::raw;
use crate::kit::{error, start, tokens};
use mortise_sandbox::{NewGrants, RecoveryClass};
use serde_json::json;

#[tokio::test]
async fn the_oracle_knows_every_kind_of_token() {
    let kit = start().await;
    let code = kit.consent(RecoveryClass::F, "allow").await.remove("code").unwrap();
    let check = async |token: &str| kit.control("oracle/check", json!({"token": token})).await.json();
    let before = check(&code).await;
    assert_eq!((&before["kind"], &before["alive"], &before["class"]), (&json!("code"), &json!(true), &json!("f")));
    let (access, refresh) = tokens(&kit.exchange(RecoveryClass::F, &code).await);
    assert_eq!(check(&code).await["alive"], false);
    for (token, kind) in [(&access, "access_token"), (&refresh, "refresh_token")] {
        let found = check(token).await;
        assert_eq!((&found["kind"], &found["alive"], &found["newest"]), (&json!(kind), &json!(true), &json!(true)));
        assert_eq!((&found["family"], &found["class"]), (&json!(1), &json!("f")));
    }
    kit.refresh(RecoveryClass::F, &refresh).await;
    let spent = check(&refresh).await;
    assert_eq!((&spent["alive"], &spent["newest"]), (&json!(false), &json!(false)));
    assert_eq!((&check(&access).await["alive"], &check(&access).await["newest"]), (&json!(true), &json!(false)));
    assert_eq!(check("nothing").await["kind"], "unknown");
}

#[tokio::test]
async fn grants_can_be_made_and_ended_without_a_page() {
    let kit = start().await;
    let body = json!({"class": "s", "count": 3, "scope": "a b", "subject": "robin"});
    let made = kit.control("grants", body).await.json();
    let grants = made["grants"].as_array().unwrap();
    assert_eq!(grants.len(), 3);
    let access = grants[1]["access_token"].as_str().unwrap();
    let refresh = grants[1]["refresh_token"].as_str().unwrap();
    assert_eq!(kit.userinfo(RecoveryClass::S, access).await.json()["sub"], "robin");
    let family = &grants[1]["family"];
    assert_eq!(kit.control(&format!("grants/{family}/end"), json!({})).await.json(), json!({"ended": true}));
    assert_eq!(kit.control(&format!("grants/{family}/end"), json!({})).await.json(), json!({"ended": false}));
    assert_eq!(error(&kit.control("grants/999/end", json!({})).await), (404, "not_found".to_owned()));
    assert_eq!(error(&kit.refresh(RecoveryClass::S, refresh).await), (400, "invalid_grant".to_owned()));
    for bad in [
        json!({"class": "s", "count": 0}),
        json!({"class": "s", "client_id": "x"}),
        json!({"class": "s", "subject": "x"}),
    ] {
        assert_eq!(error(&kit.control("grants", bad).await), (400, "invalid_grants".to_owned()));
    }
    let order = NewGrants { class: RecoveryClass::N, client_id: None, subject: None, scope: String::new(), count: 2 };
    let granted = kit.sandbox.grant(&order).unwrap();
    assert!(kit.alive(granted[1].refresh_token.as_ref().unwrap().expose()));
}

#[tokio::test]
async fn the_log_is_read_page_by_page() {
    let kit = start().await;
    let (_, refresh) = kit.connect(RecoveryClass::N).await;
    for _ in 0..4 {
        kit.refresh(RecoveryClass::N, &refresh).await;
    }
    let page = async |query: &str| {
        let reply = kit.get(&format!("/control/oracle/requests?{query}")).await.json();
        let ids = reply["requests"].as_array().unwrap().iter().map(|r| r["id"].as_u64().unwrap());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(page("limit=2").await, [1, 2]);
    assert_eq!(page("after=2&limit=2").await, [3, 4]);
    assert_eq!(page("after=4").await, [5]);
    let newest = kit.get("/control/oracle?requests=1&class=n").await.json();
    assert_eq!((&newest["requests"][0]["id"], &newest["totals"]["newest_request"]), (&json!(5), &json!(5)));
    assert_eq!(kit.get("/control/oracle?class=f").await.json()["grants"], json!([]));
}

#[tokio::test]
async fn a_reset_forgets_everything_but_the_count_of_requests() {
    let kit = start().await;
    let (_, refresh) = kit.connect(RecoveryClass::N).await;
    kit.control("clients", json!({"client_id": "c", "client_secret": "s"})).await;
    kit.control("classes/n", json!({"access_token_lifetime": 5})).await;
    kit.script(RecoveryClass::N, json!({"status": 500})).await;
    assert_eq!(kit.control("reset", json!({})).await.status, 200);
    assert_eq!(kit.get("/control/classes/n").await.json()["access_token_lifetime"], 60);
    assert_eq!(error(&kit.refresh(RecoveryClass::N, &refresh).await), (400, "invalid_grant".to_owned()));
    let form = [("grant_type", "client_credentials"), ("client_id", "c"), ("client_secret", "s")];
    assert_eq!(error(&kit.post("/n/token", &form).await), (401, "invalid_client".to_owned()));
    let totals = kit.get("/control/oracle/totals").await.json();
    assert_eq!((&totals["grants"], &totals["newest_request"]), (&json!(0), &json!(3)));
}

#[tokio::test]
async fn only_loopback_names_reach_the_control_endpoints() {
    let kit = start().await;
    assert_eq!(kit.get("/control/health").await.json(), json!({"status": "ok"}));
    let rebound = b"GET /control/oracle HTTP/1.1\r\nHost: rebind.example\r\nConnection: close\r\n\r\n";
    let reply = raw(kit.sandbox.addr(), rebound).await.unwrap();
    assert_eq!(error(&reply), (403, "loopback_only".to_owned()));
}
