//! Which connections are used at all: noted coarsely, because a write for each fetch would cost more than the fetch.

use crate::sql::Sql;
use crate::{Result, Store, time};
use mortise_domain::{ConnectionId, Timestamp};
use std::time::Duration;

/// A use is not written while one within this time is.
const COARSE: Duration = Duration::from_secs(3_600);
/// How many are written by one statement.
const CHUNK: usize = 500;

impl Store {
    /// Notes that tokens of these connections were fetched. One that was noted within the hour is not written again;
    /// answers how many were.
    pub async fn connections_mark_used(&self, used: &[ConnectionId], now: Timestamp) -> Result<u64> {
        let mut used = used.to_vec();
        used.sort_unstable();
        used.dedup();
        let (mut written, now) = (0, time::to_millis(now));
        for chunk in used.chunks(CHUNK) {
            let update = Sql::new(self.dialect, "UPDATE connections SET used_at = ")
                .bind(now)
                .text(" WHERE id IN (")
                .list(chunk.iter().map(|id| id.as_uuid()))
                .with(") AND (used_at IS NULL OR used_at <= ", now - time::millis_of(COARSE))
                .text(")");
            written += self.write(update.build()).await?.rows_affected();
        }
        Ok(written)
    }
}
