//! The limits that a class can put on its grants, over HTTP.

use crate::kit::{Kit, error, start, tokens};
use mortise_sandbox::{Ended, GrantFilter, RecoveryClass};
use serde_json::{Value, json};

async fn set(kit: &Kit, class: RecoveryClass, patch: Value) {
    let reply = kit.control(&format!("classes/{class}"), patch).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

fn grant(kit: &Kit, family: u64) -> mortise_sandbox::GrantReport {
    kit.sandbox.oracle(&GrantFilter { class: None, family: Some(family) }, 0).grants.remove(0)
}

fn refused() -> (u16, String) {
    (400, "invalid_grant".to_owned())
}

#[tokio::test]
async fn a_refresh_before_the_window_is_refused_and_spends_nothing() {
    let kit = start().await;
    for (window, opens_at) in [(0, 60), (10, 50)] {
        let class = RecoveryClass::F;
        set(&kit, class, json!({ "refresh_window": window })).await;
        let (_, refresh) = kit.connect(class).await;
        kit.clock.advance_seconds(opens_at - 1);
        assert_eq!(error(&kit.refresh(class, &refresh).await), refused());
        assert!(kit.alive(&refresh));
        kit.clock.advance_seconds(1);
        let (_, second) = tokens(&kit.refresh(class, &refresh).await);
        assert_eq!(error(&kit.refresh(class, &second).await), refused(), "the window is the newest token's");
        assert_eq!(kit.sandbox.totals().reuse_events, 0);
    }
}

#[tokio::test]
async fn an_idle_grant_dies_and_a_used_one_lives_on() {
    let kit = start().await;
    for class in RecoveryClass::ALL {
        set(&kit, class, json!({"idle_limit": 100})).await;
        let (_, idle) = kit.connect(class).await;
        let (_, mut used) = kit.connect(class).await;
        for _ in 0..3 {
            kit.clock.advance_seconds(99);
            let (_, next) = tokens(&kit.refresh(class, &used).await);
            used = if next.is_empty() { used } else { next };
        }
        assert!(!kit.alive(&idle) && kit.alive(&used), "{class}");
        assert_eq!(error(&kit.refresh(class, &idle).await), refused(), "{class}");
        let refused = kit.sandbox.oracle(&GrantFilter::default(), 1).requests.remove(0);
        assert!(!refused.reuse, "{class}: nothing was presented twice");
    }
    assert_eq!(kit.sandbox.totals().reuse_events, 0);
}

#[tokio::test]
async fn nothing_outlives_the_absolute_limit() {
    let kit = start().await;
    let class = RecoveryClass::M;
    set(&kit, class, json!({"absolute_limit": 100, "refresh_token_expires_in": true})).await;
    let (_, first) = kit.connect(class).await;
    kit.clock.advance_seconds(70);
    let reply = kit.refresh(class, &first).await;
    let body = reply.json();
    assert_eq!((&body["expires_in"], &body["refresh_token_expires_in"]), (&json!(30), &json!(30)));
    let (access, second) = tokens(&reply);
    for token in [&access, &second] {
        let told = kit.as_client("/m/introspect", &[("token", token)]).await.unwrap().json();
        assert_eq!((&told["active"], &told["exp"]), (&json!(true), &json!(1_700_000_100)));
    }
    kit.clock.advance_seconds(29);
    assert_eq!(kit.userinfo(class, &access).await.status, 200);
    kit.clock.advance_seconds(1);
    assert_eq!(kit.userinfo(class, &access).await.status, 401);
    for token in [&first, &second] {
        assert_eq!(error(&kit.refresh(class, token).await), refused());
        assert_eq!(kit.as_client("/m/introspect", &[("token", token)]).await.unwrap().json(), json!({"active": false}));
    }
}

#[tokio::test]
async fn a_client_of_its_own_has_no_consent_that_grows_old() {
    let kit = start().await;
    set(&kit, RecoveryClass::N, json!({"absolute_limit": 100})).await;
    for _ in 0..3 {
        let reply = kit.as_client("/n/token", &[("grant_type", "client_credentials")]).await.unwrap();
        assert_eq!((reply.status, &reply.json()["expires_in"]), (200, &json!(60)));
        kit.clock.advance_seconds(90);
    }
}

#[tokio::test]
async fn a_newer_grant_drops_the_oldest_of_its_account() {
    let kit = start().await;
    let class = RecoveryClass::N;
    set(&kit, class, json!({"max_live": 2})).await;
    let made = kit.control("grants", json!({"class": "n", "subject": "robin"})).await.json();
    let robin = made["grants"][0]["refresh_token"].as_str().unwrap().to_owned();
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(kit.connect(class).await.1);
    }
    let alive: Vec<bool> = held.iter().map(|token| kit.alive(token)).collect();
    assert_eq!(alive, [false, false, true, true]);
    assert!(kit.alive(&robin), "another account");
    assert_eq!((grant(&kit, 2).ended, grant(&kit, 4).ended), (Some(Ended::Evicted), None));
    let many = json!({"class": "n", "subject": "user-*", "count": 5});
    assert_eq!(kit.control("grants", many).await.status, 200);
    assert_eq!(kit.sandbox.totals().live_grants, 8, "each has an account of its own");
}

#[tokio::test]
async fn a_grant_is_refreshed_so_often_and_no_more() {
    let kit = start().await;
    let class = RecoveryClass::S;
    set(&kit, class, json!({"mint_rate": {"requests": 2, "seconds": 600}})).await;
    let (_, mut refresh) = kit.connect(class).await;
    let (_, neighbour) = kit.connect(class).await;
    for _ in 0..2 {
        refresh = tokens(&kit.refresh(class, &refresh).await).1;
        kit.clock.advance_seconds(100);
    }
    let reply = kit.refresh(class, &refresh).await;
    assert_eq!(error(&reply), (429, "too_many_requests".to_owned()));
    assert_eq!(reply.header("retry-after"), Some("400"));
    assert!(kit.alive(&refresh), "nothing was spent");
    tokens(&kit.refresh(class, &neighbour).await);
    kit.clock.advance_seconds(400);
    tokens(&kit.refresh(class, &refresh).await);
}

#[tokio::test]
async fn the_same_access_token_comes_again_while_it_lives() {
    let kit = start().await;
    let class = RecoveryClass::F;
    set(&kit, class, json!({"same_access_token": true, "kills_prior_access_token": true})).await;
    let (access, first) = kit.connect(class).await;
    kit.clock.advance_seconds(45);
    let reply = kit.refresh(class, &first).await;
    let (again, second) = tokens(&reply);
    assert_eq!((&again, &reply.json()["expires_in"]), (&access, &json!(15)));
    assert!(second != first && !kit.alive(&first) && kit.alive(&second), "the refresh token rotates all the same");
    assert!(kit.sandbox.check(&again).newest && kit.alive(&again));
    kit.clock.advance_seconds(15);
    let (fresh, _) = tokens(&kit.refresh(class, &second).await);
    assert!(fresh != access && kit.alive(&fresh));
}

#[tokio::test]
async fn lifetimes_shrink_with_every_refresh() {
    let kit = start().await;
    let class = RecoveryClass::N;
    set(&kit, class, json!({"access_token_lifetime": 10, "lifetime_shrink": 4})).await;
    let (_, refresh) = kit.connect(class).await;
    for seconds in [6, 2, 1, 1] {
        assert_eq!(kit.refresh(class, &refresh).await.json()["expires_in"], seconds);
    }
}

#[tokio::test]
async fn a_reuse_may_cost_the_client_everything_at_its_class() {
    let kit = start().await;
    for class in [RecoveryClass::S, RecoveryClass::F] {
        set(&kit, class, json!({"reuse_penalty": true})).await;
        let (_, spent) = kit.connect(class).await;
        let (_, bystander) = kit.connect(class).await;
        let (_, elsewhere) = kit.connect(RecoveryClass::N).await;
        let (_, held) = tokens(&kit.refresh(class, &spent).await);
        assert_eq!(error(&kit.refresh(class, &spent).await), refused());
        assert!(!kit.alive(&held) && !kit.alive(&bystander) && kit.alive(&elsewhere), "{class}");
        let family = kit.sandbox.check(&bystander).family.unwrap().0;
        assert_eq!(grant(&kit, family).ended, Some(Ended::Penalty));
    }
}

#[tokio::test]
async fn limits_are_shown_and_taken_away() {
    let kit = start().await;
    set(&kit, RecoveryClass::U, json!({"idle_limit": 5, "mint_rate": {"requests": 1, "seconds": 2}})).await;
    let shown = kit.get("/control/classes/u").await.json();
    assert_eq!((&shown["idle_limit"], &shown["mint_rate"]["seconds"]), (&json!(5), &json!(2)));
    set(&kit, RecoveryClass::U, json!({"idle_limit": null})).await;
    let shown = kit.get("/control/classes/u").await.json();
    assert_eq!((&shown["idle_limit"], &shown["mint_rate"]["requests"]), (&json!(null), &json!(1)));
    for bad in [json!({"max_live": -1}), json!({"mint_rate": {"requests": 0, "seconds": 1}}), json!({"mint_rate": 3})] {
        assert_eq!(error(&kit.control("classes/u", bad).await), (400, "invalid_json".to_owned()));
    }
}
