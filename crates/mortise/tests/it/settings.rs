//! Settings as the program reads them: what is in force, what is refused, and what `doctor` finds.

use crate::world::{START, World};
use mortise_testkit::{Backend, Launch};
use std::path::Path;

/// A variable, its bad value, and what the error has to say: the setting, the fault, what is allowed.
const BAD: &[(&str, &str, &[&str])] = &[
    ("MORTISE_LISTENS", "127.0.0.1:1", &["MORTISE_", "listens", "listen"]),
    ("MORTISE_LISTEN", "8080", &["listen", "127.0.0.1:8080"]),
    ("MORTISE_PUBLIC_URL", "http://broker.example.com", &["public_url", "https://", "loopback"]),
    ("MORTISE_PUBLIC_URL", "https://broker.example.com/base", &["public_url", "scheme, host and port only"]),
    ("MORTISE_PUBLIC_URL", "broker", &["public_url", "https://"]),
    ("MORTISE_EGRESS_ALLOW", "10.0.0.0/8,10.0.0.0/33", &["egress_allow", "`10.0.0.0/33`", "10.0.0.0/8"]),
    (
        "MORTISE_DATABASE_URL",
        "oracle://user:canary-password@host/db",
        &["database_url", "sqlite:", "postgres:", "mysql:"],
    ),
    ("MORTISE_DATABASE_CONNECTIONS", "0", &["database_connections", "0", "1 to 500"]),
    ("MORTISE_DATABASE_CONNECTIONS", "many", &["database_connections", "many"]),
    ("MORTISE_REFRESH_DEADLINE", "601", &["refresh_deadline", "601", "1 to 600"]),
    ("MORTISE_REFRESH_CONCURRENCY", "0", &["refresh_concurrency", "1 to 10000"]),
    ("MORTISE_HTTP_WORKERS", "1000", &["http_workers", "1 to 256"]),
    ("MORTISE_LOG_FORMAT", "xml", &["log_format", "`text` or `json`"]),
    ("MORTISE_LOG", "mortise=loud", &["log", "info"]),
    ("MORTISE_KEY_FILE", "/nowhere/keys.json", &["key file", "/nowhere/keys.json"]),
    ("MORTISE_DATABASE_URL_FILE", "/nowhere/url", &["database_url", "database_url_file"]),
];

#[tokio::test]
async fn a_bad_setting_stops_the_start_with_its_name_its_fault_and_what_is_allowed() {
    let world = World::prepared(Backend::Sqlite, "dev").await;
    for (name, value, parts) in BAD {
        for command in ["serve", "worker"] {
            let mut process = world.launch(&[command]).env(name, value).start();
            let (status, error) = (process.ended(START).await, process.stderr());
            assert_eq!(status.code(), Some(1), "{name}={value}: {error}");
            for part in *parts {
                assert!(error.contains(part), "{name}={value}: {command} does not say `{part}`: {error}");
            }
            assert!(!error.contains("canary-password"), "{name}: {error}");
            assert!(!process.output().contains("panicked"), "{error}");
        }
    }
    world.end().await;
}

#[tokio::test]
async fn what_is_missing_is_named_with_the_way_out() {
    let missing = |drop: &str| {
        let all = [("MORTISE_DATABASE_URL", "sqlite::memory:"), ("MORTISE_KEY_FILE", "/nowhere/keys.json")];
        let launch = Launch::mortise().args(["serve"]);
        all.into_iter().filter(|(name, _)| *name != drop).fold(launch, |launch, (name, value)| launch.env(name, value))
    };
    for (name, parts) in [
        ("MORTISE_DATABASE_URL", ["database_url is not set", "postgres://"]),
        ("MORTISE_KEY_FILE", ["key_file is not set", "mortise keys init"]),
    ] {
        let mut process = missing(name).start();
        assert_eq!(process.ended(START).await.code(), Some(1));
        for part in parts {
            assert!(process.stderr().contains(part), "{name}: {}", process.stderr());
        }
    }
}

#[tokio::test]
async fn a_settings_file_is_read_and_variables_win_over_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "listen = \"127.0.0.1:7001\"\nhttp_workers = 3\negress_allow = \"10.0.0.0/8\"\n");
    let check = |launch: Launch| async move {
        let mut process = launch.start();
        let status = process.ended(START).await;
        (status.code(), process.stdout(), process.stderr())
    };
    let launch = || Launch::mortise().args(["--config", &file, "config", "check"]);
    let url = "postgres://mortise:canary-password@db/mortise";
    let (code, out, err) =
        check(launch().env("MORTISE_LISTEN", "127.0.0.1:7002").env("MORTISE_DATABASE_URL", url)).await;
    assert_eq!(code, Some(0), "{err}");
    for line in ["listen = 127.0.0.1:7002", "http_workers = 3", "egress_allow = 10.0.0.0/8", "database_url = set"] {
        assert!(out.lines().any(|there| there == line), "no `{line}` in\n{out}");
    }
    assert!(!out.contains("canary-password"), "{out}");

    write(folder.path(), "listen = \"127.0.0.1:7001\"\nkeyfile = \"x\"\n");
    let (code, _, err) = check(launch()).await;
    assert_eq!(code, Some(1));
    assert!(err.contains("keyfile") && err.contains("key_file"), "{err}");
}

fn write(folder: &Path, text: &str) -> String {
    let path = folder.join("mortise.toml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn doctor_says_what_is_fine_and_what_is_not() {
    let world = World::prepared(Backend::Sqlite, "dev").await;
    let healthy = world.command(&["doctor"]).await;
    assert_eq!(healthy.matches("ok     ").count(), 4, "{healthy}");
    assert!(!healthy.contains("WRONG"), "{healthy}");

    let find = async |name: &str, value: &str, parts: &[&str]| {
        let mut process = world.launch(&["doctor"]).env(name, value).start();
        let (status, out) = (process.ended(START).await, process.stdout());
        assert_eq!(status.code(), Some(1), "{name}={value}: {out}");
        let wrong: String = out.lines().filter(|line| line.starts_with("WRONG")).collect();
        for part in parts {
            assert!(wrong.contains(part), "{name}={value}: doctor does not say `{part}`:\n{out}{}", process.stderr());
        }
        out
    };
    // Each finding stands for itself: what is fine is still said to be.
    let out = find("MORTISE_KEY_FILE", "/nowhere/keys.json", &["keys", "/nowhere/keys.json"]).await;
    assert!(out.contains("ok     database"), "{out}");
    let empty = format!("sqlite://{}?mode=rwc", world.folder.path().join("empty.db").display());
    find("MORTISE_DATABASE_URL", &empty, &["migrations are pending", "mortise migrate"]).await;
    let file = world.folder.path().join("keys.json/spill");
    let out = find("MORTISE_SPILL_DIR", file.to_str().unwrap(), &["spill folder", "MORTISE_SPILL_DIR"]).await;
    assert!(out.contains("ok     keys"), "{out}");
    world.end().await;
}
