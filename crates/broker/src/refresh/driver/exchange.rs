//! The question to the provider: a credential opened, a request sent, an answer read.

use super::Drive;
use crate::refresh::Beside;
use crate::refresh::core::{Credential, Event, Refusal};
use crate::{Error, Renewal, Result};
use mortise_connectors::Auth;
use mortise_domain::{AccessToken, DpopKey, FurtherGrant as Brought, Timestamp, TokenGrant};
use mortise_oauth::{
    ClientRegistration, Credentials, Failure, Given, MintError, RefreshFailure, believe, mint, renew, renew_further,
};
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
        let opened = match sealed {
            Some((sealed, generation)) => Some(seals.open_renewal(self.place(generation), sealed).await?),
            None => None,
        };
        self.credential = match opened {
            Some(Renewal::Several(tokens)) => match self.whose_turn(credential, tokens).await? {
                Some(token) => Some(Renewal::RefreshToken(token)),
                None => return Ok(Some(Event::NothingKept)),
            },
            one => one,
        };
        Ok(Some(Event::Opened))
    }

    pub(super) async fn send(&mut self, client: usize, deadline: Duration) -> Result<Option<Event>> {
        let (row, app) = (&self.claimed.connection, self.app.clone());
        // Others have found out meanwhile that the provider is not there: this is one request less in its way.
        if self.under_way.is_called_back() {
            let failure = Failure::called_back();
            let refusal = Refusal::of(&failure, &app.manifest.auth);
            self.failure = Some(failure);
            return Ok(Some(Event::Refused(refusal)));
        }
        let before = self.moment();
        let answer = self.ask(client, deadline).await?;
        self.took = Some(self.moment().elapsed - before.elapsed);
        Ok(Some(match answer {
            Ok(brought) => self.granted(before.now, brought).await?,
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

    /// The question itself, with what there is to renew with.
    async fn ask(&self, client: usize, deadline: Duration) -> Result<std::result::Result<Brought, RefreshFailure>> {
        let (row, seams) = (&self.claimed.connection, &self.engine.seams);
        let clients = self.app.clients();
        let client = clients.get(client).ok_or_else(|| Error::missing("an app's client"))?;
        let dpop_key = self.dpop_key().await?;
        let client = &ClientRegistration { dpop_key: dpop_key.as_ref(), ..*client };
        let (provider, nothing) = (self.app.provider(&row.variables), Credentials::new());
        let (transport, asked_at) = (&*seams.transport, seams.clock.now());
        let given = |credentials| Given { credentials, scopes: &row.requested_scopes };
        let answer = match (&self.credential, self.several.turn()) {
            (Some(Renewal::RefreshToken(token)), Some(name)) => {
                renew_further(transport, &provider, client, (name, token), deadline, asked_at).await
            }
            (Some(Renewal::RefreshToken(token)), None) => {
                let kept = self.kept_for_renewal().await?;
                renew(transport, &provider, client, (token, &kept), deadline, asked_at).await.map(whole)
            }
            (Some(Renewal::Credentials(credentials)), _) => {
                mint(transport, &provider, client, &given(credentials), deadline, asked_at).await.map(whole)
            }
            (Some(Renewal::Several(_)), _) => return Err(Error::missing("the one token whose turn it is")),
            (None, _) => mint(transport, &provider, client, &given(&nothing), deadline, asked_at).await.map(whole),
        };
        match answer {
            Ok(brought) => Ok(Ok(brought)),
            Err(MintError::Refused(failure)) => Ok(Err(failure)),
            Err(MintError::Protocol(error)) => Err(error.into()),
        }
    }

    /// What stands beside the access token and is sent with the refresh token, where the connector has such requests.
    async fn kept_for_renewal(&self) -> Result<Credentials> {
        let row = &self.claimed.connection;
        match (&self.app.manifest.auth, &row.access) {
            (Auth::TwoStep(_), Some(sealed)) => {
                Ok(self.engine.seams.seals.beside(self.place(row.generation), sealed).await?.kept)
            }
            _ => Ok(Credentials::new()),
        }
    }

    /// What the connection's tokens are bound to, and the new one will be (RFC 9449 section 5).
    async fn dpop_key(&self) -> Result<Option<DpopKey>> {
        let row = &self.claimed.connection;
        let bound = self.app.manifest.oauth2().is_some_and(|auth| auth.dpop);
        match row.access.as_ref().filter(|_| bound) {
            Some(sealed) => Ok(self.engine.seams.seals.beside(self.place(row.generation), sealed).await?.dpop_key),
            None => Ok(None),
        }
    }

    pub(super) async fn granted(&mut self, asked_at: Timestamp, brought: Brought) -> Result<Event> {
        let Brought { mut own, further } = brought;
        let mut beside = self.beside().await;
        if let Some(grant) = &mut own {
            self.vet(grant, &mut beside);
        }
        let granted = self.weigh(asked_at, own.as_ref(), further, beside.further).await;
        (self.grant, self.granted) = (own, Some(granted));
        Ok(Event::Granted(granted))
    }

    /// Leaves out of a grant's fields what leads where nothing may be called, and adds what was told once.
    fn vet(&self, grant: &mut TokenGrant, beside: &mut Beside) {
        let row = &self.claimed.connection;
        let (policy, provider) = (self.engine.seams.transport.policy(), self.app.provider(&row.variables));
        believe(policy, &provider, &mut grant.extra);
        self.carry_fields(grant, beside);
        // Once more, because what was carried on may belong to the base of the API.
        believe(policy, &provider, &mut grant.extra);
    }

    /// What was told once, with the consent, stays beside the token, and so do the secrets that are kept there.
    fn carry_fields(&self, grant: &mut TokenGrant, beside: &mut Beside) {
        let manifest = &self.app.manifest;
        let described = manifest.api.iter().flat_map(|api| api.fields.keys()).map(String::as_str);
        let once: Vec<_> = manifest.auth.told_once().into_iter().chain(described).collect();
        let fields = std::mem::take(&mut beside.fields);
        for (name, value) in fields.into_iter().filter(|(name, _)| once.contains(&name.as_str())) {
            grant.extra.entry(name).or_insert(value);
        }
        for (name, value) in std::mem::take(&mut beside.kept) {
            grant.kept.entry(name).or_insert(value);
        }
    }

    /// What is kept beside the access token that is in store, and would be lost with it: a key that is out of reach is waited
    /// for. Nothing that goes wrong here may cost the grant.
    async fn beside(&mut self) -> Beside {
        let row = &self.claimed.connection;
        let Some(sealed) = &row.access else { return Beside::default() };
        let opened = loop {
            let opened = self.engine.seams.seals.beside(self.place(row.generation), sealed).await;
            if let Some(opened) = self.unless_away(opened).await {
                break opened;
            }
        };
        opened.unwrap_or_else(|error| {
            tracing::warn!(connection = %row.id, error = ?error, "the fields beside a token could not be kept");
            Beside::default()
        })
    }

    /// Nothing that goes wrong here may cost the grant.
    pub(super) async fn is_unchanged(&self, token: &AccessToken) -> bool {
        let row = &self.claimed.connection;
        let Some(sealed) = &row.access else { return false };
        self.engine.seams.seals.is_access(self.place(row.generation), sealed, token).await.unwrap_or_default()
    }
}

/// A reply that is about the connection's own token.
fn whole(mut grant: TokenGrant) -> Brought {
    let further = std::mem::take(&mut grant.further);
    Brought { own: Some(grant), further }
}
