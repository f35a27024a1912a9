//! Warnings ahead of a grant's known end: thirty days, a week and a day before, so that nobody learns of it from a failure.

use crate::timeline::{line, told};
use crate::{Broker, Result};
use mortise_domain::{EventKind, reauth_warning};
use mortise_store::{Page, ReauthDue};
use serde_json::json;

/// How many grants one look takes.
const AT_ONCE: u64 = 100;

impl Broker {
    /// Writes the warnings that are due into the timelines; answers how many.
    pub async fn warn_of_ends(&self) -> Result<usize> {
        let (mut warned, mut after) = (0, None);
        loop {
            let page = Page { limit: AT_ONCE, after };
            let (rows, next) = self.store.connections_reauth_due(self.clock.now(), page).await?;
            for row in &rows {
                warned += usize::from(self.warn(row).await?);
            }
            after = next;
            if after.is_none() {
                return Ok(warned);
            }
        }
    }

    async fn warn(&self, row: &ReauthDue) -> Result<bool> {
        let now = self.clock.now();
        let Some(days) = reauth_warning(now, row.granted_at, row.grant_expires_at, row.warned) else {
            return Ok(false);
        };
        let detail = json!({"grant_expires_at": told(row.grant_expires_at), "days": days});
        let event = line(&*self.clock, &*self.entropy, EventKind::ReauthDue, detail);
        let warned = self.store.connection_reauth_warned(row, days, event).await?;
        if warned {
            tracing::warn!(connection = %row.id, days, "a grant ends soon: the customer should connect again");
            metrics::counter!("mortise_reauth_warnings_total", "days" => days.to_string()).increment(1);
        }
        Ok(warned)
    }
}
