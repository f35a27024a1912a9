//! Everything that leaves the process, and OAuth 2 as it is spoken to a provider.
//!
//! Requests are built from a manifest as plain values ([`Outbound`]), sent at most once through the port [`Transport`],
//! and answered with a [`TokenGrant`](mortise_domain::TokenGrant) or a [`Failure`] that says how sure we are of what
//! happened. Invariant: there is one HTTP client, in [`Egress`], and every address it connects to was vetted.
//! Deliberately absent: redirects, retries (but for the nonce of a proof, see `sending`), code for single providers,
//! knowledge of tenants or rows, reading the time (but for signatures, by the clock that a [`Signer`] was given).

mod authorize;
mod client_auth;
mod client_credentials;
mod client_identity;
mod device;
pub mod discovery;
mod dpop;
mod egress;
mod error;
mod exchange;
mod failure;
mod fill;
#[cfg(test)]
mod fixture;
mod grants;
mod identity;
mod implicit;
mod introspect;
mod ip_policy;
mod jwt;
mod long_lived;
mod mint;
mod oauth1;
mod outcome;
mod pasted;
mod policy;
mod presented;
mod provider;
mod pushed;
mod refresh;
mod registration;
mod request;
mod response;
mod revoke;
mod sample;
mod sending;
mod signed_jwt;
mod simulate;
mod style;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod told;
mod transport;
mod two_step;

pub use authorize::{authorization_url, pushed_authorization_url};
pub use client_auth::check_client_secret;
pub use client_credentials::client_credentials;
pub use client_identity::{ClientIdentity, IdentityFault};
pub use device::{
    DeviceAnswer, DeviceAuthorization, device_authorization, device_token, request_device_authorization,
    request_device_token,
};
pub use egress::{Egress, EgressError};
pub use error::ProtocolError;
pub use exchange::code_exchange;
pub use failure::{Failure, FailureClass};
pub use grants::check_pasted_key;
pub use identity::{identity, request_identity};
pub use implicit::implicit_grant;
pub use introspect::{Introspection, introspection, request_introspection};
pub use ip_policy::special_purpose;
pub use jwt::{KeyFault, SigningKey};
pub use long_lived::long_lived_exchange;
pub use mint::{Given, MintError, grant_request, mint, renew, renew_further};
pub use oauth1::{
    OAUTH1_TOKEN_SECRET, OAUTH1_TOKEN_TYPE, Oauth1Credentials, Once, oauth1_authorization_url,
    request_temporary_credentials, request_token_credentials, temporary_credentials, token_credentials,
};
pub use outcome::{RefreshFailure, request_further_refresh, request_refresh, request_revocation, request_token};
pub use pasted::{Carried, Credentials, carried, request_verification, verification, verification_of_token};
pub use policy::{EgressPolicy, EgressRefusal};
pub use presented::PresentedToken;
pub use provider::{ClientRegistration, Provider};
pub use pushed::{pushed_authorization, request_pushed_authorization};
pub use refresh::refresh;
pub use registration::{NewClient, RegisteredClient, client_metadata, registration, request_registration};
pub use revoke::{RevocationToken, revocation};
pub use sample::{Place, PlaceKind, Sample, SampleOf, Told, read_sample};
pub use sending::Signer;
pub use simulate::{SimulatedClient, SimulatedHeader, SimulatedRequest, Step, simulate};
pub use told::{believe, judge};
pub use transport::{Header, Method, Outbound, Reply, SendError, Transport};
pub use two_step::carried_token;
