//! Signing keys, and signed tokens made with them (RFC 7515, 7519).
//!
//! Invariant: a key that was read can sign; what is no key, or none for the algorithm, is refused with the way out. Keys
//! cannot be printed and are wiped. Deliberately absent: reading other people's tokens, `none`, and what is said in one.

mod jwk;
mod key;

pub use key::{KeyFault, SigningKey};
