//! The egress client against real sockets that behave badly, and what the entries of the catalogue send.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test code: a fault in the set-up is the test's failure")]

mod addresses;
mod bodies;
mod catalog;
mod certificates;
mod connections;
mod server;
mod tls;

use mortise_oauth::{Egress, EgressPolicy, Header, Method, Outbound};
use std::time::Duration;
use url::Url;

/// A client that may call this machine.
fn egress() -> Egress {
    Egress::new(EgressPolicy { allow: vec!["127.0.0.0/8".parse().unwrap()] }).unwrap()
}

/// A token request with a deadline far away.
fn post(url: &str) -> Outbound {
    let mut request = Outbound::new(Method::Post, Url::parse(url).unwrap(), Duration::from_secs(20));
    request.headers.push(Header::new("content-type", "application/x-www-form-urlencoded"));
    request.body.extend_from_slice(b"grant_type=refresh_token&refresh_token=rt-1");
    request
}
