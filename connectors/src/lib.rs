//! The manifest language: providers described by data alone, and the manifests that come with the product.
//!
//! Invariant: a manifest that [`parse`] accepts can be spoken, and whatever is filled into its variables, its URLs keep
//! scheme, host suffix, port and depth. Deliberately absent: I/O, code for one provider, expressions.

pub mod catalog;
mod diagnostic;
pub mod diff;
mod discovered;
mod emit;
pub mod import;
mod limits;
mod manifest;
mod nested;
mod parse;
mod pasted;
mod reference;
mod renewal;
mod sample;
mod sarif;
mod schema;
mod shape;
mod template;
mod told;
mod tree;
mod validate;
mod values;

pub use diagnostic::{Diagnostic, Severity, render};
pub use discovered::{Undiscovered, of_protected_resource, starter, undiscovered};
pub use emit::yaml;
pub use limits::{DEFAULT_GRACE, Limits, Rate, RefreshError, RefreshErrors};
pub use manifest::Discovery;
pub use manifest::{
    Api, ApiField, ApiFieldKind, Auth, AuthorizationRequest, Callback, CallbackHmac, ClientAuthentication, Confidence,
    Further, Grant, Identity, LifetimeUnit, LongLivedExchange, Manifest, Names, OAuth2, Parameter, Provenance,
    RecoveryClass, RetryHint, RetryUnit, TokenBody, TokenMethod, TokenRequest, TokenResponse, Variable, VariableKind,
};
pub use manifest::{
    ApiKey, Assertion, Basic, Credential, CredentialKind, TokenExchange, Verification, VerificationMethod,
};
pub use manifest::{ClientAssertion, SigningAlgorithm};
pub use manifest::{Jwt, KeyEncoding, SignedJwt};
pub use manifest::{LoginBasic, LoginBody, LoginResponse, LoginStep, TwoStep};
pub use manifest::{OAuth1, OAuth1TokenResponse, SignatureMethod};
pub use nested::{Inner, Nested};
pub use parse::{canonical_json, lint, locate, parse, parse_discovered};
pub use pasted::{Pasted, Piece, Scheme, pieces};
pub use renewal::RenewedBy;
pub use sample::sample_values;
pub use sarif::{Checked, sarif};
pub use schema::schema;
pub use template::{TemplateError, expand_text, expand_url};
pub use told::BASE_URL_FIELD;
pub use values::{ValueError, Values, resolve_values};
