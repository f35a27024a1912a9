//! What the provider's oracle says of what is stored: the only judge of losses and duplicates.

use crate::provider::Provider;
use crate::template::{Template, all, place, unwrap};
use anyhow::{Result, ensure};
use mortise_domain::{DataKeyId, Sealed};
use mortise_vault::{Field, data_key_of};
use sea_orm::DatabaseConnection;
use uuid::Uuid;

/// One look at everything. Take it when nothing is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Connections that were looked at.
    pub(crate) connections: u64,
    /// Refreshes that the provider granted.
    pub(crate) granted: u64,
    /// Refreshes that are stored.
    pub(crate) stored: u64,
    /// Connections whose stored refresh token the provider would refuse, or is not the newest of its grant.
    pub(crate) lost: u64,
    /// Connections that are not active any more.
    pub(crate) given_up: u64,
    /// Spent refresh tokens that were presented again.
    pub(crate) reuses: u64,
    /// Requests that arrived while another with the same refresh token was in flight.
    pub(crate) overlaps: u64,
}

impl Verdict {
    /// Opens every stored refresh token of the template's app, but for the template's own, and shows it to the oracle.
    pub(crate) async fn of(database: &DatabaseConnection, template: &Template, provider: &Provider) -> Result<Self> {
        let sql = "SELECT c.id, c.state, c.generation, c.refresh_token, k.key_encryption_key, k.wrapped, k.id AS key_id \
                   FROM connections c JOIN data_keys k ON k.owner = c.customer_id WHERE c.app_id = $1 AND c.id <> $2";
        let rows = all(database, sql, [template.app.into(), template.connection.into()]).await?;
        let totals = provider.totals();
        // Each grant was issued once before anybody refreshed it.
        let granted = totals.issued - totals.grants as u64;
        let (reuses, overlaps) = (totals.reuse_events, totals.overlaps);
        let mut seen = Self { connections: 0, granted, stored: 0, lost: 0, given_up: 0, reuses, overlaps };
        for row in rows {
            let (id, generation): (Uuid, i64) = (row.try_get("", "id")?, row.try_get("", "generation")?);
            let sealed = Sealed::from_bytes(row.try_get::<Vec<u8>>("", "refresh_token")?);
            let key_id = DataKeyId::from_uuid(row.try_get("", "key_id")?);
            ensure!(data_key_of(&sealed)? == key_id, "{id}: sealed under another key than its customer's");
            let key = unwrap(&template.keyring, key_id, &row)?;
            let token = key.open(&place(template.environment, id, Field::RefreshToken, generation), &sealed)?;
            let check = provider.check(std::str::from_utf8(&token)?);
            seen.connections += 1;
            seen.stored += u64::try_from(generation - template.generation)?;
            seen.lost += u64::from(!(check.alive && check.newest));
            seen.given_up += u64::from(row.try_get::<String>("", "state")? != "active");
        }
        Ok(seen)
    }

    /// Refreshes beyond those that are stored, and tokens presented twice, at once or one after the other.
    pub(crate) const fn duplicates(&self) -> u64 {
        self.granted.abs_diff(self.stored) + self.reuses + self.overlaps
    }

    /// Whether nothing was lost, given up or done twice.
    pub(crate) const fn is_clean(&self) -> bool {
        self.duplicates() + self.lost + self.given_up == 0
    }

    /// In a sentence.
    pub(crate) fn told(&self) -> String {
        let Self { connections, granted, stored, lost, given_up, reuses, overlaps } = self;
        format!(
            "The provider's oracle on {connections} connections: {granted} rotations granted, {stored} stored, {reuses} spent \
             refresh tokens presented again, {overlaps} presented in two requests at once, {lost} stored refresh tokens that \
             it would refuse, {given_up} connections given up."
        )
    }
}
