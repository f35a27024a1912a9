//! The question to the provider: a credential opened, a request sent, an answer read.

use super::Drive;
use crate::refresh::core::{Credential, Event, Granted, Refusal};
use crate::{Error, Result};
use mortise_domain::{AccessToken, Timestamp, TokenGrant};
use mortise_oauth::{Failure, RefreshFailure, client_credentials, refresh, request_refresh};
use std::time::Duration;

impl Drive<'_> {
    pub(super) async fn open(&mut self, credential: Credential) -> Result<Option<Event>> {
        let row = &self.claimed.connection;
        let seals = &self.engine.seams.seals;
        seals.prepare(row.customer, self.place(row.generation + 1)).await?;
        let sealed = match credential {
            Credential::Current => row.refresh.as_ref().map(|sealed| (sealed, row.generation)),
            Credential::Previous => row.previous_refresh.as_ref().map(|sealed| (sealed, row.generation - 1)),
            Credential::Client => None,
        };
        self.credential = match sealed {
            Some((sealed, generation)) => Some(seals.open_refresh(self.place(generation), sealed).await?),
            None => None,
        };
        Ok(Some(Event::Opened))
    }

    pub(super) async fn send(
        &mut self,
        credential: Credential,
        client: usize,
        deadline: Duration,
    ) -> Result<Option<Event>> {
        let (row, app) = (&self.claimed.connection, self.app.clone());
        let clients = app.clients();
        let client = clients.get(client).ok_or_else(|| Error::missing("an app's client"))?;
        let provider = app.provider(&row.variables);
        let mut request = match (&self.credential, credential) {
            (Some(token), _) => refresh(&provider, client, token)?,
            (None, _) => client_credentials(&provider, client, &row.requested_scopes)?,
        };
        request.deadline = request.deadline.min(deadline);
        // Others have found out meanwhile that the provider is not there: this is one request less in its way.
        if self.under_way.is_called_back() {
            let failure = Failure::called_back();
            let refusal = Refusal::of(&failure, &app.manifest.auth);
            self.failure = Some(failure);
            return Ok(Some(Event::Refused(refusal)));
        }
        let before = self.moment();
        let asked_at = self.engine.seams.clock.now();
        let answer = request_refresh(&*self.engine.seams.transport, request, &app.manifest, asked_at).await;
        self.took = Some(self.moment().elapsed - before.elapsed);
        Ok(Some(match answer {
            Ok(grant) => self.granted(before.now, grant).await?,
            Err(RefreshFailure { failure, refresh_token }) => {
                let refusal = Refusal::of(&failure, &app.manifest.auth);
                self.failure = Some(failure);
                self.alone = refresh_token;
                match &self.alone {
                    Some(_) => {
                        let deadlines = app.manifest.auth.deadlines(row.granted_at, before.now, None);
                        Event::RefusedWithToken(refusal, deadlines)
                    }
                    None => Event::Refused(refusal),
                }
            }
        }))
    }

    pub(super) async fn granted(&mut self, asked_at: Timestamp, grant: TokenGrant) -> Result<Event> {
        let row = &self.claimed.connection;
        let granted = Granted {
            asked_at,
            lifetime: grant.lifetime,
            deadlines: self.app.manifest.auth.deadlines(row.granted_at, asked_at, grant.refresh_lifetime),
            rotated: grant.refresh_token.is_some(),
            unchanged: self.is_unchanged(&grant.access_token).await,
        };
        (self.grant, self.granted) = (Some(grant), Some(granted));
        Ok(Event::Granted(granted))
    }

    /// Nothing that goes wrong here may cost the grant.
    pub(super) async fn is_unchanged(&self, token: &AccessToken) -> bool {
        let row = &self.claimed.connection;
        let Some(sealed) = &row.access else { return false };
        self.engine.seams.seals.is_access(self.place(row.generation), sealed, token).await.unwrap_or_default()
    }
}
