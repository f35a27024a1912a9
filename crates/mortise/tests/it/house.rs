//! The rules of the house, held against the tree: who may depend on whom, how long a file may be, who may expose a secret,
//! and what the documents say.

use mortise_testkit::workspace_root;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What each crate may depend on, by the names of ARCHITECTURE.md. Development dependencies are free: they cannot loop.
const ARROWS: &[(&str, &[&str])] = &[
    ("mortise-domain", &[]),
    ("mortise-migrations", &[]),
    ("mortise-vault", &["domain"]),
    ("mortise-connectors", &["domain"]),
    ("mortise-store", &["domain"]),
    ("mortise-oauth", &["domain", "vault", "connectors"]),
    ("mortise-broker", &["domain", "vault", "connectors", "oauth", "store"]),
    ("mortise-server", &["broker", "domain"]),
    ("mortise-worker", &["broker", "domain"]),
    ("mortise-sandbox", &["connectors", "domain"]),
    ("mortise-contract", &["connectors", "domain", "oauth", "sandbox"]),
    ("mortise-openapi", &["server"]),
    ("mortise-properties", &["broker", "connectors", "domain", "oauth"]),
    ("mortise-testkit", &["domain", "migrations", "store", "sandbox"]),
    ("mortise-bench", &["connectors", "domain", "sandbox", "testkit", "vault"]),
    (
        "mortise",
        &[
            "broker",
            "connectors",
            "contract",
            "domain",
            "migrations",
            "oauth",
            "sandbox",
            "server",
            "store",
            "vault",
            "worker",
        ],
    ),
];

/// The files that may let a secret out: to send it, seal it, digest it or hand it over.
const EXPOSING: &[&str] = &[
    // The measuring provider gives its own tokens.
    "crates/bench/src/provider.rs",
    "crates/broker/src/authenticate.rs",
    "crates/broker/src/api_keys.rs",
    "crates/broker/src/connect/brought.rs",
    "crates/broker/src/connect/callback.rs",
    "crates/broker/src/connect/complete.rs",
    "crates/broker/src/connect/device.rs",
    "crates/broker/src/connect/device/held.rs",
    "crates/broker/src/connect/exchange.rs",
    "crates/broker/src/connect/oauth1.rs",
    "crates/broker/src/connect/session.rs",
    "crates/broker/src/connect/start.rs",
    "crates/broker/src/connections.rs",
    "crates/broker/src/further.rs",
    "crates/broker/src/pasted.rs",
    "crates/broker/src/sealing.rs",
    "crates/broker/src/sealing/several.rs",
    // Its client and its customer are made up.
    "crates/contract/src/",
    "crates/domain/src/secret.rs",
    "crates/mortise/src/commands/api_keys.rs",
    "crates/mortise/src/commands/dev/demo.rs",
    "crates/oauth/src/",
    // What holds for what was read is asserted of what was read.
    "crates/properties/src/",
    // A provider shows its own tokens to its clients.
    "crates/sandbox/src/",
    "crates/vault/src/",
    "server/src/api/api_keys.rs",
    "server/src/api/connect_sessions.rs",
    "server/src/api/tokens.rs",
    "server/src/pages/connect.rs",
    "server/src/pages/console/sign_in.rs",
];

fn metadata() -> serde_json::Value {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let mut command = std::process::Command::new(cargo);
    command.args(["metadata", "--format-version", "1", "--no-deps", "--offline"]).current_dir(workspace_root());
    let output = command.output().expect("cargo metadata runs");
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}

fn sources() -> Vec<(PathBuf, String)> {
    let root = workspace_root();
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let (path, name) = (entry.path(), entry.file_name());
            let skipped = ["target", ".git", "node_modules", ".mortise"].iter().any(|s| name == *s);
            if path.is_dir() && !skipped {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(&root).unwrap().to_owned(), text));
            }
        }
    }
    assert!(found.len() > 100, "only {} sources found", found.len());
    found
}

fn is_test(path: &Path) -> bool {
    path.components().any(|c| c.as_os_str() == "tests" || c.as_os_str() == "testkit") || path.ends_with("tests.rs")
}

#[test]
fn every_arrow_is_drawn() {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let names: BTreeSet<_> = packages.iter().map(|package| package["name"].as_str().unwrap()).collect();
    assert_eq!(names, allowed.keys().copied().collect(), "a crate is missing from the table, or gone");
    for package in packages {
        let name = package["name"].as_str().unwrap();
        for dependency in package["dependencies"].as_array().unwrap() {
            let (on, dev) = (dependency["name"].as_str().unwrap(), dependency["kind"] == "dev");
            let ours = on.strip_prefix("mortise-").filter(|_| !dev);
            assert!(ours.is_none_or(|on| allowed[name].contains(&on)), "{name} may not depend on {on}");
        }
    }
}

/// Builds that are wrong on purpose are for the one test that asks for them by name: no crate does, and no other feature.
#[test]
fn nothing_turns_a_known_bad_build_on() {
    let metadata = metadata();
    let asks = |features: &serde_json::Value| features.to_string().contains("known-bad");
    let mut having = BTreeSet::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        for dependency in package["dependencies"].as_array().unwrap() {
            assert!(!asks(&dependency["features"]), "{name} asks {} for it", dependency["name"]);
        }
        for (feature, turns_on) in package["features"].as_object().unwrap() {
            assert!(feature == "known-bad" || !asks(turns_on), "the feature {feature} of {name} turns it on");
            having.extend((feature == "known-bad").then_some(name));
        }
    }
    assert_eq!(having, BTreeSet::from(["mortise-broker", "mortise-store", "mortise-worker"]));
}

#[test]
fn no_file_written_by_hand_is_longer_than_400_lines() {
    let long: Vec<_> =
        sources().into_iter().filter(|(_, text)| text.lines().count() > 400).map(|(path, _)| path).collect();
    assert_eq!(long, Vec::<PathBuf>::new());
}

#[test]
fn secrets_are_exposed_in_the_listed_files_only() {
    let elsewhere: Vec<_> = sources()
        .into_iter()
        .filter(|(path, text)| !is_test(path) && text.contains(".expose()"))
        .map(|(path, _)| path.to_str().unwrap().to_owned())
        .filter(|path| !EXPOSING.iter().any(|allowed| path.starts_with(allowed)))
        .collect();
    assert_eq!(elsewhere, Vec::<String>::new());
}

#[test]
fn every_module_says_what_it_is_for() {
    let silent: Vec<_> = sources()
        .into_iter()
        .filter(|(path, text)| !is_test(path) && !text.starts_with("//!"))
        .map(|(path, _)| path)
        .collect();
    assert_eq!(silent, Vec::<PathBuf>::new());
}

#[test]
fn documents_name_files_that_exist() {
    let root = workspace_root();
    for document in [
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "SECURITY.md",
        "docs/settings.md",
        "docs/logging.md",
        "docs/manifests.md",
        "docs/manifests-reference.md",
    ] {
        let text = std::fs::read_to_string(root.join(document)).unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.contains("://") && !link.starts_with('#')) {
            let path = link.split('#').next().unwrap();
            assert!(root.join(document).parent().unwrap().join(path).exists(), "{document} names {path}");
        }
    }
}

/// A row without its test is a promise that nobody holds.
#[test]
fn every_row_of_hostile_input_has_the_tests_that_it_names() {
    let text = std::fs::read_to_string(workspace_root().join("docs/hostile-input.md")).unwrap();
    let all: String = sources().into_iter().map(|(_, text)| text).collect();
    let rows: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | ")).collect();
    let rows: BTreeMap<_, _> = rows.into_iter().filter(|(row, _)| row.len() == 3).collect();
    let numbered =
        |letter: char, numbers: std::ops::RangeInclusive<u8>| numbers.map(move |n| format!("{letter}{n:02}"));
    for row in numbered('E', 5..=8).chain(numbered('T', 1..=12)).chain(numbered('H', 1..=5)) {
        let tests = rows.get(row.as_str()).and_then(|rest| rest.rsplit(" | ").next());
        let names: Vec<_> = tests.unwrap_or_default().split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "{row} names no test");
        for name in names {
            assert!(all.contains(&format!("fn {name}(")), "{row} names {name}, which is no test");
        }
    }
}
