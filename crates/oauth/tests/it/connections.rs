//! How often a request is sent, and what a missing connection proves.

use crate::server::{Peer, Server};
use crate::{egress, post};
use mortise_oauth::{Egress, SendError, Transport as _};
use std::time::Duration;
use tokio::net::TcpListener;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

async fn send(egress: &Egress, server: &Server, fresh: bool) -> Result<u16, SendError> {
    let mut request = post(&server.url());
    request.fresh_connection = fresh;
    egress.send(request).await.map(|reply| reply.status)
}

/// Answers the first request of a connection, and closes it when the second has arrived.
async fn closes_on_the_second(mut peer: Peer) {
    peer.answer(OK).await;
    peer.request().await;
}

#[tokio::test]
async fn a_kept_connection_that_closes_under_a_request_gets_it_once() {
    let server = Server::start(closes_on_the_second).await;
    let egress = egress();
    assert_eq!(send(&egress, &server, false).await.unwrap(), 200);
    let error = send(&egress, &server, false).await.unwrap_err();
    assert!(matches!(error, SendError::Broken), "{error}");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!((server.requests().len(), server.connections()), (2, 1));
}

#[tokio::test]
async fn a_fresh_connection_is_nobody_elses() {
    let server = Server::start(closes_on_the_second).await;
    let egress = egress();
    assert_eq!(send(&egress, &server, false).await.unwrap(), 200);
    for connections in 2..5 {
        assert_eq!(send(&egress, &server, true).await.unwrap(), 200);
        assert_eq!(server.connections(), connections);
    }
}

#[tokio::test]
async fn a_request_to_a_connection_closed_long_ago_is_sent_once() {
    let server = Server::answering(OK).await;
    let egress = egress();
    for sent in 1..5 {
        assert_eq!(send(&egress, &server, false).await.unwrap(), 200);
        assert_eq!(server.requests().len(), sent);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_closed_connection_without_a_reply_gets_the_request_once() {
    for fresh in [false, true] {
        let server = Server::answering("").await;
        assert!(matches!(send(&egress(), &server, fresh).await, Err(SendError::Broken)));
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!((server.requests().len(), server.connections()), (1, 1), "fresh: {fresh}");
    }
}

#[tokio::test]
async fn a_server_error_is_a_reply_and_not_tried_again() {
    for status in [408, 425, 429, 500, 502, 503, 504] {
        let server =
            Server::answering(format!("HTTP/1.1 {status} X\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n")).await;
        assert_eq!(send(&egress(), &server, false).await.unwrap(), status);
        assert_eq!(server.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn no_listener_proves_that_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = egress().send(post(&format!("http://{address}/token"))).await.unwrap_err();
    assert!(matches!(error, SendError::Connect) && !error.was_sent(), "{error}");
}

#[tokio::test]
async fn a_name_without_an_address_proves_that_nothing_was_sent() {
    let error = egress().send(post("https://no-such-host.invalid/token")).await.unwrap_err();
    // A machine whose resolver is out of reach runs into the connect timeout instead.
    assert!(matches!(error, SendError::Dns | SendError::Connect) && !error.was_sent(), "{error}");
}
