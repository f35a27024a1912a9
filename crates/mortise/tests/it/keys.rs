//! Key-encryption keys: a wrong file stops the start, a rotation disturbs nobody.

use crate::site::logged;
use crate::world::api::{app_id, text};
use crate::world::provider::CLIENT_ID;
use crate::world::{START, World};
use mortise_sandbox::NewGrants;
use mortise_sandbox::RecoveryClass::{self, F};
use mortise_testkit::Backend;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::task::JoinSet;

/// A server with connections of as many customers, each of whom has a data key.
async fn with_customers(backend: Backend, count: usize) -> (World, Vec<String>) {
    let world = World::serving(backend).await;
    world.api.register(&world.provider, F).await;
    world.provider.lifetime(F, 3600);
    let ids = import(&world, F, "first", count).await;
    (world, ids)
}

async fn import(world: &World, class: RecoveryClass, prefix: &str, count: usize) -> Vec<String> {
    let order = json!({"class": class, "client_id": CLIENT_ID, "count": count, "scope": "profile contacts.read"});
    let grants = world.provider.sandbox.grant(&serde_json::from_value::<NewGrants>(order).unwrap()).unwrap();
    let mut ids = Vec::new();
    for (at, grant) in grants.into_iter().enumerate() {
        let customer = format!("{prefix}-{at}");
        world.api.put_customer(&customer).await;
        let tokens = json!({
            "access_token": grant.access_token.expose(),
            "refresh_token": grant.refresh_token.as_ref().unwrap().expose(),
        });
        let import = json!({"customer": customer, "app": app_id(class), "credentials": tokens});
        ids.push(text(&world.api.post("/connections", &import).await.expect(201).json(), "id"));
    }
    ids
}

/// What every table holds, as one text.
async fn content(side: &DatabaseConnection) -> String {
    let ask = async |select: &str| {
        let statement = Statement::from_string(DbBackend::Postgres, select);
        let rows = side.query_all_raw(statement).await.unwrap();
        rows.iter().map(|row| row.try_get_by_index::<String>(0).unwrap()).collect::<Vec<_>>()
    };
    let tables = ask("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename").await;
    assert!(tables.len() > 10, "{tables:?}");
    let mut content = String::new();
    for table in tables {
        let digest = format!("SELECT coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), 'empty') FROM {table} t");
        content += &format!("{table} {}\n", ask(&digest).await[0]);
    }
    content
}

/// Lines of `keys status`: id, role, data keys.
async fn status(world: &World) -> Vec<(String, String, u64)> {
    let output = world.command(&["keys", "status"]).await;
    let line = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        (words[0].to_owned(), words[1].to_owned(), words[2].parse().unwrap())
    };
    output.lines().map(line).collect()
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[tokio::test]
async fn a_wrong_key_file_stops_the_start_before_any_write() {
    let (mut world, _) = with_customers(Backend::Postgres, 2).await;
    let keys = world.folder.path().join("keys.json");
    let id = status(&world).await[0].0.clone();
    let mut server = world.server.take().unwrap();
    assert!(server.sigterm(START).await.success());
    let side = world.database.connect().await;
    let before = content(&side).await;

    // Another installation's file; and one in which another key has the right name.
    let other = world.folder.path().join("other.json");
    world.set("MORTISE_KEY_FILE", other.to_str().unwrap());
    world.command(&["keys", "init"]).await;
    let mut forged = read_json(&other);
    forged["primary"] = json!(id);
    forged["keys"][0]["id"] = json!(id);
    for content in [read_json(&other), forged] {
        std::fs::write(&other, content.to_string()).unwrap();
        for command in ["serve", "worker"] {
            let mut process = world.launch(&[command]).start();
            let status = process.ended(START).await;
            let error = process.stderr();
            assert_eq!(status.code(), Some(1), "{command}: {error}");
            for part in [&format!("`{id}`"), "data keys", "MORTISE_KEY_FILE", "nothing was written"] {
                assert!(error.contains(part), "{command} does not say `{part}`: {error}");
            }
        }
    }
    assert_eq!(content(&side).await, before);

    // The search for changes sees one, and the right file still opens everything.
    world.set("MORTISE_KEY_FILE", keys.to_str().unwrap());
    world.serve().await;
    world.api.put_customer("one-more").await;
    assert_ne!(content(&side).await, before);
    world.end().await;
}

#[tokio::test]
async fn a_key_file_that_others_can_read_is_refused() {
    let world = World::prepared(Backend::Sqlite, "dev").await;
    let keys = world.folder.path().join("keys.json");
    assert_eq!(std::fs::metadata(&keys).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::set_permissions(&keys, std::fs::Permissions::from_mode(0o640)).unwrap();
    for arguments in [&["serve"][..], &["worker"], &["keys", "verify"], &["keys", "rotate"]] {
        let mut process = world.launch(arguments).start();
        assert_eq!(process.ended(START).await.code(), Some(1), "{arguments:?}");
        let error = process.stderr();
        assert!(error.contains("can be read by others") && error.contains("chmod 600"), "{arguments:?}: {error}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_key_file_is_never_made_twice() {
    let world = World::prepared(Backend::Sqlite, "dev").await;
    let keys = std::fs::read(world.folder.path().join("keys.json")).unwrap();
    let mut process = world.launch(&["keys", "init"]).start();
    assert_eq!(process.ended(START).await.code(), Some(1));
    assert!(process.stderr().contains("exists already"), "{}", process.output());
    assert_eq!(std::fs::read(world.folder.path().join("keys.json")).unwrap(), keys);
    world.end().await;
}

/// Rotated while two processes serve: one that has opened every data key before, and one that has opened none.
#[tokio::test]
async fn keys_are_rotated_while_everything_runs() {
    let (mut world, ids) = with_customers(Backend::Postgres, 12).await;
    let before = status(&world).await;
    // Customers', the environment's and the system's.
    assert_eq!((before.len(), before[0].1.as_str(), before[0].2), (1, "primary", 14), "{before:?}");
    // This process knows no customer's key yet: it was started after they were made.
    let mut server = world.server.take().unwrap();
    assert!(server.sigterm(START).await.success());
    world.serve().await;
    world.work();
    logged(world.worker.as_mut().unwrap(), "working").await;

    let (over, mut load) = (Arc::new(AtomicBool::new(false)), JoinSet::new());
    for caller in 0..2 {
        let (api, over, half) = (world.api.clone(), over.clone(), ids[..6].to_vec());
        load.spawn(async move {
            let mut fetched = 0;
            while !over.load(Ordering::SeqCst) {
                api.token(&half[(fetched + caller) % half.len()]).await;
                fetched += 1;
            }
            fetched
        });
    }
    let printed = world.command(&["keys", "rotate"]).await;
    assert!(printed.contains("wrapped 14 data keys anew"), "{printed}");
    // These are opened for the first time now, under a key that the running processes were not started with.
    for id in &ids[6..] {
        world.api.token(id).await;
        world.api.refresh(id).await.expect(200);
    }
    over.store(true, Ordering::SeqCst);
    let fetched: usize = load.join_all().await.into_iter().sum();
    assert!(fetched > 20, "only {fetched} fetches under load");

    let after = status(&world).await;
    let old = after.iter().find(|key| key.0 == before[0].0).unwrap();
    let new = after.iter().find(|key| key.0 != before[0].0).unwrap();
    assert_eq!((old.1.as_str(), old.2, new.1.as_str(), new.2), ("retiring", 0, "primary", 14), "{after:?}");
    assert!(world.command(&["keys", "verify"]).await.contains("every key"));

    // The old key may go now. What came in meanwhile is under the new one.
    import(&world, F, "second", 2).await;
    let keys = world.folder.path().join("keys.json");
    let mut file = read_json(&keys);
    file["keys"].as_array_mut().unwrap().retain(|key| key["id"] == new.0.as_str());
    std::fs::write(&keys, file.to_string()).unwrap();
    let mut server = world.server.take().unwrap();
    assert!(server.sigterm(START).await.success());
    world.serve().await;
    for id in &ids {
        world.api.token(id).await;
    }
    world.end().await;
}
