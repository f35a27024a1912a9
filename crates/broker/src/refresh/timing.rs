//! How long a token lives and when it is renewed.

use crate::loaded::LoadedApp;
use mortise_connectors::Manifest;
use mortise_domain::{Entropy, Timestamp, TokenGrant, refresh_at};
use std::time::Duration;

/// The lifetime that the provider told, else the manifest's; `None`: nobody knows, so the token is used until it fails.
pub(crate) fn lifetime_of(grant: &TokenGrant, manifest: &Manifest) -> Option<Duration> {
    let default = manifest.auth.default_lifetime.map(|seconds| Duration::from_secs(seconds.into()));
    grant.lifetime.or(default)
}

/// When to renew a token that was asked for at `sent_at`.
pub(crate) fn first_refresh(
    sent_at: Timestamp,
    lifetime: Duration,
    app: &LoadedApp,
    entropy: &dyn Entropy,
) -> Timestamp {
    let margin = app.manifest.auth.refresh_margin.map(|seconds| Duration::from_secs(seconds.into()));
    refresh_at(sent_at, lifetime, margin, entropy.fraction())
}
