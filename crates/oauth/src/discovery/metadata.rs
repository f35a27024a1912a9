//! Authorization server metadata (RFC 8414 section 2; OpenID Connect Discovery 1.0 section 3 has the same members).
//!
//! Invariant: pure, and total over any bytes. A member of the wrong type spoils the document, because whoever wrote it
//! meant something else than is read here. Deliberately absent: members that nothing here obeys.

use super::fault::MetadataFault;
use super::values::{Members, object};

/// What is taken from an authorization server's metadata. Nothing in it has been believed yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerMetadata {
    /// Who it says it is.
    pub issuer: String,
    /// RFC 6749 section 3.1.
    pub authorization_endpoint: Option<String>,
    /// RFC 6749 section 3.2.
    pub token_endpoint: Option<String>,
    /// RFC 7009.
    pub revocation_endpoint: Option<String>,
    /// RFC 7591.
    pub registration_endpoint: Option<String>,
    /// RFC 9126.
    pub pushed_authorization_request_endpoint: Option<String>,
    /// RFC 8628.
    pub device_authorization_endpoint: Option<String>,
    /// How clients may prove themselves; left out means `client_secret_basic`.
    pub token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// RFC 7636; left out means that nothing is said of PKCE.
    pub code_challenge_methods_supported: Option<Vec<String>>,
    /// The scopes that it knows.
    pub scopes_supported: Vec<String>,
    /// RFC 9207.
    pub authorization_response_iss_parameter_supported: bool,
}

/// Reads a metadata document.
///
/// # Errors
/// What is wrong with it, for a person.
pub fn read(bytes: &[u8]) -> Result<ServerMetadata, MetadataFault> {
    let root = object(bytes)?;
    let members = Members(&root);
    let url = |name| members.line(name);
    Ok(ServerMetadata {
        issuer: url("issuer")?.ok_or(MetadataFault::Missing("issuer"))?,
        authorization_endpoint: url("authorization_endpoint")?,
        token_endpoint: url("token_endpoint")?,
        revocation_endpoint: url("revocation_endpoint")?,
        registration_endpoint: url("registration_endpoint")?,
        pushed_authorization_request_endpoint: url("pushed_authorization_request_endpoint")?,
        device_authorization_endpoint: url("device_authorization_endpoint")?,
        token_endpoint_auth_methods_supported: members.list("token_endpoint_auth_methods_supported")?,
        code_challenge_methods_supported: members.list("code_challenge_methods_supported")?,
        scopes_supported: members.list("scopes_supported")?.unwrap_or_default(),
        authorization_response_iss_parameter_supported: members
            .flag("authorization_response_iss_parameter_supported")?,
    })
}
