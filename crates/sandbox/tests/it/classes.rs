//! What a replayed refresh token does in each class, over HTTP, and what the oracle says about it.

use crate::kit::{error, start, tokens};
use mortise_sandbox::{GrantFilter, RecoveryClass};
use serde_json::json;

fn grant(kit: &crate::kit::Kit, class: RecoveryClass) -> mortise_sandbox::GrantReport {
    kit.sandbox.oracle(&GrantFilter { class: Some(class), family: None }, 0).grants.remove(0)
}

#[tokio::test]
async fn a_lost_reply_can_be_asked_for_again_in_n_m_g_u_only() {
    let kit = start().await;
    for class in RecoveryClass::ALL {
        let (_, first) = kit.connect(class).await;
        let (lost_access, lost) = tokens(&kit.refresh(class, &first).await);
        let retry = kit.refresh(class, &first).await;
        let forgiving = !matches!(class, RecoveryClass::S | RecoveryClass::F);
        assert_eq!(retry.status == 200, forgiving, "{class}");
        let grant = grant(&kit, class);
        assert_eq!(grant.reuse_events, u64::from(!forgiving), "{class}");
        assert_eq!(grant.ended.is_some(), class == RecoveryClass::F, "{class}");
        assert_eq!(kit.alive(&lost_access), class != RecoveryClass::F, "{class}");
        if class == RecoveryClass::S {
            tokens(&kit.refresh(class, &lost).await);
        }
        if class == RecoveryClass::F {
            assert_eq!(error(&kit.refresh(class, &lost).await), (400, "invalid_grant".to_owned()));
            assert!(grant.alive_refresh_tokens.is_empty() && grant.alive_access_tokens.is_empty());
        }
    }
}

#[tokio::test]
async fn in_class_g_the_old_token_ends_with_the_grace() {
    let kit = start().await;
    let class = RecoveryClass::G;
    let (_, first) = kit.connect(class).await;
    kit.refresh(class, &first).await;
    kit.clock.advance_seconds(29);
    let (_, second) = tokens(&kit.refresh(class, &first).await);
    kit.clock.advance_seconds(1);
    assert_eq!(error(&kit.refresh(class, &first).await), (400, "invalid_grant".to_owned()));
    tokens(&kit.refresh(class, &second).await);
    assert_eq!(kit.control("classes/g", json!({"grace": 5})).await.json()["grace"], 5);
    kit.clock.advance_seconds(5);
    assert!(!kit.alive(&second));
}

#[tokio::test]
async fn in_class_u_the_old_token_ends_with_the_first_use_of_a_successor() {
    let kit = start().await;
    let class = RecoveryClass::U;
    let (_, first) = kit.connect(class).await;
    let (access, second) = tokens(&kit.refresh(class, &first).await);
    assert!(kit.alive(&first), "nobody has used anything yet");
    assert_eq!(kit.userinfo(class, &access).await.status, 200);
    assert!(!kit.alive(&first));
    let (_, third) = tokens(&kit.refresh(class, &second).await);
    assert!(kit.alive(&second));
    tokens(&kit.refresh(class, &third).await);
    assert_eq!(error(&kit.refresh(class, &second).await), (400, "invalid_grant".to_owned()));
    assert_eq!(grant(&kit, class).ended, None);
}

#[tokio::test]
async fn introspection_is_no_use() {
    let kit = start().await;
    let (_, first) = kit.connect(RecoveryClass::U).await;
    let (access, second) = tokens(&kit.refresh(RecoveryClass::U, &first).await);
    for token in [&access, &second, &first] {
        assert_eq!(kit.as_client("/u/introspect", &[("token", token)]).await.unwrap().json()["active"], true);
    }
    assert!(kit.alive(&first));
}

#[tokio::test]
async fn the_oracle_tells_the_line_of_descent() {
    let kit = start().await;
    let class = RecoveryClass::F;
    let (_, first) = kit.connect(class).await;
    let (_, second) = tokens(&kit.refresh(class, &first).await);
    let id = |token: &str| mortise_sandbox::TokenId::of(token);
    let report = kit.sandbox.oracle(&GrantFilter::default(), 10);
    let alive = &report.grants[0].alive_refresh_tokens;
    assert_eq!(alive.iter().map(|t| (t.id, t.parent)).collect::<Vec<_>>(), [(id(&second), Some(id(&first)))]);
    let last = report.requests.last().unwrap();
    assert_eq!((last.token, last.parent, last.new_refresh_token), (Some(id(&first)), None, Some(id(&second))));
    assert_eq!((last.outcome, last.status, last.client_id.as_deref()), ("issued", Some(200), Some("sandbox-client")));
    assert!(last.processed_at_ms.is_some() && last.replied_at_ms.is_some() && !last.scripted && !last.overlapped);
    let text = kit.get("/control/oracle").await.text();
    assert!(!text.contains(&first) && !text.contains("sbx_"), "the oracle shows no token");
}

#[tokio::test]
async fn switches_change_the_token_reply() {
    let kit = start().await;
    let patch = json!({"access_token_lifetime": 7, "expires_in": "text", "repeat_refresh_token": true,
        "ends_prior_access_tokens": true, "extra": {"team": {"id": 3}}});
    assert_eq!(kit.control("classes/n", patch).await.status, 200);
    let (first_access, refresh) = kit.connect(RecoveryClass::N).await;
    let reply = kit.refresh(RecoveryClass::N, &refresh).await.json();
    assert_eq!((&reply["expires_in"], &reply["refresh_token"]), (&json!("7"), &json!(refresh)));
    assert_eq!(reply["team"]["id"], 3);
    assert!(!kit.alive(&first_access));
    kit.control("classes/n", json!({"expires_in": "omitted", "issue_refresh_token": false, "iss": false})).await;
    let answer = kit.consent(RecoveryClass::N, "allow").await;
    assert!(!answer.contains_key("iss"));
    let reply = kit.exchange(RecoveryClass::N, &answer["code"]).await.json();
    assert!(reply.get("expires_in").is_none() && reply.get("refresh_token").is_none());
}
