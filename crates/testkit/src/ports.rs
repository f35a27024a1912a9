//! Ports for servers that must be told theirs.
//!
//! Between asking for a port and listening on it anybody may take it. So they come from below the range that the system
//! hands out by itself, where no outgoing connection lands, and a lock file keeps other test processes off a port until
//! the process that asked for it has ended.

use std::fs::File;
use std::io;
use std::net::TcpListener;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};

/// Linux hands out 32768 and up by itself.
const OURS: Range<u16> = 18_000..32_000;

/// Locks last as long as the process.
static HELD: Mutex<Vec<File>> = Mutex::new(Vec::new());

/// A loopback TCP port on which nobody listens, and which nobody else is given before this process ends.
pub fn free() -> io::Result<u16> {
    static TURN: AtomicU16 = AtomicU16::new(0);
    let folder = std::env::temp_dir().join("mortise-ports");
    std::fs::create_dir_all(&folder)?;
    let size = OURS.end - OURS.start;
    // Processes begin far apart, so that they seldom ask for the same.
    let begin = (std::process::id() % u32::from(size)) as u16;
    for _ in 0..size {
        let turn = TURN.fetch_add(1, Ordering::Relaxed);
        let port = OURS.start + begin.wrapping_add(turn.wrapping_mul(61)) % size;
        let lock = File::options().create(true).truncate(false).write(true).open(folder.join(port.to_string()))?;
        if lock.try_lock().is_ok() && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            HELD.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(lock);
            return Ok(port);
        }
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, "every port for tests is taken"))
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
        let taken: Vec<_> = (0..20).map(|_| TcpListener::bind(("127.0.0.1", free().expect("a port")))).collect();
        assert!(taken.iter().all(Result::is_ok));
    }
}
