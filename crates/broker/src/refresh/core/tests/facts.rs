//! What is read out of a manifest, a row and a failure.

use super::*;
use mortise_connectors::{Auth, parse};
use mortise_domain::{AppKey, AttemptId, ConnectionId, ConnectionState, ConnectorKey, CustomerKey, EnvironmentKey};
use mortise_domain::{ScopeSet, Sealed};
use mortise_oauth::Failure;
use mortise_store::{Claimed, Connection};
use uuid::Uuid;

/// The part of a manifest that matters, with so many lines more.
fn auth(lines: &str) -> Auth {
    let text = format!(
        "id: acme\nname: Acme\nauth:\n  type: oauth2\n  grant: authorization_code\n  \
         authorization_url: https://acme.example/a\n  token_url: https://acme.example/t\n{lines}"
    );
    parse(&text).unwrap_or_else(|found| panic!("{found:#?}")).auth
}

fn claimed() -> Claimed {
    let connection = Connection {
        id: ConnectionId::from_uuid(Uuid::nil()),
        environment: EnvironmentKey::from_uuid(Uuid::nil()),
        customer: CustomerKey::from_uuid(Uuid::nil()),
        app: AppKey::from_uuid(Uuid::nil()),
        connector_version: 1,
        state: ConnectionState::Active,
        state_reason: StateReason::Consented,
        state_since: instant(-9),
        family: 1,
        generation: 7,
        access: Some(Sealed::from_bytes(vec![1])),
        refresh: Some(Sealed::from_bytes(vec![2])),
        expires_at: Some(instant(-1)),
        refreshed_at: Some(instant(-2)),
        next_refresh_at: Some(instant(-3)),
        granted_scopes: None,
        requested_scopes: ScopeSet::default(),
        variables: Default::default(),
        metadata: Default::default(),
        failures: 3,
        lease_owner: None,
        lease_until: None,
        fence: 5,
        attempt: None,
        attempt_deadline: None,
        last_error: None,
        suspicions: 2,
        suspected_at: Some(instant(-4)),
        previous_refresh: Some(Sealed::from_bytes(vec![3])),
        grant_expires_at: None,
        refresh_idle_at: None,
        used_at: Some(instant(-5)),
        reauth_warned: None,
        granted_at: instant(-6),
        created_at: instant(-7),
        updated_at: instant(-8),
    };
    Claimed {
        connection,
        attempt: AttemptId::from_uuid(Uuid::nil()),
        fence: 5,
        interrupted: None,
        now: instant(0),
        provider: ConnectorKey::from_uuid(Uuid::nil()),
    }
}

#[test]
fn rules_are_what_the_manifest_says() {
    assert_eq!(Rules::from(&auth("  recovery_class: N\n")), rules(RecoveryClass::N));
    assert_eq!(Rules::from(&auth("")).class, RecoveryClass::F, "an unknown provider counts as the worst");
    let lines = "  recovery_class: G\n  grace: 90\n  default_lifetime: 1800\n  refresh_margin: 120\n  \
                 refresh_window: 300\n  kills_prior_access_token: true\n  reuse_penalty: true\n";
    let timing = RefreshRules { margin: Some(secs(120)), window: Some(secs(300)), kills_prior_access_token: true };
    let expected = Rules {
        class: RecoveryClass::G,
        grace: Some(secs(90)),
        reuse_penalty: true,
        timing,
        default_lifetime: Some(secs(1_800)),
    };
    assert_eq!(Rules::from(&auth(lines)), expected);
}

#[test]
fn standings_are_what_the_row_says() {
    let auth = auth("  recovery_class: M\n");
    let expected = Standing {
        failures: 3,
        suspicions: 2,
        suspected_at: Some(instant(-4)),
        unresolved: false,
        granted_at: instant(-6),
        refreshed_at: Some(instant(-2)),
        expires_at: Some(instant(-1)),
        used_at: Some(instant(-5)),
        has_refresh: true,
        has_previous: true,
        by_client: false,
    };
    assert_eq!(Standing::of(&claimed(), &auth), expected);
    let mut row = claimed();
    row.interrupted = Some(row.attempt);
    (row.connection.refresh, row.connection.previous_refresh) = (None, None);
    let bare = Standing { unresolved: true, has_refresh: false, has_previous: false, ..expected };
    assert_eq!(Standing::of(&row, &auth), bare);
}

#[test]
fn the_token_before_counts_in_class_m_only() {
    for class in CLASSES {
        let word = format!("{class:?}");
        let standing = Standing::of(&claimed(), &auth(&format!("  recovery_class: {word}\n")));
        assert_eq!(standing.has_previous, class == RecoveryClass::M, "{class:?}");
    }
}

#[test]
fn a_client_that_asks_for_itself_needs_no_refresh_token() {
    let text = "id: acme\nname: Acme\nauth:\n  type: oauth2\n  grant: client_credentials\n  \
                token_url: https://acme.example/t\n  recovery_class: N\n";
    let auth = parse(text).unwrap_or_else(|found| panic!("{found:#?}")).auth;
    assert!(Standing::of(&claimed(), &auth).by_client);
}

#[test]
fn a_token_serves_until_its_end() {
    for (end, serves) in [(Some(-1), false), (Some(0), false), (Some(1), true), (None, true)] {
        let standing = Standing { expires_at: end.map(instant), ..standing() };
        assert_eq!(standing.serves(instant(0)), serves, "{end:?}");
    }
}

#[test]
fn a_new_grants_standing_is_clean() {
    let expected = Standing {
        failures: 0,
        suspicions: 0,
        suspected_at: None,
        unresolved: false,
        granted_at: instant(5),
        refreshed_at: None,
        expires_at: None,
        used_at: None,
        has_refresh: true,
        has_previous: false,
        by_client: false,
    };
    assert_eq!(Standing::new(instant(5)), expected);
}

#[test]
fn refusals_are_what_the_failure_and_the_manifest_say() {
    let auth = auth("  refresh_errors:\n    permanent: [gone]\n    transient: [busy]\n");
    for (status, error, definitive) in [
        (Some(400), Some("gone"), true),
        (Some(400), Some("invalid_grant"), false),
        (Some(400), Some("busy"), false),
        (Some(500), None, false),
        (Some(503), None, false),
        (None, None, false),
    ] {
        let failure = Failure {
            class: FailureClass::Unknown,
            status,
            error: error.map(str::to_owned),
            retry_after: Some(secs(9)),
            detail: "",
        };
        let expected = Refusal {
            class: FailureClass::Unknown,
            answered: status.is_some(),
            retry_after: Some(secs(9)),
            definitive,
        };
        assert_eq!(Refusal::of(&failure, &auth), expected, "{error:?}");
    }
}

#[test]
fn a_gateway_that_gave_up_does_not_answer_for_the_provider() {
    let auth = auth("");
    for (status, answered) in
        [(500, true), (501, true), (502, false), (503, true), (504, false), (524, false), (200, true)]
    {
        let failure = Failure {
            class: FailureClass::Ambiguous,
            status: Some(status),
            error: None,
            retry_after: None,
            detail: "",
        };
        assert_eq!(Refusal::of(&failure, &auth).answered, answered, "{status}");
    }
}
