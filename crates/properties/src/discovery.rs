//! Discovery: whatever a metadata document or a challenge says, it is read or refused, and a message of it is one line.

use mortise_oauth::discovery::{read, read_challenge, read_resource};

/// The bytes are a document of each kind, and a header.
pub fn discovery(bytes: &[u8]) {
    if let Ok(server) = read(bytes) {
        assert!(!server.issuer.is_empty() && !server.issuer.chars().any(char::is_control), "{server:?}");
        assert_eq!(read(bytes).as_ref(), Ok(&server), "read twice, it says two things");
    }
    if let Ok(resource) = read_resource(bytes) {
        assert!(!resource.resource.is_empty() && !resource.resource.chars().any(char::is_control), "{resource:?}");
    }
    for fault in [read(bytes).err(), read_resource(bytes).err()].into_iter().flatten() {
        assert!(!fault.to_string().chars().any(char::is_control), "{fault:?}");
    }
    if let Ok(header) = std::str::from_utf8(bytes) {
        drop(read_challenge(header));
    }
}
