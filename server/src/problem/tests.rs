use super::*;
use mortise_broker::{ConnectFault, Error, Internal, Unusable};
use mortise_domain::StateReason;
use std::collections::BTreeSet;

#[test]
fn codes_are_words_and_their_own() {
    let words: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(words.len(), Code::ALL.len());
    for code in Code::ALL {
        assert!(code.as_str().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{code:?}");
        assert!(code.status().as_u16() >= 400, "{code:?}");
        assert!(!code.title().ends_with('.') && code.way_out().ends_with('.'), "{code:?}");
        assert!(code.meaning().ends_with('.') && !code.meaning().contains("  "), "{code:?}");
    }
}

#[test]
fn what_callers_rely_on() {
    let connection = "con_0192d5e8f3a17c0e9b1d2f3a4b5c6d7e".parse().unwrap();
    let wait = Duration::from_millis(1500);
    let cases = [
        (
            Unusable::NeedsReauth { connection, reason: StateReason::LostRotation }.into(),
            409,
            "connection_needs_reauth",
        ),
        (Unusable::Pending { connection }.into(), 409, "connection_pending"),
        (Unusable::Held { reason: StateReason::HeldByAdmin }.into(), 423, "held"),
        (Error::MinTtlUnavailable { min_ttl: 900, most: 300 }, 409, "min_ttl_unavailable"),
        (Error::ProviderThrottled { retry_after: wait }, 429, "provider_throttled"),
        (Error::NotFound("app"), 404, "not_found"),
        (Error::InvalidManifest(Vec::new()), 422, "invalid_manifest"),
        (Error::Stale("app"), 409, "stale"),
        (Error::Ambiguous(vec![connection]), 409, "ambiguous_connection"),
        (Error::GrantRefused { error: Some("invalid_scope".into()) }, 422, "grant_refused"),
        (ConnectFault::LinkUsed.into(), 409, "session_not_open"),
        (ConnectFault::WrongFinisher.into(), 403, "wrong_finisher"),
        (ConnectFault::OtherAccount.into(), 409, "account_mismatch"),
        (ConnectFault::Provider { code: "server_error".into() }.into(), 502, "exchange_failed"),
        (Error::Internal(Internal::Missing("a row")), 500, "internal"),
    ];
    for (error, status, word) in cases {
        let problem = Problem::from(error);
        assert_eq!((problem.code().status().as_u16(), problem.code().as_str()), (status, word));
        assert!(problem.0.detail.ends_with('.'), "{}", problem.0.detail);
    }
}

#[test]
fn a_cause_inside_is_not_told() {
    let problem = Problem::from(Error::Internal(Internal::Missing("a customer of the row")));
    assert!(!problem.0.detail.contains("customer") && problem.0.cause.is_some());
    let problem = Problem::from(Error::invalid("/x", "is wrong"));
    assert!(problem.0.cause.is_none() && problem.0.errors.len() == 1);
}

#[test]
fn the_page_of_the_codes_holds_no_markup_of_its_own() {
    let page = errors_html();
    assert!(!page.contains('`') && page.matches("<section").count() == Code::ALL.len());
    assert!(page.contains("&lt;API key&gt;"), "what stands in angle brackets is text");
}
