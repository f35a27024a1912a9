use super::*;
use crate::lint;

const BROKEN: &str =
    "id: acme\nname: Acme\nauth:\n  type: oauth2\n  grant: client_credentials\n  token_ur1: https://acme.example/\n";

fn log() -> Value {
    let checked = [
        Checked { file: "connectors/acme.yaml".into(), found: lint(BROKEN) },
        Checked { file: "fine.yaml".into(), found: Vec::new() },
    ];
    sarif(&checked, "1.2.3")
}

#[test]
fn a_finding_is_a_result_with_file_line_column_and_rule() {
    let log = log();
    let results = log.pointer("/runs/0/results").and_then(Value::as_array).expect("results");
    assert_eq!(results.len(), 1, "{results:#?}");
    let at = |pointer: &str| results[0].pointer(pointer).cloned().unwrap_or_default();
    assert_eq!(at("/ruleId"), "unknown_member");
    assert_eq!(at("/level"), "error");
    assert_eq!(at("/message/text"), "`token_ur1` is not a member: did you mean `token_url`?");
    assert_eq!(at("/locations/0/physicalLocation/artifactLocation/uri"), "connectors/acme.yaml");
    assert_eq!(at("/locations/0/physicalLocation/region"), json!({"startLine": 6, "startColumn": 3}));
    assert_eq!(at("/locations/0/logicalLocations/0/fullyQualifiedName"), "/auth/token_ur1");
}

#[test]
fn every_rule_that_is_used_is_described_once() {
    let log = log();
    assert_eq!(log["version"], "2.1.0");
    let driver = &log["runs"][0]["tool"]["driver"];
    assert_eq!((&driver["name"], &driver["semanticVersion"]), (&json!("mortise"), &json!("1.2.3")));
    let rules = driver["rules"].as_array().expect("rules");
    assert_eq!(rules.len(), 1);
    assert_eq!(rules[0]["id"], "unknown_member");
    assert!(rules[0]["shortDescription"]["text"].as_str().is_some_and(|text| text.starts_with("no such member")));
}

#[test]
fn a_finding_without_a_place_has_no_region() {
    let found = lint(&"#".repeat(300 * 1024));
    let log = sarif(&[Checked { file: "long.yaml".into(), found }], "1");
    let location = &log["runs"][0]["results"][0]["locations"][0];
    assert_eq!(*location, json!({"physicalLocation": {"artifactLocation": {"uri": "long.yaml"}}}));
}

#[test]
fn a_files_name_is_a_uri_whatever_it_is() {
    for (file, expected) in [
        ("a.yaml", "a.yaml"),
        ("a b#c?.yaml", "a%20b%23c%3F.yaml"),
        ("größe.yaml", "gr%C3%B6%C3%9Fe.yaml"),
        ("/tmp/a.yaml", "file:///tmp/a.yaml"),
        ("a\\b.yaml", "a/b.yaml"),
        ("c:d.yaml", "./c:d.yaml"),
        ("100%.yaml", "100%25.yaml"),
    ] {
        assert_eq!(uri(file), expected);
    }
}
