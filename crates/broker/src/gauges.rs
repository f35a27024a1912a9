//! What a person on watch wants to see of the queue, taken from the database now and then.

use crate::{Broker, Result};

impl Broker {
    /// Measures the backlog, what is held back, and what waits on disk.
    pub async fn measure(&self) -> Result<usize> {
        let due = self.store.due_stats().await?;
        metrics::gauge!("mortise_refresh_due").set(due.due as f64);
        metrics::gauge!("mortise_refresh_oldest_overdue_seconds").set(due.oldest_overdue.as_secs_f64());
        metrics::gauge!("mortise_leases_lapsed").set(due.lapsed_leases as f64);
        metrics::gauge!("mortise_apps_held").set(due.held_apps as f64);
        Ok(0)
    }
}
