//! Replies that are too long, too slow, cut off or compressed.

use crate::server::{Peer, Server};
use crate::{egress, post};
use mortise_connectors::{RetryHint, RetryUnit};
use mortise_domain::{Clock as _, SystemClock};
use mortise_oauth::{FailureClass, Reply, SendError, Transport as _, request_revocation};
use std::time::Duration;

async fn sent_to(server: &Server) -> Result<Reply, SendError> {
    egress().send(post(&server.url())).await
}

#[tokio::test]
async fn a_whole_reply_arrives_as_it_is() {
    let head = "HTTP/1.1 429 Slow\r\nContent-Type: application/json; charset=utf-8\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
                Retry-After: Sun, 06 Nov 1994 08:51:37 GMT\r\nTransfer-Encoding: chunked\r\n\r\n";
    let server = Server::answering(format!("{head}5\r\n{{\"a\":\r\n3\r\n\"b\"\r\n1\r\n}}\r\n0\r\n\r\n")).await;
    let reply = sent_to(&server).await.unwrap();
    assert_eq!((reply.status, reply.content_type.as_deref()), (429, Some("application/json; charset=utf-8")));
    assert_eq!((&**reply.body, reply.retry_after), (&b"{\"a\":\"b\"}"[..], Some(Duration::from_secs(120))));
    let request = server.requests().remove(0);
    assert!(request.starts_with("POST /token HTTP/1.1\r\n"), "{request}");
    assert!(request.ends_with("\r\n\r\ngrant_type=refresh_token&refresh_token=rt-1"), "{request}");
    assert!(request.contains("user-agent: mortise/"), "{request}");
}

#[tokio::test]
async fn h04_what_is_cut_off_is_broken_and_not_a_reply() {
    let cuts = [
        "HTTP/1.1 200 OK\r\ncontent-length: 60\r\n\r\n{\"access_token\":\"at\",\"token_type\":\"bearer\"}",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2b\r\n{\"access_token\":\"at\",\"token_type\":\"bearer\"}\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-le",
        "HTTP/1.1 two hundred\r\n\r\n",
        "not http at all\r\n\r\n",
        "",
    ];
    for cut in cuts {
        let server = Server::answering(cut).await;
        let error = sent_to(&server).await.unwrap_err();
        assert!(matches!(error, SendError::Broken), "{cut:?}: {error}");
        assert_eq!(server.requests().len(), 1, "{cut:?}");
    }
}

#[tokio::test]
async fn h04_a_reset_after_the_request_is_broken() {
    let server = Server::start(|mut peer: Peer| async move {
        peer.request().await;
        peer.stream.set_zero_linger().unwrap();
    })
    .await;
    let failure = request_revocation(&egress(), post(&server.url())).await.unwrap_err();
    assert_eq!((failure.class, server.requests().len()), (FailureClass::Ambiguous, 1));
}

#[tokio::test]
async fn h02_dripping_does_not_outlast_the_deadline() {
    let server = Server::start(|mut peer: Peer| async move {
        peer.request().await;
        peer.write("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n").await;
        while peer.write(" ").await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let clock = SystemClock::new();
    let mut request = post(&server.url());
    request.deadline = Duration::from_millis(500);
    let error = egress().send(request).await.unwrap_err();
    let took = clock.monotonic();
    assert!(matches!(error, SendError::Timeout) && error.was_sent(), "{error}");
    assert!((Duration::from_millis(500)..Duration::from_millis(2500)).contains(&took), "{took:?}");
}

#[tokio::test]
async fn h02_silence_does_not_outlast_the_deadline() {
    let server = Server::start(|mut peer: Peer| async move { while peer.request().await {} }).await;
    let mut request = post(&server.url());
    request.deadline = Duration::from_millis(300);
    assert!(matches!(egress().send(request).await, Err(SendError::Timeout)));
}

#[tokio::test]
async fn h01_a_body_over_the_cap_is_dropped_announced_or_not() {
    for framing in ["content-length: 10485760", "connection: close"] {
        let server = Server::start(move |mut peer: Peer| async move {
            peer.request().await;
            peer.write(format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n")).await;
            for _ in 0..160 {
                if !peer.write(vec![b' '; 65_536]).await {
                    return;
                }
            }
        })
        .await;
        let error = sent_to(&server).await.unwrap_err();
        assert!(matches!(error, SendError::TooLarge), "{framing}: {error}");
    }
    let server =
        Server::answering(format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", " ".repeat(1024 * 1024))).await;
    assert_eq!(sent_to(&server).await.unwrap().body.len(), 1024 * 1024);
}

#[tokio::test]
async fn h05_a_head_over_the_cap_is_refused() {
    let long = format!("HTTP/1.1 200 OK\r\nx-long: {}\r\ncontent-length: 0\r\n\r\n", "x".repeat(70 * 1024));
    let many = format!("HTTP/1.1 200 OK\r\n{}content-length: 0\r\n\r\n", "x-many: 1\r\n".repeat(200));
    for head in [long, many] {
        let error = sent_to(&Server::answering(head).await).await.unwrap_err();
        assert!(error.was_sent(), "{error}");
    }
}

#[tokio::test]
async fn a_compressed_reply_is_read() {
    let zipped: [u8; 35] = [
        31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 170, 202, 44, 40, 72, 77, 81, 178, 42, 41, 42, 77, 173, 5, 0, 132,
        40, 188, 8, 15, 0, 0, 0,
    ];
    let head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 35\r\n\r\n";
    let reply = sent_to(&Server::answering([&head[..], &zipped].concat()).await).await.unwrap();
    assert_eq!(&**reply.body, b"{\"zipped\":true}");
    let cut = Server::answering([&head[..], &zipped[..20]].concat()).await;
    assert!(matches!(sent_to(&cut).await, Err(SendError::Broken)));
}

/// An endless gzip stream: a zero byte, then copies of it, 258 at a time, thirteen bits each (RFC 1951 section 3.2.6).
struct Bomb {
    bits: u32,
    held: u32,
}

impl Bomb {
    const HEAD: [u8; 10] = [31, 139, 8, 0, 0, 0, 0, 0, 0, 3];

    /// Huffman codes go out from their highest bit, everything else from its lowest.
    fn push(&mut self, code: &str, out: &mut Vec<u8>) {
        for bit in code.chars() {
            self.bits |= u32::from(bit == '1') << self.held;
            self.held += 1;
            if self.held == 8 {
                out.push(u8::try_from(self.bits).unwrap());
                (self.bits, self.held) = (0, 0);
            }
        }
    }

    fn start() -> (Self, Vec<u8>) {
        let (mut bomb, mut out) = (Self { bits: 0, held: 0 }, Self::HEAD.to_vec());
        bomb.push("0", &mut out); // not the last block
        bomb.push("10", &mut out); // fixed codes
        bomb.push("00110000", &mut out); // the byte 0
        (bomb, out)
    }

    fn megabyte(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        for _ in 0..1024 * 1024 / 258 {
            self.push("11000101", &mut out); // length 258
            self.push("00000", &mut out); // distance 1
        }
        out
    }
}

#[tokio::test]
async fn h01_a_gzip_bomb_ends_at_the_cap() {
    let server = Server::start(|mut peer: Peer| async move {
        peer.request().await;
        let (mut bomb, start) = Bomb::start();
        peer.write("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n").await;
        peer.write(start).await;
        for _ in 0..10_240 {
            if !peer.write(bomb.megabyte()).await {
                return;
            }
        }
    })
    .await;
    let before = peak_memory();
    let error = sent_to(&server).await.unwrap_err();
    assert!(matches!(error, SendError::TooLarge), "{error}");
    let grown = peak_memory() - before;
    assert!(grown < 20 * 1024, "ten gigabytes that were refused took {grown} KiB of memory");
}

/// The most memory that this process has had at once, in KiB.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn a_providers_own_header_tells_how_long_to_wait_where_nothing_else_does() {
    let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT";
    let table = [
        ("429 Slow", format!("{date}\r\nX-Reset: 784111867"), Some(90)),
        ("429 Slow", format!("{date}\r\nRetry-After: 7\r\nX-Reset: 784111867"), Some(7)),
        ("429 Slow", "X-Reset: 784111867".to_owned(), None),
        ("429 Slow", format!("{date}\r\nX-Other: 784111867"), None),
        ("503 Away", format!("{date}\r\nX-Reset: 784111867"), None),
    ];
    for (status, headers, seconds) in table {
        let server =
            Server::answering(format!("HTTP/1.1 {status}\r\n{headers}\r\nContent-Length: 2\r\n\r\n{{}}")).await;
        let mut request = post(&server.url());
        request.retry_hint = Some(RetryHint { header: "x-reset".to_owned(), unit: RetryUnit::UnixSeconds });
        let reply = egress().send(request).await.unwrap();
        assert_eq!(reply.retry_after, seconds.map(Duration::from_secs), "{status} {headers}");
        let dated = headers.contains("Date").then_some(784_111_777);
        assert_eq!(reply.date.map(|date| date.timestamp()), dated, "{status} {headers}");
    }
}
