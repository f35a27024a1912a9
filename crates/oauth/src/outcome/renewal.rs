//! The reply to a refresh, where the provider's own error codes count and a refusal may carry a token.

use super::{Judge, malformed, spoken};
use crate::response::Document;
use crate::sending::{Answered, deliver};
use crate::{Failure, FailureClass, Outbound, Transport};
use mortise_connectors::Manifest;
use mortise_domain::{RefreshToken, Timestamp, TokenGrant};
use std::fmt;

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
    let Answered { reply, secrets, dpop_key } = deliver(transport, request).await?;
    let auth = spoken(manifest)?;
    let judge =
        Judge { reply: &reply, shape: &auth.token_response, secrets: &secrets, errors: Some(&auth.refresh_errors) };
    match judge.accept() {
        Ok(mut document) => {
            let grant = document.grant(manifest, Some(sent_at)).map_err(|detail| malformed(&reply, detail))?;
            Ok(TokenGrant { dpop_key, ..grant })
        }
        Err(failure) if failure.class == FailureClass::Throttled => {
            let read = Document::read(&reply, auth.token_response.strip_prefix.as_deref());
            let refresh_token = read.ok().and_then(|mut body| body.successor(manifest, &secrets));
            Err(RefreshFailure { failure, refresh_token })
        }
        Err(failure) => Err(failure.into()),
    }
}

#[cfg(test)]
mod tests;
