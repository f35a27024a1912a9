//! What is decided before a move begins, and where an app stays without one.

use super::*;

/// What a version reaches that the one before did not, is named by whoever moves there; and a secret is known to them.
#[tokio::test]
async fn nothing_goes_to_hosts_that_nobody_has_named() {
    let moving = Moving::connected(2).await;
    // The one before it, which still lives, was never entered for the new hosts.
    let newer = moving.bench.app("newer");
    let rotating = moving.bench.broker.update_app(&moving.bench.caller, &app(), newer).await.unwrap();
    assert!(rotating.previous_secret_expires_at.is_some());
    moving.version("  introspection_url: https://elsewhere.example/introspect\n").await;
    let begin = async |hosts: &[&str], secret: Option<&str>| {
        let accept_hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        let input = MoveInput { accept_hosts, client_secret: secret.map(ClientSecret::new), ..input() };
        moving.bench.broker.create_move(&moving.bench.caller, input).await
    };
    let pointer = |refused: Result<MoveView, Error>| match refused {
        Err(Error::Invalid(faults)) => faults.iter().map(|fault| fault.pointer.clone()).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(pointer(begin(&[], Some("newer")).await), ["/accept_hosts"]);
    assert_eq!(pointer(begin(&["elsewhere.example"], None).await), ["/client_secret"]);
    assert_eq!(pointer(begin(&["elsewhere.example"], Some("guess")).await), ["/client_secret"]);
    assert_eq!(pointer(begin(&["elsewhere.example"], Some("secret")).await), ["/client_secret"]);
    let needless = begin(&["elsewhere.example", "other.example"], Some("newer")).await;
    assert_eq!(pointer(needless), ["/accept_hosts"]);
    assert!(moving.bench.broker.move_connections().await.unwrap() == 0, "nothing began");
    begin(&["elsewhere.example"], Some("newer")).await.unwrap();
    let moved = moving.bench.broker.app(&moving.bench.caller, &app()).await.unwrap();
    assert_eq!(moved.previous_secret_expires_at, None);
}

#[tokio::test]
async fn what_cannot_be_moved_is_refused_before_anything_is() {
    let moving = Moving::connected(2).await;
    let refused = async |input: MoveInput, expected: &str| match moving
        .bench
        .broker
        .create_move(&moving.bench.caller, input)
        .await
    {
        Err(Error::Invalid(faults)) => assert!(faults.iter().any(|f| f.pointer == expected), "{faults:?}"),
        other => panic!("{expected}: {other:?}"),
    };
    refused(input(), "/to_version").await;
    refused(MoveInput { to_version: Some(9), ..input() }, "/to_version").await;
    moving.version("  issuer: https://acme.example\n").await;
    for (terms, expected) in [
        (MoveTerms { canary_percent: 0, ..terms() }, "/canary_percent"),
        (MoveTerms { canary_percent: 101, ..terms() }, "/canary_percent"),
        (MoveTerms { minimum_sample: 0, ..terms() }, "/minimum_sample"),
        (MoveTerms { tolerance_percent: 51, ..terms() }, "/tolerance_percent"),
        (MoveTerms { batch_size: 501, ..terms() }, "/batch_size"),
        (MoveTerms { batch_interval: 86_401, ..terms() }, "/batch_interval"),
    ] {
        refused(MoveInput { terms, ..input() }, expected).await;
    }
    moving.bench.sql("UPDATE apps SET state = 'held', held_since = 1").await;
    let held = moving.bench.broker.create_move(&moving.bench.caller, input()).await;
    assert!(matches!(held, Err(Error::InUse { .. })), "{held:?}");
}

/// An app stays where it is until it is moved, and while it is.
#[tokio::test]
async fn an_app_is_pinned() {
    let moving = Moving::new("/new").await;
    let (broker, caller) = (&moving.bench.broker, &moving.bench.caller);
    let change = async |version: Option<i32>| {
        let mut input = moving.bench.app("secret");
        input.connector_version = version;
        broker.update_app(caller, &app(), input).await
    };
    assert_eq!(change(None).await.unwrap().connector_version, 1);
    let begun = moving.begin(input()).await;
    assert!(matches!(change(Some(2)).await, Err(Error::InUse { .. })));
    assert_eq!(change(None).await.unwrap().connector_version, 1);
    assert_eq!(moving.until_it_ends(begun.id).await.state, MoveState::Completed);
    assert_eq!(change(None).await.unwrap().connector_version, 2);
}
