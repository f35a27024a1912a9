use super::*;
use crate::{Severity, canonical_json, lint, parse, parse_discovered};
use serde_json::json;

const LEFT_OUT: &str = "\
id: acme
name: Acme
auth:
  type: oauth2
  grant: authorization_code
  discovery:
    issuer: https://id.acme.example/realm
  revocation_url: https://id.acme.example/mine
";

fn found() -> Vec<(&'static str, Value)> {
    vec![
        ("authorization_url", json!("https://id.acme.example/authorize")),
        ("token_url", json!("https://id.acme.example/token")),
        ("revocation_url", json!("https://id.acme.example/revoke")),
        ("issuer", json!("https://id.acme.example/realm")),
        ("client_authentication", json!("client_secret_basic")),
        ("default_scopes", json!(["a", "b"])),
        ("no_member_of_a_manifest", json!(1)),
    ]
}

#[test]
fn what_is_left_out_is_told() {
    let wanted = undiscovered(LEFT_OUT).expect("it asks for discovery");
    assert_eq!(wanted.discovery.issuer.as_deref(), Some("https://id.acme.example/realm"));
    assert_eq!((wanted.grant, wanted.pkce), (Grant::AuthorizationCode, true));
    assert_eq!(wanted.needed, ["authorization_url", "token_url"]);
    assert!(wanted.given.contains("revocation_url") && !wanted.given.contains("token_url"));
    let robot = LEFT_OUT.replace("authorization_code", "client_credentials");
    assert_eq!(undiscovered(&robot).expect("it asks").needed, ["token_url"]);
    for text in ["", "id: acme", "{", "auth: {discovery: 1}", "auth: []"] {
        assert_eq!(undiscovered(text), None, "{text}");
    }
}

#[test]
fn what_was_found_fills_in_what_was_left_out_and_nothing_else() {
    let manifest = parse_discovered(LEFT_OUT, &found()).expect("a manifest");
    let auth = manifest.oauth2().expect("OAuth 2");
    assert_eq!(auth.token_url, "https://id.acme.example/token");
    assert_eq!(auth.revocation_url.as_deref(), Some("https://id.acme.example/mine"), "the author's own word counts");
    assert_eq!(auth.issuer.as_deref(), Some("https://id.acme.example/realm"));
    assert_eq!(auth.default_scopes.iter().collect::<Vec<_>>(), ["a", "b"]);
    // What is registered can be read, registered and asked about again.
    let text = canonical_json(&manifest);
    assert_eq!(parse(&text).as_ref(), Ok(&manifest));
    assert_eq!(undiscovered(&text).expect("it still asks").needed, Vec::<&str>::new());
    assert_eq!(
        Undiscovered::again(&manifest).expect("it still asks").discovery,
        auth.discovery.clone().expect("there")
    );
}

#[test]
fn without_what_was_found_it_can_be_checked_and_not_spoken() {
    assert_eq!(lint(LEFT_OUT), []);
    let refused = parse(LEFT_OUT).expect_err("nobody knows where to send anything");
    let codes: Vec<_> = refused.iter().map(|d| (d.code, d.path.as_str(), d.line)).collect();
    assert_eq!(codes, [("undiscovered", "/auth/discovery", Some(6))]);
    let broken = LEFT_OUT.replace("  revocation_url", "  revocation_ur1");
    let found = lint(&broken);
    assert_eq!(found.iter().map(|d| d.code).collect::<Vec<_>>(), ["unknown_member"]);
}

#[test]
fn what_was_found_passes_every_rule() {
    for (name, value, code) in [
        ("token_url", json!("http://id.acme.example/token"), "bad_url"),
        ("token_url", json!("https://{id}.example/token"), "unknown_variable"),
        ("token_url", json!("https://u:p@acme.example/token"), "bad_url"),
        ("token_url", json!("javascript:alert(1)"), "bad_url"),
        ("authorization_url", json!("https://id.acme.example/authorize?redirect_uri=x"), "reserved_parameter"),
        ("issuer", json!("https://id.acme.example"), "bad_value"),
        ("default_scopes", json!(["a\"b"]), "bad_scope"),
        ("token_url", json!(7), "wrong_type"),
    ] {
        let mut members = found();
        members.retain(|(known, _)| *known != name);
        members.push((name, value.clone()));
        let refused = parse_discovered(LEFT_OUT, &members).expect_err("it breaks a rule");
        assert!(refused.iter().any(|d| d.code == code && d.severity == Severity::Error), "{value}: {refused:?}");
        assert!(refused.iter().all(|d| d.line == Some(6) || d.line == Some(7)), "{refused:?}");
    }
}

#[test]
fn a_starter_is_a_manifest_that_leaves_all_to_discovery() {
    let text = of_protected_resource("https://MCP.Acme-Shop.example/v1/mcp", None, None);
    assert_eq!(lint(&text), [], "{text}");
    let wanted = undiscovered(&text).expect("it asks");
    assert_eq!(wanted.discovery.protected_resource.as_deref(), Some("https://MCP.Acme-Shop.example/v1/mcp"));
    let mut members = found();
    members.retain(|(name, _)| *name != "issuer");
    let manifest = parse_discovered(&text, &members).expect("a manifest");
    assert_eq!((manifest.id.as_str(), manifest.name.as_str()), ("mcp-acme-shop-example", "mcp.acme-shop.example"));
    let named = of_protected_resource("https://mcp.acme.example/", Some("acme"), Some("Acme: no. 1"));
    assert_eq!(lint(&named), [], "{named}");
    assert!(!lint(&of_protected_resource("nonsense\n", None, None)).is_empty());
}

#[test]
fn where_to_look_has_to_be_sensible() {
    let with = |discovery: &str| {
        let text = LEFT_OUT.replace("    issuer: https://id.acme.example/realm", discovery);
        lint(&text).into_iter().map(|d| (d.code, d.path)).collect::<Vec<_>>()
    };
    let at = |code, path: &str| vec![(code, format!("/auth/discovery{path}"))];
    assert_eq!(with("    protected_resource: https://mcp.acme.example/mcp"), []);
    assert_eq!(with("    url: https://acme.example/x\n    issuer: https://acme.example"), []);
    assert_eq!(with("    url: https://acme.example/x"), at("missing_member", "/issuer"));
    assert_eq!(with("    {}"), at("missing_member", ""));
    assert_eq!(with("    issuer: https://{tenant}.acme.example"), at("bad_url", "/issuer"));
    assert_eq!(with("    issuer: http://acme.example"), at("bad_url", "/issuer"));
    assert_eq!(with("    issuer: https://acme.example?x=1"), at("bad_url", "/issuer"));
    assert_eq!(with("    protected_resource: https://acme.example/#x"), at("bad_url", "/protected_resource"));
}

/// Whose clients and tokens these are, the author has said: no resource may name somebody else.
#[test]
fn an_issuer_that_the_author_pinned_is_the_one_that_is_asked() {
    let pinned = LEFT_OUT.replace(
        "    issuer: https://id.acme.example/realm",
        "    protected_resource: https://mcp.acme.example/mcp\n  issuer: https://id.acme.example/realm",
    );
    let wanted = undiscovered(&pinned).expect("it asks for discovery");
    assert_eq!(wanted.discovery.issuer.as_deref(), Some("https://id.acme.example/realm"));
    let mut other = found();
    other.retain(|(name, _)| *name != "issuer");
    other.push(("issuer", json!("https://evil.example")));
    let kept = parse_discovered(&pinned, &other).expect("a manifest");
    let auth = kept.oauth2().expect("OAuth 2");
    assert_eq!(auth.issuer.as_deref(), Some("https://id.acme.example/realm"));
    assert_eq!(auth.discovery.as_ref().expect("as written").issuer, None, "the manifest says what its author wrote");
}
