//! What a restart keeps.

use crate::kit::{Kit, error, start_with, tokens};
use mortise_sandbox::{RecoveryClass, Sandbox, SandboxConfig, SandboxError};
use serde_json::json;
use std::path::Path;

async fn start(path: &Path) -> Kit {
    start_with(SandboxConfig { state_file: Some(path.to_owned()), ..SandboxConfig::default() }).await
}

#[tokio::test]
async fn a_restart_keeps_clients_settings_codes_and_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.json");
    let kit = start(&path).await;
    kit.control("clients", json!({"client_id": "c", "client_secret": "client-canary"})).await;
    kit.control("classes/g", json!({"grace": 9})).await;
    let code = kit.consent(RecoveryClass::S, "allow").await.remove("code").unwrap();
    let mut pairs = Vec::new();
    for class in RecoveryClass::ALL {
        let (_, first) = kit.connect(class).await;
        let (access, second) = tokens(&kit.refresh(class, &first).await);
        pairs.push((class, first, access, second));
    }
    kit.stop().await;

    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("sbx_") && !text.contains("client-canary") && !text.contains("sandbox-secret"));

    let kit = start(&path).await;
    assert_eq!(kit.get("/control/classes/g").await.json()["grace"], 9);
    let form = [("grant_type", "client_credentials"), ("client_id", "c"), ("client_secret", "client-canary")];
    assert_eq!(kit.post("/n/token", &form).await.status, 200);
    tokens(&kit.exchange(RecoveryClass::S, &code).await);
    for (class, first, access, second) in pairs {
        assert_eq!(kit.userinfo(class, &access).await.status, 200, "{class}");
        if class == RecoveryClass::F {
            assert_eq!(error(&kit.refresh(class, &first).await), (400, "invalid_grant".to_owned()));
            assert!(!kit.alive(&second), "reuse is seen over a restart");
        } else {
            let newest = if second.is_empty() { &first } else { &second };
            tokens(&kit.refresh(class, newest).await);
        }
    }
    kit.stop().await;
}

#[tokio::test]
async fn limits_go_on_counting_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.json");
    let kit = start(&path).await;
    let limits = json!({"idle_limit": 100, "mint_rate": {"requests": 1, "seconds": 50}, "same_access_token": true});
    kit.control("classes/m", limits).await;
    let (access, refresh) = kit.connect(RecoveryClass::M).await;
    kit.clock.advance_seconds(30);
    assert_eq!(tokens(&kit.refresh(RecoveryClass::M, &refresh).await).0, access);
    kit.stop().await;
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("sbx_"), "the repeated access token is not kept");

    let kit = start(&path).await;
    kit.clock.advance_seconds(79);
    assert_eq!(kit.refresh(RecoveryClass::M, &refresh).await.header("retry-after"), Some("1"));
    kit.clock.advance_seconds(1);
    assert_ne!(tokens(&kit.refresh(RecoveryClass::M, &refresh).await).0, access, "it could not be told again");
    kit.clock.advance_seconds(100);
    assert_eq!(error(&kit.refresh(RecoveryClass::M, &refresh).await), (400, "invalid_grant".to_owned()));
    kit.stop().await;
}

#[tokio::test]
async fn a_file_without_the_newer_members_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.json");
    let kit = start(&path).await;
    kit.control("classes/u", json!({"grace": 9})).await;
    let (access, refresh) = kit.connect(RecoveryClass::U).await;
    kit.stop().await;
    let mut saved: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for family in saved["ledger"]["families"].as_object_mut().unwrap().values_mut() {
        for name in ["ended_at", "last_used_at", "refreshed_at", "newest_access"] {
            family.as_object_mut().unwrap().remove(name).unwrap();
        }
    }
    std::fs::write(&path, saved.to_string()).unwrap();
    let kit = start(&path).await;
    assert!(kit.sandbox.check(&access).newest);
    tokens(&kit.refresh(RecoveryClass::U, &refresh).await);
    kit.stop().await;
}

#[tokio::test]
async fn a_reply_is_sent_only_after_its_state_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gone").join("sandbox.json");
    std::fs::create_dir(path.parent().unwrap()).unwrap();
    let kit = start(&path).await;
    let (_, refresh) = kit.connect(RecoveryClass::M).await;
    std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
    assert_eq!(error(&kit.refresh(RecoveryClass::M, &refresh).await), (500, "server_error".to_owned()));
    std::fs::create_dir(path.parent().unwrap()).unwrap();
    tokens(&kit.refresh(RecoveryClass::M, &refresh).await);
    kit.stop().await;
}

#[tokio::test]
async fn a_damaged_file_or_a_taken_port_is_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.json");
    for text in ["", "{}", "{\"version\":2}", "nonsense"] {
        std::fs::write(&path, text).unwrap();
        let config = SandboxConfig { state_file: Some(path.clone()), ..SandboxConfig::default() };
        let failed = Sandbox::bind(config).err();
        assert!(matches!(&failed, Some(SandboxError::DamagedState { .. })), "{text}: {failed:?}");
        assert!(failed.unwrap().to_string().contains("delete it"));
    }
    let kit = start(&folder.path().join("other.json")).await;
    let taken = SandboxConfig { bind: kit.sandbox.addr(), ..SandboxConfig::default() };
    assert!(matches!(Sandbox::bind(taken).err(), Some(SandboxError::Bind { .. })));
}
