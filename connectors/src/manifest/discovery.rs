//! Where a provider publishes its own metadata, and who it has to say that it is.

use serde::{Deserialize, Serialize};

/// Where metadata is found. What it says stands in the manifest once a version is registered, and nothing else counts
/// from then on; asking again tells what differs by now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Discovery {
    /// The issuer identifier, which the metadata must repeat to the byte (RFC 8414 section 3.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Where the metadata lies, if not at a well-known place of the issuer's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// A protected resource, such as an MCP server, whose metadata names the issuer (RFC 9728).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protected_resource: Option<String>,
}
