//! What a provider publishes about itself, found and checked: authorization servers (RFC 8414, OpenID Connect Discovery 1.0)
//! and the resources that they protect (RFC 9728), of which MCP servers are one kind.
//!
//! Invariant: nothing is taken from a document whose `issuer`, or `resource`, is not who was asked for (RFC 8414 section
//! 3.3); what is found decides about no request until somebody registers it as a version of a connector. The readers are
//! pure and total. Deliberately absent: redirects, signed metadata, and keys of the provider.

mod challenge;
mod fault;
mod fetch;
mod members;
mod metadata;
mod places;
mod resource;
mod values;

pub use challenge::{Challenge, read_challenge};
pub use fault::{DiscoveryError, MetadataFault};
pub use members::members;
pub use metadata::{ServerMetadata, read};
pub use resource::{ResourceMetadata, read_resource};

use crate::Transport;
use fetch::{Tried, get};
use mortise_connectors::Discovery;
use resource::speaks_for;
use url::Url;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovered {
    /// The authorization server, who says that it is the one that was asked for.
    pub server: ServerMetadata,
    /// The resource that it protects, where one was asked for.
    pub resource: Option<ResourceMetadata>,
    /// The scopes that the resource asks for when nobody brings a token.
    pub asked_scopes: Option<Vec<String>>,
}

/// Looks for what `wanted` names.
///
/// # Errors
/// Where it was looked for, and what was wrong there.
pub async fn discover(transport: &dyn Transport, wanted: &Discovery) -> Result<Discovered, DiscoveryError> {
    let (resource, asked_scopes) = match &wanted.protected_resource {
        Some(url) => {
            let (resource, scopes) = find_resource(transport, &whole(url)?).await?;
            (Some(resource), scopes)
        }
        None => (None, None),
    };
    let trusted = resource.as_ref().map(|resource| resource.authorization_servers.as_slice());
    let issuer = match (&wanted.issuer, trusted) {
        (Some(issuer), Some(trusted)) if !trusted.contains(issuer) => {
            let why = format!("the resource does not name `{issuer}` among its authorization servers");
            return Err(DiscoveryError::because(why));
        }
        (Some(issuer), _) => issuer,
        (None, Some([first, ..])) => first,
        (None, Some([])) => return Err(DiscoveryError::because("the resource names no authorization server")),
        (None, None) => return Err(DiscoveryError::because("neither an issuer nor a resource is named")),
    };
    let server = find_server(transport, issuer, wanted.url.as_deref()).await?;
    Ok(Discovered { server, resource, asked_scopes })
}

async fn find_server(
    transport: &dyn Transport,
    issuer: &str,
    url: Option<&str>,
) -> Result<ServerMetadata, DiscoveryError> {
    let places = match url {
        Some(url) => vec![whole(url)?],
        None => places::of_issuer(&whole(issuer)?),
    };
    let read = |bytes: &[u8]| {
        let server = metadata::read(bytes).map_err(|fault| fault.to_string())?;
        if server.issuer == issuer {
            Ok(server)
        } else {
            Err(format!("it is about the issuer `{}` and not about `{issuer}`", server.issuer))
        }
    };
    let mut tried = Tried::default();
    tried.first(transport, places, read).await.ok_or_else(|| tried.into_error())
}

/// Asks the resource itself first, who may say where its metadata lies, and what scopes it wants.
async fn find_resource(
    transport: &dyn Transport,
    url: &Url,
) -> Result<(ResourceMetadata, Option<Vec<String>>), DiscoveryError> {
    let mut tried = Tried::default();
    let challenge = match get(transport, url, "application/json, text/event-stream").await {
        Ok(reply) if reply.status == 401 => reply.www_authenticate.as_deref().and_then(read_challenge),
        Ok(_) => None,
        Err(failure) => {
            tried.note(url, failure.detail);
            None
        }
    };
    let Challenge { resource_metadata, scope } = challenge.unwrap_or_default();
    let places = match &resource_metadata {
        Some(told) => vec![whole(told)?],
        None => places::of_resource(url),
    };
    let read = |bytes: &[u8]| {
        let resource = read_resource(bytes).map_err(|fault| fault.to_string())?;
        if speaks_for(&resource.resource, url) {
            Ok(resource)
        } else {
            Err(format!("it is about the resource `{}` and not about `{url}`", resource.resource))
        }
    };
    let found = tried.first(transport, places, read).await;
    let scopes = scope.map(|scope| scope.split_ascii_whitespace().map(str::to_owned).collect());
    found.map(|resource| (resource, scopes)).ok_or_else(|| tried.into_error())
}

fn whole(text: &str) -> Result<Url, DiscoveryError> {
    Url::parse(text).map_err(|_| DiscoveryError::because(format!("`{text}` is no whole URL")))
}

#[cfg(test)]
mod tests;
