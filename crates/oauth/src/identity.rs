//! The call that tells whose grant it is: a stable id of the account, and what calls of the API need beside the token.
//!
//! Made once, with the new access token. Invariant: nothing that it goes wrong with costs the grant, and no field repeats
//! the token. Deliberately absent: ID tokens, and any call that changes something.

use crate::dpop::DpopProof;
use crate::response::Document;
use crate::sending::{Answered, Unsigned, deliver};
use crate::{ClientRegistration, Failure, FailureClass, Header, Method, Outbound, ProtocolError, Provider, Transport};
use mortise_connectors::{Manifest, TokenBody};
use mortise_domain::AccessToken;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use zeroize::Zeroizing;

/// A customer waits for it, and the grant is not stored before it.
const DEADLINE: Duration = Duration::from_secs(10);

/// The request that asks whose `token` is, bound to the client's `dpop_key` where tokens are bound. `None`: the manifest does
/// not want to know.
///
/// # Errors
/// A manifest that does not expand.
pub fn identity(
    provider: &Provider<'_>,
    client: &ClientRegistration<'_>,
    token: &AccessToken,
) -> Result<Option<Outbound>, ProtocolError> {
    let auth = provider.auth()?;
    let Some(identity) = &auth.identity else { return Ok(None) };
    let mut request = Outbound::new(Method::Get, provider.url(&identity.url)?, DEADLINE);
    let scheme = if auth.dpop { "DPoP" } else { "Bearer" };
    request.headers.push(Header::new("authorization", format!("{scheme} {}", token.expose())));
    request.headers.push(Header::new("accept", "application/json"));
    request.secrets.push(Zeroizing::new(token.expose().to_owned()));
    if auth.dpop {
        let dpop = Some(DpopProof::with(client.dpop_key, client.signer)?.beside(token));
        let signer = client.signer.cloned();
        request.unsigned = Some(Box::new(Unsigned { signer, assertions: Vec::new(), dpop, body: TokenBody::Form }));
    }
    Ok(Some(request))
}

/// Sends it and lifts the manifest's fields out of the reply. A field that is not there is left out.
///
/// # Errors
/// What went wrong. The grant is as good as before.
pub async fn request_identity(
    transport: &dyn Transport,
    request: Outbound,
    manifest: &Manifest,
) -> Result<BTreeMap<String, Value>, Failure> {
    let Answered { reply, secrets, .. } = deliver(transport, request).await?;
    let failure = |class, detail| Failure::new(class, Some(reply.status), detail);
    if !(200..300).contains(&reply.status) {
        return Err(failure(FailureClass::Unknown, "the provider does not say whose grant it is"));
    }
    let document = Document::read_json(&reply).map_err(|fault| failure(FailureClass::Ambiguous, fault.detail()))?;
    let identity = manifest.oauth2().and_then(|auth| auth.identity.as_ref());
    let mut fields = identity.map(|identity| document.lifted(manifest, &identity.fields)).unwrap_or_default();
    fields.retain(|_, value| !secrets.iter().any(|secret| value.to_string().contains(secret.as_str())));
    Ok(fields)
}

#[cfg(test)]
mod tests;
