use super::*;
use crate::{Manifest, parse};

fn manifest(lines: &str) -> Manifest {
    let text = format!(
        "id: acme\nname: Acme\nauth:\n  type: oauth2\n  grant: authorization_code\n  \
         authorization_url: https://acme.example/a\n  token_url: https://acme.example/t\n{lines}"
    );
    parse(&text).unwrap_or_else(|found| panic!("{found:#?}"))
}

fn auth(lines: &str) -> OAuth2 {
    manifest(lines).oauth2().expect("OAuth 2").clone()
}

fn secs(count: u64) -> Option<Duration> {
    Some(Duration::from_secs(count))
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(seconds, 0).expect("an instant")
}

#[test]
fn a_manifest_that_says_nothing_has_no_limits() {
    let auth = auth("");
    let gate = gate::Limits::default();
    let none = Limits { grace: None, idle: None, absolute: None, max_live: None, gate };
    assert_eq!((auth.limits(), auth.refresh_rules(), auth.assumed_lifetime()), (none, RefreshRules::default(), None));
    assert_eq!(auth.deadlines(at(0), at(10), None), Deadlines::default());
    assert!(!auth.kills_prior_access_token && !auth.reuse_penalty && auth.refresh_errors.is_empty());
}

#[test]
fn what_a_manifest_says_comes_as_durations() {
    let auth = auth(
        "  recovery_class: G\n  idle_limit: 100\n  absolute_limit: 200\n  max_live: 5\n  concurrency: 4\n  \
         mint_rate: {requests: 10, seconds: 600}\n  rate_limit: {requests: 3, seconds: 1}\n  default_lifetime: 900\n  \
         refresh_margin: 20\n  refresh_window: 30\n  kills_prior_access_token: true\n",
    );
    let mint = gate::Rate { requests: 10, seconds: 600 };
    let rate = gate::Rate { requests: 3, seconds: 1 };
    let limits = Limits {
        grace: secs(DEFAULT_GRACE.into()),
        idle: secs(100),
        absolute: secs(200),
        max_live: Some(5),
        gate: gate::Limits { rate: Some(rate), concurrency: Some(4), mint: Some(mint) },
    };
    assert_eq!(auth.limits(), limits);
    let rules = RefreshRules { margin: secs(20), window: secs(30), kills_prior_access_token: true };
    assert_eq!((auth.refresh_rules(), auth.assumed_lifetime()), (rules, secs(900)));
}

#[test]
fn a_rate_has_a_pace() {
    let rate = Rate { requests: 10, seconds: 600 };
    assert_eq!(rate.interval(), Duration::from_secs(60));
    assert_eq!((rate.drain(0), rate.drain(25)), (Duration::ZERO, Duration::from_secs(1500)));
    let fast = Rate { requests: 1_000_000, seconds: 1 };
    assert_eq!((fast.interval(), fast.drain(50_000)), (Duration::from_micros(1), Duration::from_millis(50)));
    assert_eq!(Rate { requests: 1, seconds: u32::MAX }.drain(u64::MAX), Duration::from_nanos(u64::MAX));
}

#[test]
fn a_code_means_what_the_list_that_it_stands_in_says() {
    let lines =
        "  refresh_errors: {permanent: [bad_refresh_token], transient: [busy], throttled: [quota], app: [no_app]}\n";
    let errors = auth(lines).refresh_errors;
    assert!(!errors.is_empty());
    for (code, meaning) in [
        ("bad_refresh_token", Some(RefreshError::Permanent)),
        ("busy", Some(RefreshError::Transient)),
        ("quota", Some(RefreshError::Throttled)),
        ("no_app", Some(RefreshError::App)),
        ("invalid_grant", None),
        ("", None),
    ] {
        assert_eq!(errors.meaning(code), meaning, "{code}");
    }
}

#[test]
fn deadlines_follow_the_reply_before_the_manifest() {
    let deadlines = |class: &str, told| {
        auth(&format!("  recovery_class: {class}\n  idle_limit: 100\n  absolute_limit: 1000\n")).deadlines(
            at(0),
            at(50),
            told,
        )
    };
    let both = |end, idle| Deadlines { grant_expires_at: Some(at(end)), refresh_idle_at: Some(at(idle)) };
    assert_eq!(deadlines("S", None), both(1000, 150));
    assert_eq!(deadlines("S", secs(300)), both(1000, 350));
    assert_eq!(deadlines("N", None), both(1000, 150));
    assert_eq!(deadlines("N", secs(300)), both(350, 150), "a token that never changes gets no new life");
    assert_eq!(deadlines("N", secs(9000)), both(1000, 150));
}

#[test]
fn the_members_at_their_defaults_leave_the_canonical_text_as_it_was_without_them() {
    let text = crate::canonical_json(&manifest("  token_response: {ok: /ok}\n"));
    for member in [
        "kills_prior_access_token",
        "refresh_window",
        "idle_limit",
        "absolute_limit",
        "max_live",
        "mint_rate",
        "reuse_penalty",
        "rate_limit",
        "concurrency",
        "introspection_url",
        "refresh_errors",
        "refresh_expires_in",
        "error_detail",
    ] {
        assert!(!text.contains(member), "{member} changes the digest of every manifest: {text}");
    }
}
