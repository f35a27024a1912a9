//! A ledger with an app and a customer, and what tests do with it whatever keeps it.

use crate::world::{at, event, id, sealed, terms};
use mortise_domain::*;
use mortise_store::*;
use std::collections::BTreeMap;
use std::sync::Arc;

pub struct Book {
    pub ledger: Arc<dyn Ledger>,
    pub env: EnvironmentKey,
    pub app_key: AppKey,
    pub provider_key: ConnectorKey,
    pub customer_key: CustomerKey,
}

impl Book {
    pub fn grant(&self, next_refresh_at: Option<Timestamp>) -> NewGrant {
        NewGrant {
            id: id!(ConnectionId),
            environment: self.env,
            customer: self.customer_key,
            app: self.app_key,
            connector_version: 1,
            reason: StateReason::Consented,
            replaces_family: None,
            generation: 1,
            access: sealed("access 1"),
            refresh: Some(sealed("refresh 1")),
            granted_at: at(1_700_000_000_100),
            expires_at: Some(at(1_700_003_600_000)),
            next_refresh_at,
            granted_scopes: None,
            requested_scopes: ScopeSet::parse("read write", " "),
            variables: BTreeMap::new(),
            grant_expires_at: None,
            refresh_idle_at: None,
        }
    }

    pub async fn store_grant(&self, grant: &NewGrant) {
        self.ledger.connection_store_grant(grant, event(EventKind::Connected), None).await.unwrap();
    }

    /// A stored connection that has been due since 1970.
    pub async fn due(&self) -> Connection {
        let grant = self.grant(Some(at(1_000)));
        self.store_grant(&grant).await;
        self.read(grant.id).await
    }

    pub async fn many_due(&self, count: i64) -> Vec<ConnectionId> {
        let mut ids = Vec::new();
        for n in 0..count {
            let grant = self.grant(Some(at(1_000 + n)));
            self.store_grant(&grant).await;
            ids.push(grant.id);
        }
        ids
    }

    pub async fn read(&self, id: ConnectionId) -> Connection {
        self.ledger.connection_get(self.env, id).await.unwrap().unwrap()
    }

    pub async fn claim(&self, limit: usize) -> Vec<Claimed> {
        claim(&*self.ledger, limit).await
    }

    pub async fn timeline(&self, id: ConnectionId) -> Vec<EventKind> {
        let page = Page { limit: 100, after: None };
        let events = self.ledger.event_list(self.env, id, page).await.unwrap().0;
        events.into_iter().rev().map(|event| event.kind).collect()
    }
}

pub async fn claim(ledger: &dyn Ledger, limit: usize) -> Vec<Claimed> {
    claim_on(ledger, &terms(id!(LeaseOwner)), limit).await
}

pub async fn claim_on(ledger: &dyn Ledger, terms: &ClaimTerms, limit: usize) -> Vec<Claimed> {
    claim_without(ledger, terms, limit, &[]).await
}

pub async fn claim_without(ledger: &dyn Ledger, terms: &ClaimTerms, limit: usize, held: &[AppKey]) -> Vec<Claimed> {
    let (attempts, events) = (&mut || id!(AttemptId), &mut || id!(EventId));
    ledger.connections_claim_due(terms, limit, held, attempts, events).await.unwrap()
}
