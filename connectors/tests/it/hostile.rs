//! No text brings the parser down, and none is read as something that it does not say.

use mortise_connectors::{Manifest, canonical_json, catalog, lint, locate, parse, render};
use proptest::prelude::*;

const LONGEST: usize = 256 * 1024;

fn github() -> String {
    catalog::get("github").expect("an entry")
}

#[test]
fn e08_the_longest_text_is_256_kib() {
    let padded = |length: usize| {
        let text = github();
        let padding = "#".repeat(length - text.len());
        text + &padding
    };
    assert_eq!(lint(&padded(LONGEST)), []);
    let found = lint(&padded(LONGEST + 1));
    assert_eq!(found.iter().map(|d| d.code).collect::<Vec<_>>(), ["too_long"]);
    assert_eq!(found[0].message, "the manifest is 262145 bytes long: use at most 262144");
    assert_eq!(locate(&padded(LONGEST + 1), "/id"), None);
}

#[test]
fn yaml_and_json_with_the_same_members_are_equal() {
    for id in catalog::ids() {
        let yaml = parse(&catalog::get(&id).expect("an entry")).expect("a manifest");
        let json = canonical_json(&yaml);
        assert_eq!(parse(&json).as_ref(), Ok(&yaml), "{id}");
        let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        let pretty = serde_json::to_string_pretty(&value).expect("JSON").replace("  ", "\t");
        assert_eq!(parse(&pretty).as_ref(), Ok(&yaml), "{id} with tabs");
        assert_eq!(serde_json::from_str::<Manifest>(&json).as_ref().ok(), Some(&yaml), "{id} as it is stored");
    }
}

#[test]
fn canonical_json_does_not_depend_on_how_a_manifest_is_written() {
    let text = github();
    let turned: String = {
        let (head, scopes) = text.split_once("scopes:\n").expect("scopes");
        let (scopes, api) = scopes.split_once("api:").expect("an api");
        let mut lines: Vec<_> = scopes.lines().collect();
        lines.reverse();
        format!("{head}api:{api}scopes:\n{}\n", lines.join("\n"))
    };
    assert_ne!(text, turned);
    let canonical = |text: &str| canonical_json(&parse(text).expect("a manifest"));
    assert_eq!(canonical(&text), canonical(&turned));
}

#[test]
fn e08_the_worst_texts_of_full_length_are_answered_with_findings() {
    let repeat = |part: &str| part.repeat(LONGEST / part.len());
    for text in [
        repeat("["),
        repeat("{a: "),
        repeat("- "),
        repeat("? "),
        repeat("a: "),
        repeat("a:\n "),
        repeat("\""),
        repeat("'"),
        repeat("&a "),
        repeat("*a "),
        repeat("!a "),
        repeat("|\n"),
        repeat("#\n"),
        repeat("---\n"),
        repeat("%A b\n"),
        repeat("\t"),
        repeat("\u{0}"),
        repeat("\u{feff}"),
        repeat("😀"),
        repeat("a: 1\n"),
        repeat("[],"),
        format!("[{}]", repeat("[],").get(..LONGEST - 3).unwrap_or("")),
        format!("id: '{}'", "x".repeat(LONGEST - 10)),
        (0..20_000).map(|n| format!("k{n}: 1\n")).collect(),
    ] {
        let found = lint(&text);
        assert!(!found.is_empty() && found.len() <= 101, "{:?}", text.get(..20));
        for diagnostic in &found {
            assert!(diagnostic.message.len() < 2000, "{}", diagnostic.message);
            assert!(render(&text, diagnostic).len() < 3000);
        }
    }
}

/// A catalog entry with pieces cut out, doubled and thrown in.
fn mutilated() -> impl Strategy<Value = String> {
    let ids = proptest::sample::select(catalog::ids());
    let piece = prop_oneof![any::<String>(), "[\\[\\]{}:,&*!|>'\"%@`?# \\n\\t-]{1,8}", Just(String::new())];
    (ids, proptest::collection::vec((any::<prop::sample::Index>(), 0..40_usize, piece), 1..6)).prop_map(|(id, cuts)| {
        let mut text: Vec<char> = catalog::get(&id).unwrap_or_default().chars().collect();
        for (at, length, piece) in cuts {
            let start = at.index(text.len() + 1);
            let end = (start + length).min(text.len());
            text.splice(start..end, piece.chars());
        }
        text.into_iter().collect()
    })
}

fn sound(text: &str) -> Result<(), TestCaseError> {
    let found = lint(text);
    for diagnostic in &found {
        let rendered = render(text, diagnostic);
        prop_assert!(rendered.contains(&diagnostic.message));
        let place = diagnostic.line.zip(diagnostic.column);
        prop_assert!(
            place.is_none_or(|(line, column)| line >= 1 && column >= 1 && line as usize <= text.lines().count() + 1)
        );
        prop_assert!(!diagnostic.message.chars().any(char::is_control), "{:?}", diagnostic.message);
        prop_assert!(!diagnostic.message.is_empty());
    }
    match parse(text) {
        Ok(manifest) => {
            let json = canonical_json(&manifest);
            prop_assert_eq!(parse(&json), Ok(manifest));
        }
        Err(refused) => prop_assert_eq!(refused, found),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn garbage_is_answered_with_findings(text in any::<String>()) {
        sound(&text)?;
    }

    #[test]
    fn mutilated_manifests_are_answered_with_findings(text in mutilated()) {
        sound(&text)?;
    }
}
