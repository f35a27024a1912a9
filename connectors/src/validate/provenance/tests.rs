//! Both sides of each rule.

use crate::lint;

fn codes(lines: &str) -> Vec<(&'static str, String)> {
    let text = format!(
        "id: acme\nname: Acme\nauth:\n  type: oauth2\n  grant: client_credentials\n  token_url: https://acme.example/t\n{lines}\n"
    );
    lint(&text).into_iter().map(|d| (d.code, d.path)).collect()
}

fn provenance(sources: &str, confidence: &str, checked: &str) -> String {
    format!("provenance: {{sources: {sources}, confidence: {confidence}, checked: {checked}}}")
}

#[test]
fn what_is_accepted() {
    let long = "x".repeat(40);
    for lines in [
        "categories: []".to_owned(),
        "categories: [crm, e-commerce, 3d]".to_owned(),
        format!("categories: [{long}]"),
        provenance("1", "single", "2026-11-21"),
        provenance("2", "agreed", "\"2024-02-29\""),
        provenance("1000", "agreed", "2000-02-29"),
        provenance("1", "documented", "2026-12-31") + "\ndocs_url: https://acme.example/docs",
        provenance("7", "documented", "2026-04-30") + "\ndocs_url: https://acme.example/docs",
    ] {
        assert_eq!(codes(&lines), [], "{lines}");
    }
}

#[test]
fn what_is_refused() {
    let (sources, confidence, checked) = ("/provenance/sources", "/provenance/confidence", "/provenance/checked");
    let many = (0..11).map(|n| format!("c{n}")).collect::<Vec<_>>().join(", ");
    for (lines, code, path) in [
        ("categories: [CRM]".to_owned(), "bad_category", "/categories/0"),
        ("categories: [crm, -crm]".to_owned(), "bad_category", "/categories/1"),
        ("categories: ['']".to_owned(), "bad_category", "/categories/0"),
        ("categories: [a--b]".to_owned(), "bad_category", "/categories/0"),
        ("categories: [a b]".to_owned(), "bad_category", "/categories/0"),
        (format!("categories: [{}]", "x".repeat(41)), "bad_category", "/categories/0"),
        ("categories: [crm, erp, crm]".to_owned(), "bad_category", "/categories/2"),
        (format!("categories: [{many}]"), "too_many", "/categories"),
        (provenance("0", "agreed", "2026-11-21"), "bad_provenance", sources),
        (provenance("1001", "agreed", "2026-11-21"), "bad_provenance", sources),
        (provenance("1", "agreed", "2026-11-21"), "bad_provenance", confidence),
        (provenance("2", "single", "2026-11-21"), "bad_provenance", confidence),
        (provenance("2", "documented", "2026-11-21"), "bad_provenance", confidence),
        (provenance("2", "agreed", "2026-02-29"), "bad_provenance", checked),
        (provenance("2", "agreed", "2026-11-31"), "bad_provenance", checked),
        (provenance("2", "agreed", "2026-13-01"), "bad_provenance", checked),
        (provenance("2", "agreed", "2026-00-01"), "bad_provenance", checked),
        (provenance("2", "agreed", "2026-01-00"), "bad_provenance", checked),
        (provenance("2", "agreed", "1900-02-29"), "bad_provenance", checked),
        (provenance("2", "agreed", "2026-1-1"), "bad_provenance", checked),
        (provenance("2", "agreed", "2026-01-01-01"), "bad_provenance", checked),
        (provenance("2", "agreed", "21.11.2026"), "bad_provenance", checked),
        (provenance("2", "agreed", "today"), "bad_provenance", checked),
        (provenance("2", "sure", "2026-11-21"), "wrong_type", confidence),
        ("provenance: {sources: 2}".to_owned(), "missing_member", confidence),
    ] {
        let found = codes(&lines);
        assert_eq!(found.first(), Some(&(code, path.to_owned())), "{lines}: {found:?}");
    }
}
