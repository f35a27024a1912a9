//! What has to hold for any bytes that people and providers send: one function a reader, which panics where it does not.
//!
//! The fuzz targets in `fuzz/` are these functions, and the tests of this crate run them over the corpus and over what
//! proptest makes of it, so that a fault once found stays found. Deliberately absent: anything that needs a network, a
//! clock or a database.

#![expect(clippy::expect_used, reason = "a property that does not hold stops loudly")]

mod callback;
mod discovery;
mod manifest;
mod template;
mod token_reply;

pub use callback::{believed, callback};
pub use discovery::discovery;
pub use manifest::manifest;
pub use template::template;
pub use token_reply::token_reply;

/// A reader and the name of its corpus.
pub type Target = (&'static str, fn(&[u8]));

/// Every reader.
pub const TARGETS: [Target; 5] = [
    ("manifest", manifest),
    ("template", template),
    ("token_reply", token_reply),
    ("callback", callback),
    ("discovery", discovery),
];
