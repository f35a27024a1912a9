//! The wire: every flow, both ways, on connections that are open and on new ones.

use mortise_domain::{Clock as _, SystemClock};
use mortise_testkit::faults::{End, FaultProxy, Flow, Way};
use mortise_testkit::wait;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

const SOON: Duration = Duration::from_secs(30);
/// Long enough to call what has not come by then held back.
const WHILE: Duration = Duration::from_millis(300);

/// A server that says back what it hears, and `bye` at the end of it.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, tasks) = (listener.local_addr().unwrap(), TaskTracker::new());
    let more = tasks.clone();
    tasks.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            more.spawn(async move {
                let (mut from, mut to) = stream.split();
                drop(tokio::io::copy(&mut from, &mut to).await);
                drop(to.write_all(b"bye").await);
            });
        }
    });
    address
}

async fn wire() -> (FaultProxy, TcpStream) {
    let proxy = FaultProxy::to(echo().await).await;
    let stream = TcpStream::connect(proxy.addr()).await.unwrap();
    (proxy, stream)
}

async fn say(stream: &mut TcpStream, words: &str) {
    stream.write_all(words.as_bytes()).await.unwrap();
}

/// Reads exactly these words.
async fn hear(stream: &mut TcpStream, words: &str) {
    let mut heard = vec![0; words.len()];
    tokio::time::timeout(SOON, stream.read_exact(&mut heard)).await.unwrap().unwrap();
    assert_eq!(String::from_utf8_lossy(&heard), words);
}

/// Whether nothing is heard for a while, on a connection that lives.
async fn silence(stream: &mut TcpStream) -> bool {
    tokio::time::timeout(WHILE, stream.read_u8()).await.is_err()
}

/// Everything until the end, and what kind of end it was.
async fn rest(stream: &mut TcpStream) -> (String, Option<ErrorKind>) {
    let mut heard = Vec::new();
    let end = tokio::time::timeout(SOON, stream.read_to_end(&mut heard)).await.unwrap();
    (String::from_utf8(heard).unwrap(), end.err().map(|error| error.kind()))
}

#[tokio::test]
async fn what_passes_arrives_and_is_counted_and_kept_when_asked() {
    let (proxy, mut stream) = wire().await;
    say(&mut stream, "one").await;
    hear(&mut stream, "one").await;
    assert!(proxy.kept().is_empty(), "nobody asked for it");
    proxy.keep();
    say(&mut stream, "two").await;
    hear(&mut stream, "two").await;
    assert_eq!(String::from_utf8(proxy.kept()).unwrap(), "two\ntwo\n");
    assert_eq!((proxy.arrived(Way::Up), proxy.arrived(Way::Down)), (6, 6));
    assert_eq!((proxy.accepted(), proxy.open()), (1, 1));
    stream.shutdown().await.unwrap();
    // A half that ends is an end for the other side only when it has said everything.
    assert_eq!(rest(&mut stream).await, ("bye".to_owned(), None));
    wait::until(SOON, async || Ok((proxy.open() == 0).then_some(()))).await.unwrap();
}

#[tokio::test]
async fn what_hangs_arrives_later_and_what_is_swallowed_never() {
    for way in [Way::Up, Way::Down] {
        let (mut proxy, mut stream) = wire().await;
        proxy.set(way, Flow::Hang);
        say(&mut stream, "held").await;
        assert!(silence(&mut stream).await);
        proxy.set(way, Flow::Pass);
        hear(&mut stream, "held").await;

        proxy.set(way, Flow::Swallow);
        say(&mut stream, "lost").await;
        assert!(silence(&mut stream).await);
        proxy.heal().await;
        say(&mut stream, "found").await;
        hear(&mut stream, "found").await;
        proxy.set(way, Flow::Hang);
        let mut later = TcpStream::connect(proxy.addr()).await.unwrap();
        say(&mut later, "new").await;
        assert!(silence(&mut later).await, "a new connection is no better");
    }
}

#[tokio::test]
async fn a_delay_keeps_every_portion_back() {
    let (proxy, mut stream) = wire().await;
    proxy.set(Way::Down, Flow::Delay(WHILE));
    let clock = SystemClock::new();
    say(&mut stream, "slow").await;
    hear(&mut stream, "slow").await;
    assert!(clock.monotonic() >= WHILE);
}

#[tokio::test]
async fn a_limit_lets_so_much_through_and_then_breaks_off() {
    for (end, kind) in [(End::Close, None), (End::Reset, Some(ErrorKind::ConnectionReset))] {
        let (mut proxy, mut stream) = wire().await;
        proxy.set(Way::Down, Flow::Limit(3, end));
        say(&mut stream, "abc").await;
        hear(&mut stream, "abc").await;
        assert!(silence(&mut stream).await, "up to the limit nothing is broken");
        say(&mut stream, "d").await;
        assert_eq!(rest(&mut stream).await, (String::new(), kind));
        assert_eq!((proxy.arrived(Way::Up), proxy.arrived(Way::Down)), (4, 3));

        // Not one byte, on either way.
        for way in [Way::Up, Way::Down] {
            proxy.heal().await;
            proxy.set(way, Flow::Limit(0, end));
            let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
            let before = (proxy.arrived(Way::Up), proxy.arrived(Way::Down));
            say(&mut stream, "x").await;
            assert_eq!(rest(&mut stream).await, (String::new(), kind));
            let after = (proxy.arrived(Way::Up), proxy.arrived(Way::Down));
            assert_eq!(after, if way == Way::Up { before } else { (before.0 + 1, before.1) });
        }
    }
}

#[tokio::test]
async fn a_half_that_is_closed_leaves_the_other_open() {
    let (proxy, mut stream) = wire().await;
    proxy.set(Way::Up, Flow::HalfClose);
    // The server heard the end of what was said, and says goodbye.
    assert_eq!(rest(&mut stream).await, ("bye".to_owned(), None));

    // And the other way round: the program hears an end, and what it says still arrives.
    let (proxy, mut stream) = wire().await;
    proxy.set(Way::Down, Flow::HalfClose);
    assert_eq!(rest(&mut stream).await, (String::new(), None));
    say(&mut stream, "heard").await;
    wait::until(SOON, async || Ok((proxy.arrived(Way::Up) == 5).then_some(()))).await.unwrap();
}

#[tokio::test]
async fn a_cut_ends_what_is_open_and_a_refusal_keeps_out_what_is_new() {
    let (mut proxy, mut stream) = wire().await;
    say(&mut stream, "here").await;
    hear(&mut stream, "here").await;
    proxy.refuse().await;
    assert_eq!(TcpStream::connect(proxy.addr()).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    say(&mut stream, "still").await;
    hear(&mut stream, "still").await;

    proxy.cut(End::Reset);
    assert_eq!(rest(&mut stream).await.1, Some(ErrorKind::ConnectionReset));
    proxy.accept().await;
    let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
    say(&mut stream, "back").await;
    hear(&mut stream, "back").await;
    proxy.cut(End::Close);
    assert_eq!(rest(&mut stream).await, (String::new(), None));
    // With its value the wire is gone.
    let address = proxy.addr();
    let mut stream = TcpStream::connect(address).await.unwrap();
    say(&mut stream, "last").await;
    hear(&mut stream, "last").await;
    drop(proxy);
    assert_eq!(rest(&mut stream).await, (String::new(), None));
    wait::until(SOON, async || Ok(TcpStream::connect(address).await.is_err().then_some(()))).await.unwrap();
}

#[tokio::test]
async fn a_wire_to_nobody_breaks_at_once() {
    let nobody = SocketAddr::from(([127, 0, 0, 1], mortise_testkit::ports::free().unwrap()));
    let proxy = FaultProxy::to(nobody).await;
    let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
    assert_eq!(rest(&mut stream).await.1, Some(ErrorKind::ConnectionReset));
}
