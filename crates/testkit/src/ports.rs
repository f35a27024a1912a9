//! Ports for servers that must be told theirs.

use std::io;
use std::net::TcpListener;

/// A loopback TCP port that was free a moment ago. Another process may take it before it is used: whoever starts a
/// server on it tries again then.
pub fn free() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
