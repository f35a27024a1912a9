//! The documents that stand for clients which no provider has registered (client id metadata documents): their address is
//! the client's id.
//!
//! Invariant: nothing in one is secret; providers fetch them without a key.

use crate::access::Public;
use crate::call::Call;
use crate::input::{Anything, Id};
use crate::problem::{Code, Result};
use crate::reply::{self, Reply};
use crate::routes::Routes;
use mortise_domain::AppKey;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) fn add(routes: &mut Routes) {
    routes.add(__path_get_client_document, get_client_document, &[Code::Unavailable]);
}

/// Client metadata (RFC 7591 section 2).
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct ClientDocument {
    /// The address of this document.
    #[schema(format = "uri")]
    client_id: String,
    /// What consent pages call the client.
    client_name: String,
    /// Where browsers may be sent back to.
    #[serde(default)]
    redirect_uris: Vec<String>,
    /// RFC 7591 section 2.
    grant_types: Vec<String>,
    /// The same.
    response_types: Vec<String>,
    /// `none`: PKCE proves the client.
    token_endpoint_auth_method: String,
    /// What it will ask for, separated by spaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

/// Get the document about a client
///
/// For apps whose `registration` is `client_id_metadata_document`: the address of this document is the client's id.
#[utoipa::path(
    get, path = "/oauth/clients/{id}", tag = "apps",
    params(("id" = String, Path, description = "The app, as in its client id.")),
    responses((status = 200, description = "Client metadata (RFC 7591 section 2).", body = ClientDocument)),
)]
async fn get_client_document(call: Call<Public, Id<Uuid>, Anything>) -> Result<Reply> {
    let document = call.broker().client_document(AppKey::from_uuid(call.path.0)).await?;
    reply::ok(&serde_json::from_value::<ClientDocument>(document)?)
}
