//! Ports for servers that must be told theirs.
//!
//! Between asking for a port and listening on it anybody may take it. So they come from below the range that the system
//! hands out by itself, where no outgoing connection lands, and a lock file keeps other test processes off a port until
//! the process that asked for it has ended.

use std::fs::File;
use std::io;
use std::net::TcpListener;
use std::ops::Range;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, PoisonError};

/// Linux hands out 32768 and up by itself.
const OURS: Range<u16> = 18_000..32_000;

/// Locks last as long as the process.
static HELD: Mutex<Vec<File>> = Mutex::new(Vec::new());

/// A loopback TCP port on which nobody listens, and which nobody else is given before this process ends.
pub fn free() -> io::Result<u16> {
    static TURN: AtomicU16 = AtomicU16::new(0);
    let size = u32::from(OURS.end - OURS.start);
    for _ in 0..size {
        // Processes begin far apart, so that they seldom ask for the same.
        let turn = u32::from(TURN.fetch_add(1, Ordering::Relaxed));
        let port = OURS.start + ((std::process::id() % size + turn * 61) % size) as u16;
        if let Some(lock) = claim(port)? {
            HELD.lock().unwrap_or_else(PoisonError::into_inner).push(lock);
            return Ok(port);
        }
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, "every port for tests is taken"))
}

/// The lock of a port, if nobody has it and nobody listens.
fn claim(port: u16) -> io::Result<Option<File>> {
    let folder = std::env::temp_dir().join("mortise-ports");
    std::fs::create_dir_all(&folder)?;
    let lock = File::options().create(true).truncate(false).write(true).open(folder.join(port.to_string()))?;
    let ours = lock.try_lock().is_ok() && TcpListener::bind(("127.0.0.1", port)).is_ok();
    Ok(ours.then_some(lock))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_gets_a_port_twice() {
        let mut ports: Vec<u16> = (0..50).map(|_| free().expect("a port")).collect();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 50);
        assert!(ports.iter().all(|port| OURS.contains(port)));
    }

    #[test]
    fn a_port_with_a_listener_is_passed_over() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let port = listener.local_addr().expect("its address").port();
        assert!(claim(port).expect("an answer").is_none());
    }

    #[test]
    fn a_port_that_somebody_was_given_is_passed_over() {
        let port = free().expect("a port");
        assert!(claim(port).expect("an answer").is_none());
    }
}
