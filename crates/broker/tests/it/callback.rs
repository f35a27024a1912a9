//! What a callback must and must not do.

use crate::bench::{Bench, Flow, tokens};
use mortise_broker::{ConnectFault, Error};
use mortise_oauth::testing::body_params;

fn fault(error: Error) -> ConnectFault {
    match error {
        Error::Connect(fault) => fault,
        other => panic!("not a fault of the flow: {other:?}"),
    }
}

#[tokio::test]
async fn a_flow_sends_one_code_with_its_verifier_and_connects() {
    let bench = Bench::new("F").await;
    let id = bench.connect().await;
    let sent = bench.provider.take_requests();
    let parameters = body_params(&sent[0]);
    assert_eq!(sent.len(), 1);
    assert_eq!((parameters["grant_type"].as_str(), parameters["code"].as_str()), ("authorization_code", "code"));
    assert_eq!(parameters["code_verifier"].len(), 43);
    assert_eq!(bench.token(id, None).await.unwrap().access_token.expose(), "at-1");
    assert_eq!(bench.provider.take_requests().len(), 0);
}

#[tokio::test]
async fn a_replayed_callback_is_refused_and_sends_nothing() {
    let bench = Bench::new("F").await;
    let flow = bench.start(&bench.link(None).await).await;
    bench.provider.json(200, &tokens(1));
    let parameters = [("code", "code"), ("state", flow.state.as_str())];
    bench.finish(&flow, &parameters).await.unwrap();
    assert_eq!(fault(bench.finish(&flow, &parameters).await.unwrap_err()), ConnectFault::StaleState);
    assert_eq!(bench.provider.take_requests().len(), 1);
}

#[tokio::test]
async fn of_two_simultaneous_callbacks_one_sends_the_code() {
    let bench = Bench::new("F").await;
    let flow = bench.start(&bench.link(None).await).await;
    bench.provider.json(200, &tokens(1));
    let parameters = [("code", "code"), ("state", flow.state.as_str())];
    let (left, right) = tokio::join!(bench.finish(&flow, &parameters), bench.finish(&flow, &parameters));
    assert_eq!(usize::from(left.is_ok()) + usize::from(right.is_ok()), 1);
    assert_eq!(bench.provider.take_requests().len(), 1);
}

/// Every refusal, on a flow of its own, with nothing sent to the provider.
#[tokio::test]
async fn what_is_not_this_flows_own_answer_is_refused() {
    let bench = Bench::new("F").await;
    type Row<'a> = (&'a str, fn(&mut Flow), &'a [(&'a str, &'a str)], ConnectFault);
    let long = "x".repeat(9000);
    let table: [Row<'_>; 11] = [
        ("another browser", |f| f.cookie.1 = "stolen.link".into(), &[("code", "c")], ConnectFault::OtherBrowser),
        ("no cookie", |f| f.cookie.0 = "other".into(), &[("code", "c")], ConnectFault::OtherBrowser),
        ("another app's path", |f| f.context = "0".repeat(32), &[("code", "c")], ConnectFault::MixedUp),
        ("no path at all", |f| f.context = "..".into(), &[("code", "c")], ConnectFault::MixedUp),
        ("another issuer", |_| {}, &[("code", "c"), ("iss", "https://evil.example")], ConnectFault::MixedUp),
        (
            "an issuer but for a slash",
            |_| {},
            &[("code", "c"), ("iss", "https://acme.example/")],
            ConnectFault::MixedUp,
        ),
        ("an error of another issuer", |_| {}, &[("error", "access_denied"), ("iss", "x")], ConnectFault::MixedUp),
        ("denied", |_| {}, &[("error", "access_denied")], ConnectFault::Denied),
        (
            "an error with markup",
            |_| {},
            &[("error", "<b>temporarily_unavailable</b>")],
            ConnectFault::Provider { code: "btemporarily_unavailableb".into() },
        ),
        (
            "two codes",
            |_| {},
            &[("code", "a"), ("code", "b")],
            ConnectFault::Malformed("a parameter stands there twice"),
        ),
        ("neither", |_| {}, &[("access_token", "t")], ConnectFault::Malformed("it has neither `code` nor `error`")),
    ];
    for (what, change, parameters, expected) in table {
        let mut flow = bench.start(&bench.link(None).await).await;
        change(&mut flow);
        let state = flow.state.clone();
        let parameters: Vec<_> = [("state", state.as_str())].into_iter().chain(parameters.iter().copied()).collect();
        assert_eq!(fault(bench.finish(&flow, &parameters).await.unwrap_err()), expected, "{what}");
    }
    let flow = bench.start(&bench.link(None).await).await;
    let unknown = fault(bench.finish(&flow, &[("code", "c"), ("state", "guess")]).await.unwrap_err());
    assert_eq!(unknown, ConnectFault::StaleState);
    let huge = fault(bench.finish(&flow, &[("code", &long), ("state", &flow.state)]).await.unwrap_err());
    assert_eq!(huge, ConnectFault::Malformed("a parameter is far too long"));
    assert_eq!(bench.provider.take_requests().len(), 0);
}

#[tokio::test]
async fn a_link_survives_a_failed_flow_and_ends_with_a_good_one() {
    let bench = Bench::new("F").await;
    let link = bench.link(None).await;
    let flow = bench.start(&link).await;
    bench.provider.fail(mortise_oauth::SendError::Timeout);
    let failed = bench.finish(&flow, &[("code", "code"), ("state", &flow.state)]).await.unwrap_err();
    assert!(matches!(fault(failed), ConnectFault::Exchange { .. }));
    assert_eq!(bench.provider.take_requests().len(), 1, "a code is sent once, whatever comes of it");
    let again = bench.start(&link).await;
    bench.provider.json(200, &tokens(1));
    bench.finish(&again, &[("code", "code"), ("state", &again.state)]).await.unwrap();
    assert_eq!(fault(bench.broker.connect_page(&link).await.unwrap_err()), ConnectFault::LinkUsed);
}

#[tokio::test]
async fn two_tabs_of_one_link_do_not_disturb_each_other() {
    let bench = Bench::new("F").await;
    let (first_link, second_link) = (bench.link(None).await, bench.link(None).await);
    let (first, second) = (bench.start(&first_link).await, bench.start(&second_link).await);
    bench.provider.json(200, &tokens(2)).json(200, &tokens(1));
    bench.finish(&second, &[("code", "b"), ("state", &second.state)]).await.unwrap();
    bench.finish(&first, &[("code", "a"), ("state", &first.state)]).await.unwrap();
}
