//! Where a request may go, as seen by a listener.

use crate::server::Server;
use crate::{egress, post};
use mortise_oauth::{Egress, EgressPolicy, EgressRefusal, SendError, Transport as _};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

/// Every form of this machine's address that a URL can be written with, and its name.
fn forms(server: &Server) -> Vec<String> {
    let hosts =
        ["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "localhost"];
    hosts.iter().map(|host| format!("http://{host}:{}/token", server.address.port())).collect()
}

#[tokio::test]
async fn without_permission_no_form_of_loopback_is_called() {
    let server = Server::answering(OK).await;
    let egress = Egress::new(EgressPolicy::default()).unwrap();
    for url in forms(&server) {
        for url in [url.clone(), url.replace("http:", "https:")] {
            let error = egress.send(post(&url)).await.unwrap_err();
            assert!(matches!(error, SendError::Refused(_)), "{url}: {error}");
            assert!(!error.was_sent());
        }
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn with_permission_every_form_is_called() {
    let server = Server::answering(OK).await;
    for (called, url) in forms(&server).iter().enumerate() {
        let reply = egress().send(post(url)).await;
        assert!(reply.is_ok(), "{url}: {reply:?}");
        assert_eq!(server.connections(), called + 1, "{url}");
    }
}

#[tokio::test]
async fn a_name_is_refused_by_where_it_leads() {
    let egress = Egress::new(EgressPolicy::default()).unwrap();
    let error = egress.send(post("https://localhost:1/token")).await.unwrap_err();
    let SendError::Refused(EgressRefusal::Address { host, address, .. }) = error else { panic!("{error}") };
    assert_eq!(host, "localhost");
    assert!(address.is_loopback());
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let canary = Server::answering(OK).await;
    for status in [301, 302, 303, 307, 308] {
        let location = canary.url();
        let server =
            Server::answering(format!("HTTP/1.1 {status} X\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"))
                .await;
        let reply = egress().send(post(&server.url())).await.unwrap();
        assert_eq!((reply.status, server.requests().len()), (status, 1));
    }
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn e07_a_header_cannot_smuggle_a_second_one() {
    let server = Server::answering(OK).await;
    for (name, value) in
        [("x-a", "1\r\nx-b: 2"), ("x-a", "1\n2"), ("x-a", "1\0"), ("x a", "1"), ("x:a", "1"), ("", "1")]
    {
        let mut request = post(&server.url());
        request.headers.push(mortise_oauth::Header::new(name, value));
        let error = egress().send(request).await.unwrap_err();
        assert!(matches!(error, SendError::Refused(EgressRefusal::Header { .. })), "{name:?} {value:?}");
    }
    assert_eq!(server.connections(), 0);
}
