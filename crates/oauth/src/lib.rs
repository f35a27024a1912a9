//! Everything that leaves the process, and OAuth 2 as it is spoken to a provider.
//!
//! Requests are built from a manifest as plain values ([`Outbound`]), sent at most once through the port [`Transport`],
//! and answered with a [`TokenGrant`](mortise_domain::TokenGrant) or a [`Failure`] that says how sure we are of what
//! happened. Invariant: there is one HTTP client, in [`Egress`], and every address it connects to was vetted.
//! Deliberately absent: redirects, retries, code for single providers, knowledge of tenants or rows, reading the time.

mod authorize;
mod client_auth;
mod client_credentials;
mod egress;
mod error;
mod exchange;
mod failure;
#[cfg(test)]
mod fixture;
mod introspect;
mod ip_policy;
mod outcome;
mod policy;
mod presented;
mod provider;
mod refresh;
mod request;
mod response;
mod revoke;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod transport;

pub use authorize::authorization_url;
pub use client_credentials::client_credentials;
pub use egress::{Egress, EgressError};
pub use error::ProtocolError;
pub use exchange::code_exchange;
pub use failure::{Failure, FailureClass};
pub use introspect::{Introspection, introspection, request_introspection};
pub use ip_policy::special_purpose;
pub use outcome::{RefreshFailure, request_refresh, request_revocation, request_token};
pub use policy::{EgressPolicy, EgressRefusal};
pub use presented::PresentedToken;
pub use provider::{ClientRegistration, Provider};
pub use refresh::refresh;
pub use revoke::{RevocationToken, revocation};
pub use transport::{Header, Method, Outbound, Reply, SendError, Transport};
