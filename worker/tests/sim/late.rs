//! Where pairs go that belong to nobody: into the queue of the books, and from there to the provider.

use crate::dice::Dice;
use crate::ledger::ProcessLedger;
use crate::scenario::Bug;
use crate::trace::What;
use async_trait::async_trait;
use mortise_broker::{Error, LateReplies, Place, SpilledRefresh};
use mortise_domain::{EventId, EventKind, RevocationId};
use mortise_sandbox::TokenId;
use mortise_store::{Ledger as _, NewEvent, NewRevocation};
use serde_json::json;
use std::sync::Arc;

/// One process's way to send something back.
pub struct ProcessLate {
    pub ledger: Arc<ProcessLedger>,
    pub dice: Dice,
}

#[async_trait]
impl LateReplies for ProcessLate {
    async fn revoke(&self, pair: &SpilledRefresh) -> Result<(), Error> {
        let (ledger, clock) = (&self.ledger, &*self.ledger.trace.clock);
        if ledger.bug == Some(Bug::LateRepliesDropped) {
            return Ok(());
        }
        let Some(row) = ledger.connection_get(pair.environment, pair.connection).await? else { return Ok(()) };
        let generation = pair.parent_generation + 1;
        let place = Place { environment: pair.environment, connection: pair.connection, generation };
        let token = ledger.boxed.refresh(place, pair.refresh.as_ref());
        let revocation = NewRevocation {
            id: RevocationId::generate(clock, &self.dice),
            environment: pair.environment,
            connection: pair.connection,
            app: row.app,
            connector_version: row.connector_version,
            variables: row.variables.clone(),
            refresh: pair.refresh.clone(),
            access: Some(pair.access.clone()),
            due_at: mortise_domain::Clock::now(clock),
        };
        let event = NewEvent {
            id: EventId::generate(clock, &self.dice),
            kind: EventKind::LateReply,
            at: mortise_domain::Clock::now(clock),
            detail: json!({"attempt": pair.attempt}),
        };
        ledger.revocation_enqueue(revocation, event).await?;
        let model = &ledger.providers.model;
        if let Some(grant) = token.as_ref().and_then(|token| model.check(token.expose()).family) {
            model.end_grant(grant).unwrap();
        }
        ledger.trace.note(What::SentBack {
            process: ledger.life.number,
            connection: pair.connection,
            refresh: token.map(|token| TokenId::of(token.expose())),
        });
        Ok(())
    }
}
