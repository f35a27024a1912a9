//! Manifests: whatever the text is, there are findings or a manifest, and the manifest is what it is in canonical form too.

use mortise_connectors::{canonical_json, lint, parse, render};

/// No text brings the reader down, and none is read as something that it does not say.
pub fn manifest(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let found = lint(&text);
    assert!(found.len() <= 101, "{} findings", found.len());
    for diagnostic in &found {
        assert!(!diagnostic.message.chars().any(char::is_control), "{:?}", diagnostic.message);
        assert!(render(&text, diagnostic).contains(&diagnostic.message), "a finding is not shown");
    }
    match parse(&text) {
        Ok(manifest) => {
            let again = parse(&canonical_json(&manifest));
            assert_eq!(again.as_ref(), Ok(&manifest), "the canonical form says something else");
        }
        Err(refused) => assert!(refused.iter().any(|diagnostic| found.contains(diagnostic)), "refused for nothing"),
    }
}
