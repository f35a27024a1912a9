use super::*;
use mortise_broker::Internal;

const CLASSES: [FailureClass; 6] = [
    FailureClass::NotSent,
    FailureClass::Ambiguous,
    FailureClass::Throttled,
    FailureClass::AppMisconfigured,
    FailureClass::GrantRejected,
    FailureClass::Unknown,
];

/// One of every fault. The match is there to fail to compile when the list of faults grows.
fn faults() -> Vec<ConnectFault> {
    let mut all = vec![
        ConnectFault::UnknownLink,
        ConnectFault::LinkExpired,
        ConnectFault::LinkUsed,
        ConnectFault::Fields(Vec::new()),
        ConnectFault::StaleState,
        ConnectFault::OtherBrowser,
        ConnectFault::MixedUp,
        ConnectFault::Malformed("it has no `state`"),
        ConnectFault::Denied,
        ConnectFault::Provider { code: "server_error".into() },
        ConnectFault::Provider { code: "invalid_scope".into() },
        ConnectFault::WrongFinisher,
        ConnectFault::OtherAccount,
    ];
    let code = |class| (class == FailureClass::GrantRejected).then(|| "invalid_grant".to_owned());
    all.extend(CLASSES.map(|class| ConnectFault::Exchange { class, code: code(class) }));
    for fault in &all {
        match fault {
            ConnectFault::UnknownLink
            | ConnectFault::LinkExpired
            | ConnectFault::LinkUsed
            | ConnectFault::Fields(_)
            | ConnectFault::StaleState
            | ConnectFault::OtherBrowser
            | ConnectFault::MixedUp
            | ConnectFault::Malformed(_)
            | ConnectFault::Denied
            | ConnectFault::Provider { .. }
            | ConnectFault::Exchange { .. }
            | ConnectFault::WrongFinisher
            | ConnectFault::OtherAccount => {}
        }
    }
    all
}

#[test]
fn each_fault_of_the_flow_has_words_and_a_status() {
    let mut text = String::new();
    for fault in faults() {
        let shown = format!("{fault:?}");
        let (status, notice) = explain(&fault.into());
        assert!(status.is_client_error() || status == StatusCode::BAD_GATEWAY, "{shown}");
        text.push_str(&format!(
            "{shown}: {}\n  {}\n  {}\n  {}\n",
            status.as_u16(),
            notice.title,
            notice.message,
            notice.advice
        ));
    }
    insta::assert_snapshot!(text);
}

/// The customer's pages speak as people do.
#[test]
fn no_page_for_customers_talks_like_a_protocol() {
    for fault in faults() {
        let (_, notice) = explain(&fault.into());
        let text = format!("{} {} {}", notice.title, notice.message, notice.advice).to_lowercase();
        for word in
            ["oauth", "token", "callback", "redirect", "client", "grant", "http", "session", "invalid_", "error"]
        {
            assert!(!text.contains(word), "`{word}` in: {text}");
        }
        assert!(notice.message.ends_with('.') && notice.advice.ends_with('.'), "{text}");
    }
}

#[test]
fn only_our_own_faults_are_internal_errors() {
    let (status, notice) = explain(&Error::Internal(Internal::Missing("a row")));
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!notice.message.contains("a row"), "the inside stays inside");
    let (status, _) = explain(&Error::NotFound("connection"));
    assert_eq!(status, StatusCode::NOT_FOUND);
}
