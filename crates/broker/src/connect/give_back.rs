//! Grants that nobody gets: they are revoked before anything of them is stored.

use crate::Broker;
use crate::loaded::LoadedApp;
use crate::revoke::{Telling, end_token};
use mortise_connectors::Values;
use mortise_domain::TokenGrant;
use mortise_oauth::RevocationToken;

impl Broker {
    /// Revokes a grant that nobody gets, as far as the provider lets us.
    pub(super) async fn give_back(&self, app: &LoadedApp, values: &Values, grant: &TokenGrant) {
        for token in all_tokens(grant) {
            match end_token(&*self.transport, app, values, token).await {
                Ok(Ok(Telling::Told | Telling::NoWay)) => {}
                Ok(Err(failure)) => {
                    tracing::warn!(app = %app.app.id, %failure, "a grant that nobody gets could not be revoked");
                }
                Err(error) => {
                    tracing::warn!(app = %app.app.id, error = ?error, "a grant that nobody gets could not be revoked");
                }
            }
        }
    }
}

/// The tokens of a grant, each behind what renews it (RFC 7009 section 2.1).
fn all_tokens(grant: &TokenGrant) -> Vec<RevocationToken<'_>> {
    let own = (grant.refresh_token.as_ref(), &grant.access_token);
    let further = grant.further.values().map(|token| (token.refresh_token.as_ref(), &token.access_token));
    let mut tokens = Vec::new();
    for (refresh, access) in [own].into_iter().chain(further) {
        tokens.extend(refresh.map(RevocationToken::Refresh));
        tokens.push(RevocationToken::Access(access));
    }
    tokens
}
