//! A wire to the sandbox that keeps all that went over it: the only place where a test can read what the program and the
//! provider tell each other.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

type Kept = Arc<Mutex<Vec<u8>>>;

pub struct Wire {
    address: SocketAddr,
    kept: Kept,
}

impl Wire {
    /// A wire to `target`, up for as long as the test's runtime.
    pub async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, kept, tasks) = (listener.local_addr().unwrap(), Kept::default(), TaskTracker::new());
        let (keep, more) = (kept.clone(), tasks.clone());
        tasks.spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect(target).await.unwrap();
                let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                more.spawn(pass(near_in, far_out, keep.clone()));
                more.spawn(pass(far_in, near_out, keep.clone()));
            }
        });
        Self { address, kept }
    }

    /// What URLs begin with that lead over this wire.
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every value of a form field or of a text member of JSON of this name.
    pub fn values(&self, name: &str) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.kept.lock().unwrap()).into_owned();
        let after = |start: String, ends: &'static [char]| {
            text.split(&start)
                .skip(1)
                .map(|rest| rest.split(ends).next().unwrap_or_default().to_owned())
                .collect::<Vec<_>>()
        };
        let mut found = after(format!("{name}="), &['&', ' ', '\r', '\n', '"']);
        found.extend(after(format!("\"{name}\":\""), &['"']));
        found.sort();
        found.dedup();
        found
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, kept: Kept) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        // A line break between what one side says and what the other says next.
        kept.lock().unwrap().extend(buffer[..read].iter().chain(b"\n"));
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
    // The other side reads the end too; it may be gone already.
    drop(to.shutdown().await);
}
