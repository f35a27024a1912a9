//! Keys: rotation under a running broker, and starts that are refused.

use crate::bench::{Bench, tokens};
use mortise_broker::{Error, StartError};
use mortise_domain::OsEntropy;
use mortise_vault::{create_key_file, rotate_key_file};

#[tokio::test]
async fn rotating_rewraps_every_data_key_and_disturbs_nobody() {
    let bench = Bench::new("F").await;
    let id = bench.connect().await;
    let primary = rotate_key_file(&bench.folder.path().join("keys.json"), &OsEntropy).unwrap();
    let rotated = bench.sibling().await;
    rotated.check().await.unwrap();
    assert_eq!(rotated.rewrap_data_keys().await.unwrap(), 3);
    assert_eq!(rotated.rewrap_data_keys().await.unwrap(), 0);
    let status = rotated.key_status().await.unwrap();
    assert!(status.iter().all(|key| key.primary == (key.id == primary) && key.data_keys == 3 * u64::from(key.primary)));
    assert_eq!(bench.token(id, None).await.unwrap().access_token.expose(), "at-1");
    bench.provider.json(200, &tokens(2));
    bench.make_due().await;
    bench.work().await;
    assert_eq!(bench.token(id, None).await.unwrap().access_token.expose(), "at-2");
}

#[tokio::test]
async fn a_process_that_lacks_a_key_reads_the_file_again_and_blames_no_row() {
    let bench = Bench::new("F").await;
    let id = bench.connect().await;
    // It has opened nothing yet, and knows the old key only.
    let started_before = bench.sibling().await;
    let path = bench.folder.path().join("keys.json");
    let old = std::fs::read(&path).unwrap();
    rotate_key_file(&path, &OsEntropy).unwrap();
    bench.sibling().await.rewrap_data_keys().await.unwrap();
    let new = std::fs::read(&path).unwrap();
    std::fs::write(&path, &old).unwrap();
    let request = mortise_broker::TokenRequest::default();
    let refused = started_before.token(&bench.caller, id, request).await.unwrap_err();
    assert!(matches!(refused, Error::Internal(_)), "{refused:?}");
    assert_eq!(bench.view(id).await.state, mortise_domain::ConnectionState::Active);
    std::fs::write(&path, &new).unwrap();
    assert_eq!(started_before.token(&bench.caller, id, request).await.unwrap().access_token.expose(), "at-1");
}

#[tokio::test]
async fn another_key_file_is_refused_before_anything_is_written() {
    let bench = Bench::new("F").await;
    bench.connect().await;
    let path = bench.folder.path().join("keys.json");
    std::fs::remove_file(&path).unwrap();
    create_key_file(&path, &OsEntropy).unwrap();
    let refused = bench.sibling().await.check().await.unwrap_err();
    assert!(matches!(&refused, StartError::WrongKey { count: 3, .. }), "{refused}");
    assert!(refused.to_string().contains("MORTISE_KEY_FILE"));
}

#[tokio::test]
async fn a_revoked_or_mistyped_api_key_is_nobody() {
    let bench = Bench::new("F").await;
    let new =
        mortise_broker::NewApiKey { name: "second".into(), scopes: bench.caller.scopes.clone(), expires_at: None };
    let (view, key) = bench.broker.create_api_key(&bench.caller, new).await.unwrap();
    assert_eq!(bench.broker.authenticate(key.expose()).await.unwrap().key, view.id);
    bench.broker.revoke_api_key(&bench.caller, view.id).await.unwrap();
    for presented in [key.expose(), &key.expose()[1..], "", "mrt_", &"x".repeat(10_000)] {
        assert!(matches!(bench.broker.authenticate(presented).await, Err(Error::Unauthorized)), "{presented}");
    }
}

#[tokio::test]
async fn a_key_cannot_make_one_that_may_do_more() {
    let bench = Bench::new("F").await;
    let weak =
        mortise_broker::Caller { scopes: vec![mortise_domain::ApiScope::ApiKeysWrite], ..(*bench.caller).clone() };
    let new = mortise_broker::NewApiKey { name: "more".into(), scopes: bench.caller.scopes.clone(), expires_at: None };
    assert!(matches!(bench.broker.create_api_key(&weak, new).await, Err(Error::ForbiddenScope(_))));
}
