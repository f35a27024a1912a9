//! The guide and the reference tell the truth: their examples are manifests, and their links lead somewhere.

use mortise_connectors::{DEFAULT_GRACE, parse};

const REFERENCE: &str =
    concat!(include_str!("../../../docs/manifests.md"), include_str!("../../../docs/manifests-reference.md"));

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

/// The anchors of a page's headings, as code hosts make them.
fn anchors(page: &str) -> Vec<String> {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    let headings = page.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    headings.map(|text| text.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}

#[test]
fn links_lead_to_headings() {
    let (guide, reference) =
        (include_str!("../../../docs/manifests.md"), include_str!("../../../docs/manifests-reference.md"));
    for (page, own, (other_name, other)) in [
        ("the guide", guide, ("manifests-reference.md", reference)),
        ("the reference", reference, ("manifests.md", guide)),
    ] {
        let links: Vec<_> = own.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
        assert!(links.len() > 8, "{page} has {} links", links.len());
        for (file, anchor) in links.into_iter().filter_map(|link| link.split_once('#')) {
            let page_of = if file.is_empty() { own } else { other };
            assert!(file.is_empty() || file == other_name, "{page} links to {file}");
            assert!(anchors(page_of).iter().any(|found| found == anchor), "{page} links to {file}#{anchor}");
        }
    }
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
