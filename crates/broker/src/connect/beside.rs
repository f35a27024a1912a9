//! The calls that some providers want beside the code exchange: one that makes the token last, one that tells whose it is.
//!
//! They come before the grant is stored: a process that dies in between costs the customer another click, and no older
//! token is at stake. Invariant: whatever the second one answers, the grant is stored.

use super::brought::Brought;
use super::exchange::{GrantTarget, exchange_failed};
use crate::loaded::LoadedApp;
use crate::{Broker, Result};
use mortise_domain::{Timestamp, TokenGrant};
use mortise_oauth::{ClientRegistration, identity, long_lived_exchange, request_identity, request_token};

impl Broker {
    /// The grant that lives for weeks for the one that lives for an hour, and when it was asked for. What only the first
    /// reply tells stays.
    pub(super) async fn made_to_last(
        &self,
        app: &LoadedApp,
        target: &GrantTarget<'_>,
        short: TokenGrant,
        sent_at: Timestamp,
    ) -> Result<(TokenGrant, Timestamp)> {
        let token = &short.access_token;
        let asked = app.as_client(|client| async move {
            let request = long_lived_exchange(&app.provider(target.values), &client, token)?;
            let (Some(request), asked_at) = (request, self.clock.now()) else { return Ok(Ok(None)) };
            let long = request_token(&*self.transport, request, &app.manifest).await;
            Ok(long.map(|long| Some((long, asked_at))))
        });
        let Some((mut long, sent_at)) = asked.await?.map_err(exchange_failed)? else { return Ok((short, sent_at)) };
        long.granted_scopes = long.granted_scopes.or(short.granted_scopes);
        for (name, value) in short.extra {
            long.extra.entry(name).or_insert(value);
        }
        Ok((long, sent_at))
    }

    /// The grant with the fields that the callback brought and those that the provider tells about the account.
    pub(super) async fn with_fields(
        &self,
        app: &LoadedApp,
        target: &GrantTarget<'_>,
        brought: &Brought,
        mut grant: TokenGrant,
    ) -> Result<TokenGrant> {
        grant.extra.extend(brought.fields());
        let client = ClientRegistration { dpop_key: grant.dpop_key.as_ref(), ..app.client() };
        if let Some(request) = identity(&app.provider(target.values), &client, &grant.access_token)? {
            match request_identity(&*self.transport, request, &app.manifest).await {
                Ok(fields) => grant.extra.extend(fields),
                Err(failure) => {
                    tracing::warn!(connector = %app.manifest.id, %failure, "whose grant it is remains unknown");
                }
            }
        }
        Ok(grant)
    }
}
