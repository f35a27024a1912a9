//! The manifest language: providers described by data alone, and the manifests that come with the product.
//!
//! Invariant: a manifest that [`parse`] accepts can be spoken, and whatever is filled into its variables, its URLs keep
//! scheme, host suffix, port and depth. Deliberately absent: I/O, code for one provider, expressions.

pub mod catalog;
mod diagnostic;
mod limits;
mod manifest;
mod parse;
mod shape;
mod template;
mod tree;
mod validate;
mod values;

pub use diagnostic::{Diagnostic, Severity, render};
pub use limits::{DEFAULT_GRACE, Limits, Rate, RefreshError, RefreshErrors};
pub use manifest::{
    Api, Auth, AuthKind, ClientAuthentication, Grant, Manifest, RecoveryClass, TokenBody, TokenResponse, Variable,
    VariableKind,
};
pub use parse::{canonical_json, lint, locate, parse};
pub use template::{TemplateError, expand_text, expand_url};
pub use values::{ValueError, Values, resolve_values};
