//! What a connection keeps to renew its access with.
//!
//! Invariant: one of the two, sealed in one place of the row (see [`crate::sealing`]): what was given is not kept beside a
//! refresh token. A connection that keeps neither is renewed by its client, or not at all.

use mortise_domain::RefreshToken;
use mortise_oauth::Credentials;

/// What a further token is asked for with.
#[derive(Debug)]
pub enum Renewal {
    /// RFC 6749 section 6.
    RefreshToken(RefreshToken),
    /// What the customer gave: the token is asked for anew, as often as need be.
    Credentials(Credentials),
}
