//! Both sides of each bound; what is beyond them has its place in the table of violations.

use crate::{Diagnostic, Severity, lint};

fn found(auth: &str) -> Vec<Diagnostic> {
    lint(&format!(
        "id: acme\nname: Acme\nauth:\n  type: oauth2\n  grant: authorization_code\n  \
         authorization_url: https://acme.example/a\n  token_url: https://acme.example/t\n{auth}"
    ))
}

#[test]
fn what_is_just_allowed() {
    let codes: Vec<_> = (0..100).map(|n| format!("c{n}")).collect();
    for auth in [
        "  refresh_window: 0\n",
        "  refresh_window: 315360000\n",
        "  refresh_window: 30\n  refresh_margin: 30\n",
        "  idle_limit: 1\n  absolute_limit: 2\n",
        "  max_live: 1\n  concurrency: 1\n",
        "  max_live: 100000\n  concurrency: 100000\n",
        "  mint_rate: {requests: 1, seconds: 1}\n",
        "  rate_limit: {requests: 1000000, seconds: 86400}\n",
        "  recovery_class: G\n  reuse_penalty: true\n",
        "  recovery_class: N\n  reuse_penalty: false\n",
        "  refresh_errors: {}\n",
        "  refresh_errors: {app: [invalid_request, '40029', bad-client.code_2]}\n",
        &format!("  refresh_errors: {{app: [{}]}}\n", "x".repeat(64)),
        &format!("  refresh_errors: {{permanent: [{}]}}\n", codes.join(", ")),
    ] {
        assert_eq!(found(auth), [], "{auth}");
    }
}

#[test]
fn what_is_just_not_allowed() {
    for (auth, code, severity) in [
        ("  recovery_class: N\n  reuse_penalty: true\n", "ignored_member", Severity::Error),
        ("  recovery_class: M\n  reuse_penalty: true\n", "ignored_member", Severity::Error),
        ("  absolute_limit: 60\n  idle_limit: 60\n", "idle_too_long", Severity::Warning),
        ("  default_lifetime: 60\n  refresh_margin: 31\n", "margin_too_long", Severity::Warning),
        ("  refresh_window: 0\n  refresh_margin: 1\n", "outside_window", Severity::Error),
        (&format!("  refresh_errors: {{app: [{}]}}\n", "x".repeat(65)), "bad_error_code", Severity::Error),
    ] {
        let told: Vec<_> = found(auth).into_iter().map(|d| (d.code, d.severity)).collect();
        assert_eq!(told, [(code, severity)], "{auth}");
    }
}

#[test]
fn a_broken_member_makes_no_second_finding() {
    for auth in [
        "  refresh_window: soon\n  refresh_margin: 31\n",
        "  absolute_limit: year\n  idle_limit: 60\n",
        "  recovery_class: X\n  reuse_penalty: true\n",
        "  refresh_errors: {app: [gone], permanent: gone}\n",
    ] {
        let codes: Vec<_> = found(auth).into_iter().map(|d| d.code).collect();
        assert_eq!(codes, ["wrong_type"], "{auth}");
    }
}
