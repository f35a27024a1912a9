//! The reply to a refresh, where the provider's own error codes count and a refusal may carry a token.

use super::{Judge, malformed, spoken};
use crate::response::Document;
use crate::sending::{Answered, deliver};
use crate::{Failure, FailureClass, Outbound, Transport};
use mortise_connectors::Manifest;
use mortise_domain::{FurtherGrant, RefreshToken, Timestamp, TokenGrant};
use std::fmt;
use zeroize::Zeroizing;

/// A refresh that gave no access token.
#[derive(Debug)]
pub struct RefreshFailure {
    /// What went wrong.
    pub failure: Failure,
    /// A refresh token that came with the reply of a provider that asks for fewer requests: some renew it with each
    /// request that they count. It takes the place of the one that was sent, which may be spent.
    pub refresh_token: Option<RefreshToken>,
}

impl From<Failure> for RefreshFailure {
    fn from(failure: Failure) -> Self {
        Self { failure, refresh_token: None }
    }
}

impl fmt::Display for RefreshFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.failure.fmt(f)
    }
}

impl std::error::Error for RefreshFailure {}

/// Sends a request for a further token of a grant at `sent_at` (by our own clock) and reads what the provider gave (RFC
/// 6749 sections 5 and 6). Unlike [`request_token`](crate::request_token) it knows that the same access token may come
/// again, so that a lifetime which only the token tells is counted from `sent_at`; and the manifest's `refresh_errors`
/// count.
///
/// # Errors
/// What went wrong, by how sure we are of what the provider did.
pub async fn request_refresh(
    transport: &dyn Transport,
    request: Outbound,
    manifest: &Manifest,
    sent_at: Timestamp,
) -> Result<TokenGrant, RefreshFailure> {
    let answered = deliver(transport, request).await?;
    let grant = |document: &mut Document| document.grant(manifest, Some(sent_at));
    let grant = given(&answered, manifest, grant, |document, sent| document.successor(manifest, sent))?;
    Ok(TokenGrant { dpop_key: answered.dpop_key, ..grant })
}

/// The same for the refresh of the further token `name`.
///
/// # Errors
/// What went wrong, by how sure we are of what the provider did.
pub async fn request_further_refresh(
    transport: &dyn Transport,
    request: Outbound,
    manifest: &Manifest,
    name: &str,
    sent_at: Timestamp,
) -> Result<FurtherGrant, RefreshFailure> {
    let answered = deliver(transport, request).await?;
    let grant = |document: &mut Document| document.further_grant(manifest, name, sent_at);
    given(&answered, manifest, grant, |document, sent| document.further_successor(manifest, name, sent))
}

/// What a reply gave: what `grant` takes out of a success, or a failure, with the refresh token that `successor` finds in it.
fn given<T>(
    answered: &Answered,
    manifest: &Manifest,
    grant: impl FnOnce(&mut Document) -> Result<T, &'static str>,
    successor: impl FnOnce(&mut Document, &[Zeroizing<String>]) -> Option<RefreshToken>,
) -> Result<T, RefreshFailure> {
    let Answered { reply, secrets, .. } = answered;
    let auth = spoken(manifest)?;
    let judge = Judge { reply, shape: &auth.token_response, secrets, errors: Some(&auth.refresh_errors) };
    match judge.accept() {
        Ok(mut document) => Ok(grant(&mut document).map_err(|detail| malformed(reply, detail))?),
        Err(failure) if failure.class == FailureClass::Throttled => {
            let read = Document::read(reply, auth.token_response.strip_prefix.as_deref());
            let refresh_token = read.ok().and_then(|mut body| successor(&mut body, secrets));
            Err(RefreshFailure { failure, refresh_token })
        }
        Err(failure) => Err(failure.into()),
    }
}

#[cfg(test)]
mod tests;
