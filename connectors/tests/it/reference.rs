//! The reference tells the truth: its examples are manifests.

use mortise_connectors::{DEFAULT_GRACE, parse};

const REFERENCE: &str = include_str!("../../../docs/manifests.md");

/// The fenced blocks of a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    REFERENCE.split(fence.as_str()).skip(1).filter_map(|rest| rest.split("\n```").next()).collect()
}

#[test]
fn the_examples_are_manifests() {
    let (yaml, json) = (blocks("yaml"), blocks("json"));
    assert!(yaml.len() >= 2 && !json.is_empty(), "{} and {} examples", yaml.len(), json.len());
    for text in yaml.iter().chain(&json) {
        let mut found = mortise_connectors::lint(text);
        // What is flagged as legacy is shown as well.
        found.retain(|finding| finding.code != "legacy_grant");
        assert_eq!(found, [], "{text}");
    }
    assert_eq!(parse(yaml[0]), parse(json[0]), "the first example in both notations");
}

#[test]
fn the_default_grace_is_as_told() {
    assert!(REFERENCE.contains(&format!("{DEFAULT_GRACE} for class G")));
}

#[test]
fn the_lint_output_is_as_told() {
    let manifest = blocks("yaml")[0].replace("token_url:", "token_ur1:");
    let found = mortise_connectors::lint(&manifest);
    let shown: Vec<_> = found.iter().map(|d| mortise_connectors::render(&manifest, d)).collect();
    let told = blocks("text");
    assert_eq!(shown.join("\n"), told[0]);
}
