//! Protected resource metadata (RFC 9728 section 2): which authorization servers a resource trusts.
//!
//! Invariant: pure, and total over any bytes; a resource speaks for itself and for what lies under it, never for another
//! origin. Deliberately absent: signed metadata, and members that nothing here obeys.

use super::fault::MetadataFault;
use super::values::{Members, object};
use url::Url;

/// What is taken from a protected resource's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceMetadata {
    /// The resource identifier.
    pub resource: String,
    /// Issuer identifiers, the preferred one first.
    pub authorization_servers: Vec<String>,
    /// The scopes that requests to it may need.
    pub scopes_supported: Vec<String>,
}

/// Reads a metadata document.
///
/// # Errors
/// What is wrong with it, for a person.
pub fn read_resource(bytes: &[u8]) -> Result<ResourceMetadata, MetadataFault> {
    let root = object(bytes)?;
    let members = Members(&root);
    Ok(ResourceMetadata {
        resource: members.line("resource")?.ok_or(MetadataFault::Missing("resource"))?,
        authorization_servers: members.list("authorization_servers")?.unwrap_or_default(),
        scopes_supported: members.list("scopes_supported")?.unwrap_or_default(),
    })
}

/// Whether a resource that calls itself `resource` is the one behind `asked`: the same URL, or one of the same origin under
/// whose path it lies. RFC 9728 section 3.3 wants the first; many a server names its root.
pub(super) fn speaks_for(resource: &str, asked: &Url) -> bool {
    if resource == asked.as_str() {
        return true;
    }
    let Ok(named) = Url::parse(resource) else { return false };
    let path = named.path().trim_end_matches('/');
    let under = asked.path().strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    named.origin() == asked.origin()
        && under
        && named.query().is_none_or(|query| asked.query() == Some(query))
        && named.fragment().is_none()
        && named.username().is_empty()
        && named.password().is_none()
}
