//! A pair on its way: sealed, to the disk, into the ledger, or back to the provider.

use super::Drive;
use super::scopes::scope_change;
use crate::refresh::REFRESHED;
use crate::refresh::core::{COMMIT_PATIENCE, COMMIT_PAUSE, Event, Pair};
use crate::spill::{Entry, SpilledRefresh};
use crate::timeline::told;
use crate::{Error, Renewal, Result};
use mortise_domain::{EventKind, Sealed};
use serde_json::json;

impl Drive<'_> {
    pub(super) async fn spill(&mut self, pair: Pair) -> Result<Option<Event>> {
        let pair = Box::new(self.sealed(&pair).await?);
        known_bad!(NoSpill => { self.pair = Some(*pair); return Ok(Some(Event::Spilled)); });
        let entry = Entry::Refresh(pair);
        let ticket = self.engine.seams.spill.put(entry.to_bytes()?).await;
        if let Entry::Refresh(pair) = entry {
            self.pair = Some(*pair);
        }
        Ok(Some(match ticket {
            Ok(ticket) => {
                self.ticket = Some(ticket);
                Event::Spilled
            }
            Err(error) => {
                tracing::error!(%error, "a pair could not be spilled to disk: until it is stored only memory holds it");
                metrics::counter!("mortise_spill_failures_total").increment(1);
                Event::SpillFailed
            }
        }))
    }

    /// A customer's key may have to come from a database that is away: the pair is held in memory meanwhile.
    async fn sealed(&mut self, pair: &Pair) -> Result<SpilledRefresh> {
        loop {
            let sealed = self.seal(pair).await;
            if let Some(sealed) = self.unless_away(sealed).await {
                return sealed;
            }
        }
    }

    /// What came of a step with a grant in hand; `None`, after a pause: the database was away, and it is worth another try.
    pub(super) async fn unless_away<T>(&mut self, outcome: Result<T>) -> Option<Result<T>> {
        let now = self.engine.seams.clock.monotonic();
        let until = *self.patience.get_or_insert(now + COMMIT_PATIENCE);
        match self.engine.noted(outcome) {
            Err(Error::Unavailable(error)) if now < until => {
                tracing::warn!(connection = %self.claimed.connection.id, %error, "the database is away as a grant is held; trying again");
                tokio::time::sleep(COMMIT_PAUSE).await;
                None
            }
            outcome => Some(outcome),
        }
    }

    /// No new refresh token means that the one that was sent stays good (RFC 6749 section 6); it is sealed anew because
    /// the generation is part of what a ciphertext is bound to.
    async fn seal(&mut self, pair: &Pair) -> Result<SpilledRefresh> {
        let (row, seals) = (&self.claimed.connection, &self.engine.seams.seals);
        let (before, place) = (self.place(row.generation), self.place(row.generation + 1));
        let refresh = match self.refresh_tokens() {
            Some(several) => Some(seals.seal_refresh_tokens(row.customer, place, several).await?),
            None => self.seal_one_renewal().await?,
        };
        let further = self.several.with(pair);
        let access = match (&self.grant, &row.access) {
            (Some(grant), _) => seals.seal_access(row.customer, place, grant, further).await?,
            (None, Some(kept)) => seals.move_access(row.customer, before, place, kept, further).await?,
            (None, None) => return Err(Error::missing("an access token to keep")),
        };
        let grant = self.grant.as_ref();
        let came = self.granted.is_some();
        let mut detail = if came { self.detail(REFRESHED, pair.why) } else { self.failed(pair.why) };
        let rotated = self.alone.is_some() || self.granted.is_some_and(|granted| granted.rotated);
        detail["rotated"] = json!(rotated);
        detail["expires_in"] = json!(pair.expires_at.map(|end| (end - pair.refreshed_at).num_seconds()));
        detail["next_refresh_at"] = json!(pair.next_refresh_at.map(told));
        let scopes = grant.and_then(|grant| grant.granted_scopes.as_ref());
        if let Some(change) = scopes.and_then(|scopes| scope_change(row, scopes)) {
            detail["scope_changed"] = change;
        }
        Ok(SpilledRefresh {
            environment: row.environment,
            connection: row.id,
            attempt: self.claimed.attempt,
            family: row.family,
            parent_generation: row.generation,
            access,
            refresh,
            previous_refresh: row.refresh.clone().filter(|_| pair.keeps_previous),
            refreshed_at: pair.refreshed_at,
            expires_at: pair.expires_at,
            next_refresh_at: pair.next_refresh_at,
            grant_expires_at: pair.deadlines.grant_expires_at,
            refresh_idle_at: pair.deadlines.refresh_idle_at,
            // Left out of the reply to a refresh, the scopes are what they were (RFC 6749 section 6).
            granted_scopes: scopes.or(row.granted_scopes.as_ref()).cloned(),
            detail,
        })
    }

    /// What one token is renewed with: the new refresh token, or else what was sent.
    async fn seal_one_renewal(&self) -> Result<Option<Sealed>> {
        let (row, seals) = (&self.claimed.connection, &self.engine.seams.seals);
        let place = self.place(row.generation + 1);
        let newer = self.alone.as_ref().or_else(|| self.grant.as_ref()?.refresh_token.as_ref());
        Ok(match (newer, &self.credential) {
            (Some(token), _) | (None, Some(Renewal::RefreshToken(token))) => {
                Some(seals.seal_refresh(row.customer, place, token).await?)
            }
            (None, Some(Renewal::Credentials(given))) => {
                Some(seals.seal_credentials(row.customer, place, given).await?)
            }
            (None, Some(Renewal::Several(_))) => return Err(Error::missing("the one token whose turn it was")),
            (None, None) => None,
        })
    }

    pub(super) async fn commit(&mut self) -> Result<Option<Event>> {
        let pair = self.pair.as_ref().ok_or_else(|| Error::missing("a spilled pair"))?;
        let event = self.line(EventKind::Refreshed, pair.detail.clone());
        let ledger = &self.engine.seams.ledger;
        known_bad!(PublishBeforePersist => return Ok(Some(crate::known_bad::store_later(ledger, pair.result(), event))));
        let outcome = ledger.refresh_commit(&pair.result(), event).await;
        if let Err(error) = &outcome
            && error.is_unavailable()
        {
            tracing::warn!(connection = %pair.connection, %error, "the database is away at a commit; trying again");
        }
        Ok(Some(Event::Committed(outcome?)))
    }

    pub(super) async fn revoke_pair(&mut self) -> Result<Option<Event>> {
        let pair = self.pair.as_ref().ok_or_else(|| Error::missing("a spilled pair"))?;
        self.engine.seams.late.revoke(pair).await?;
        Ok(Some(Event::Recorded))
    }

    pub(super) async fn settle(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.engine.seams.spill.settle(ticket).await;
        }
    }
}
