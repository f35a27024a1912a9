//! How often one connection may be renewed, where its provider counts: by the attempts that its timeline tells of.
//!
//! Whoever counts holds the connection's lock, and every attempt is written there before it is sent, so the count is exact
//! for all processes. An attempt that was never sent counts too: that errs on the provider's side.

use super::take::Free;
use crate::sql::Sql;
use crate::{Result, Store, time};
use mortise_domain::gate::{Gate, GateId, Rate};
use mortise_domain::{ConnectionId, ConnectorKey, EventKind, Timestamp};
use sea_orm::{ConnectionTrait as _, DatabaseTransaction};
use std::collections::BTreeMap;

/// The providers that count, and what they allow.
#[derive(Debug, Default)]
pub(crate) struct Mints(BTreeMap<ConnectorKey, Rate>);

impl Mints {
    pub(crate) fn of(gates: &[Gate]) -> Self {
        let counting = gates.iter().filter_map(|gate| match gate.id {
            GateId::Provider(provider) => Some((provider, gate.limits.mint?)),
            GateId::App(_) => None,
        });
        Self(counting.collect())
    }

    pub(crate) fn at(&self, provider: ConnectorKey) -> Option<Rate> {
        self.0.get(&provider).copied()
    }
}

impl Store {
    /// Those of `free` that may be renewed now. The others are given the time at which they may.
    pub(super) async fn that_may_be_minted(
        &self,
        tx: &DatabaseTransaction,
        free: Vec<Free>,
        mints: &Mints,
    ) -> Result<Vec<Free>> {
        let mut may = Vec::with_capacity(free.len());
        for row in free {
            match self.mints_until(tx, &row, mints).await? {
                None => may.push(row),
                Some(until) => {
                    let update = Sql::new(self.dialect, "UPDATE connections SET next_refresh_at = ")
                        .bind(time::to_millis(until))
                        .with(" WHERE id = ", row.connection.id.as_uuid());
                    tx.execute_raw(update.build()).await?;
                }
            }
        }
        Ok(may)
    }

    /// Until when a connection has been renewed as often as it may be.
    pub(super) async fn mints_until(
        &self,
        tx: &DatabaseTransaction,
        row: &Free,
        mints: &Mints,
    ) -> Result<Option<Timestamp>> {
        let Some(rate) = mints.at(row.provider) else { return Ok(None) };
        let nth_last = tx.query_one_raw(self.nth_last_attempt(row.connection.id, rate.requests).build()).await?;
        let at: Option<i64> = nth_last.map(|line| line.try_get("", "at")).transpose()?;
        Ok(rate.slides(at.and_then(time::from_millis), row.now))
    }

    fn nth_last_attempt(&self, connection: ConnectionId, nth: u32) -> Sql {
        Sql::new(self.dialect, "SELECT at FROM events WHERE connection_id = ")
            .bind(connection.as_uuid())
            .with(" AND kind = ", EventKind::RefreshStarted.as_str())
            .with(" ORDER BY id DESC LIMIT 1 OFFSET ", i64::from(nth.max(1)) - 1)
    }
}
