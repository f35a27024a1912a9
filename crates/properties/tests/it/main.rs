//! The properties over the corpus of the fuzz targets, and over what is made of it at random.

#![expect(clippy::unwrap_used, reason = "test code: a fault in the set-up is the test's failure")]

use mortise_properties::{TARGETS, Target};
use proptest::prelude::*;
use std::path::PathBuf;

/// The corpus of one target: what fuzzing found worth keeping, and what was found broken once.
fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
    let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = entries.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect();
    found.sort();
    found
}

#[test]
fn every_target_holds_over_its_corpus() {
    for (name, property) in TARGETS {
        let corpus = corpus(name);
        assert!(corpus.len() >= 8, "{name} has {} files", corpus.len());
        for (path, bytes) in corpus {
            let held = std::panic::catch_unwind(|| property(&bytes));
            assert!(held.is_ok(), "{} fails", path.display());
        }
    }
}

#[test]
fn every_target_has_a_fuzz_target_of_its_name() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    for (name, _) in TARGETS {
        let main = std::fs::read_to_string(root.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(main.contains(&format!("mortise_properties::{name}(")), "{name}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
}

/// A file of the corpus with pieces cut out, doubled and thrown in.
fn mutated(name: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let files: Vec<_> = corpus(name).into_iter().map(|(_, bytes)| bytes).collect();
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..8),
        "[\\[\\]{}:,\"'/\\\\@%#?&= \\n\\t-]{1,6}".prop_map(String::into_bytes),
    ];
    let cuts = prop::collection::vec((any::<prop::sample::Index>(), 0..30_usize, piece), 0..5);
    (prop::sample::select(files), cuts).prop_map(|(mut bytes, cuts)| {
        for (at, length, piece) in cuts {
            let start = at.index(bytes.len() + 1);
            let end = (start + length).min(bytes.len());
            bytes.splice(start..end, piece);
        }
        bytes
    })
}

fn holds(name: &'static str, cases: u32) {
    let (_, property): Target = TARGETS.into_iter().find(|(target, _)| *target == name).unwrap();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(cases));
    runner
        .run(&mutated(name), |bytes| {
            property(&bytes);
            Ok(())
        })
        .unwrap();
}

#[test]
fn manifests_hold() {
    holds("manifest", 600);
}

#[test]
fn templates_hold() {
    holds("template", 3000);
}

#[test]
fn token_replies_hold() {
    holds("token_reply", 3000);
}

#[test]
fn callbacks_hold() {
    holds("callback", 3000);
}

/// The property says something of callbacks that are believed, so there have to be some.
#[test]
fn some_callbacks_of_the_corpus_are_believed() {
    for name in ["plain", "issuer", "kept", "signed"] {
        let (_, bytes) = corpus("callback").into_iter().find(|(path, _)| path.ends_with(name)).unwrap();
        assert!(mortise_properties::believed(&bytes), "{name}");
    }
}

#[test]
fn discovery_holds() {
    holds("discovery", 3000);
}
