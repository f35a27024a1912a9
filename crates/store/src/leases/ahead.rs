//! What a claim does not look for: what is held, what has enough, and what is behind closed gates.

use super::ClaimRoom;
use crate::sql::Sql;
use mortise_domain::gate::{Ask, Gate, GateId, Permit, Why, permit};
use mortise_domain::{AppKey, ConnectionId, ConnectorKey, CustomerKey, Timestamp};
use std::time::Duration;

/// When to look again where somebody spreads what is due; nobody knows when that ends.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What is not looked for.
#[derive(Debug, Default)]
pub(crate) struct Besides {
    /// Connections at these apps.
    pub(crate) apps: Vec<AppKey>,
    /// Connections at all apps of these connectors.
    pub(crate) providers: Vec<ConnectorKey>,
    /// Those of them that were tried before.
    pub(crate) retries_of: Vec<ConnectorKey>,
    /// Connections of these customers.
    pub(crate) customers: Vec<CustomerKey>,
    /// These.
    pub(crate) rows: Vec<ConnectionId>,
}

impl Besides {
    pub(super) fn sql(&self, mut sql: Sql) -> Sql {
        let uuids = |keys: &[ConnectorKey]| keys.iter().map(|key| key.as_uuid()).collect::<Vec<_>>();
        if !self.apps.is_empty() {
            sql = sql.text(" AND app_id NOT IN (").list(self.apps.iter().map(|app| app.as_uuid())).text(")");
        }
        if !self.providers.is_empty() {
            sql = sql.text(" AND app_id NOT IN (SELECT id FROM apps WHERE connector_id IN (");
            sql = sql.list(uuids(&self.providers)).text("))");
        }
        if !self.retries_of.is_empty() {
            sql = sql.text(" AND (failures = 0 AND suspicions = 0 AND attempt_id IS NULL OR app_id NOT IN");
            sql = sql.text(" (SELECT id FROM apps WHERE connector_id IN (").list(uuids(&self.retries_of)).text(")))");
        }
        if !self.customers.is_empty() {
            let customers = self.customers.iter().map(|customer| customer.as_uuid());
            sql = sql.text(" AND customer_id NOT IN (").list(customers).text(")");
        }
        if !self.rows.is_empty() {
            sql = sql.text(" AND connections.id NOT IN (").list(self.rows.iter().map(|row| row.as_uuid())).text(")");
        }
        sql
    }
}

/// What a gate that lets nothing pass keeps out.
pub(super) fn keep_out(besides: &mut Besides, gate: GateId, why: Why) {
    fn add<T: PartialEq>(list: &mut Vec<T>, item: T) {
        if !list.contains(&item) {
            list.push(item);
        }
    }
    match gate {
        GateId::Provider(provider) if why == Why::Retries => add(&mut besides.retries_of, provider),
        GateId::Provider(provider) => add(&mut besides.providers, provider),
        GateId::App(app) => add(&mut besides.apps, app),
    }
}

/// What is known before anything is locked.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    pub(super) besides: Besides,
    pub(super) gated: Option<Timestamp>,
    /// The gates that have to be locked: what is behind the others is not looked for.
    pub(crate) to_ask: Vec<GateId>,
}

impl Ahead {
    /// Looks at gates as they stood at `now`.
    pub(crate) fn new(room: &ClaimRoom<'_>, gates: &[Gate], now: Timestamp) -> Self {
        let full = room.rooms.iter().filter(|(_, room)| *room == 0);
        let providers = full.map(|(provider, _)| *provider).collect();
        let mut ahead =
            Self { besides: Besides { apps: room.held.to_vec(), providers, ..Besides::default() }, ..Self::default() };
        for gate in gates {
            if let (GateId::Provider(_), Some(_)) = (gate.id, gate.spreading(now)) {
                ahead.keep_out(gate.id, Why::Full, now + LOOK_AGAIN);
                continue;
            }
            match permit(&mut [(&mut gate.clone(), 0)], now, Ask::First) {
                Permit::Go if gate.is_to_ask(now) => ahead.to_ask.push(gate.id),
                Permit::Go => {}
                Permit::Wait { until, why, .. } => ahead.keep_out(gate.id, why, until),
            }
        }
        ahead
    }

    fn keep_out(&mut self, gate: GateId, why: Why, until: Timestamp) {
        keep_out(&mut self.besides, gate, why);
        self.gated = Some(self.gated.map_or(until, |gated| gated.min(until)));
    }
}
