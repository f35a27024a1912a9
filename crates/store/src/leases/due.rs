//! The statements that find what may be claimed.

use super::pick::Besides;
use crate::Store;
use crate::dialect::Dialect;
use crate::sql::Sql;

impl Store {
    /// What is due, most overdue first.
    pub(super) fn due(&self, limit: usize, besides: &Besides) -> Sql {
        let due = self.free("connections_due").text(" AND next_refresh_at <= ").text(self.dialect.now());
        let due = besides.sql(due).with(" ORDER BY next_refresh_at LIMIT ", count(limit));
        due.text(self.dialect.skip_locked())
    }

    /// Of the `window` rows that became due last, those of others than `besides` names, most overdue first. Whoever is
    /// kept waiting by one customer's backlog became due after it; looking for them from the other end costs the same
    /// however long that backlog is.
    pub(super) fn newest(&self, limit: usize, window: usize, besides: &Besides) -> Sql {
        let now = self.dialect.now();
        // PostgreSQL would rather read the whole table than believe that so few rows come out of a subselect, unless they
        // come as an array; the others have no arrays.
        let (before, after) = match self.dialect {
            Dialect::Postgres => (" FROM connections WHERE id = ANY (ARRAY(", ")) AND "),
            Dialect::MySql | Dialect::Sqlite => {
                (" FROM (", ") AS newest JOIN connections ON connections.id = newest.late_id WHERE ")
            }
        };
        let late = self.select(before).text("SELECT late.id AS late_id FROM connections AS late");
        let late = late.text(&self.dialect.by_index("connections_due")).text(" WHERE ");
        let late = is_free(late, now).text(" AND next_refresh_at <= ").text(now);
        let late = late.with(" ORDER BY next_refresh_at DESC LIMIT ", count(window)).text(after);
        let newest = besides.sql(is_free(late, now)).with(" ORDER BY next_refresh_at LIMIT ", count(limit));
        newest.text(self.dialect.skip_locked())
    }

    /// What anybody may claim.
    pub(super) fn free(&self, index: &str) -> Sql {
        let select = self.select(" FROM connections").text(&self.dialect.by_index(index)).text(" WHERE ");
        is_free(select, self.dialect.now())
    }

    /// A connection with what a claim has to know beside it.
    pub(super) fn select(&self, from: &str) -> Sql {
        Sql::new(self.dialect, "SELECT connections.*, ")
            .text(self.dialect.now())
            .text(" AS db_now, (SELECT connector_id FROM apps WHERE apps.id = connections.app_id) AS provider")
            .text(from)
    }

    /// How much is under way, by app.
    pub(super) fn under_way(&self) -> Sql {
        let index = self.dialect.by_index("connections_leased");
        Sql::new(self.dialect, "SELECT app_id, connector_id AS provider, COUNT(*) AS requests FROM connections")
            .text(&index)
            .text(" JOIN apps ON apps.id = connections.app_id WHERE lease_until > ")
            .text(self.dialect.now())
            .text(" GROUP BY app_id, connector_id")
    }
}

/// What is active and nobody is at.
pub(super) fn is_free(sql: Sql, now: &str) -> Sql {
    sql.text("state = 'active' AND (lease_until IS NULL OR lease_until <= ")
        .text(now)
        .text(") AND (attempt_deadline IS NULL OR attempt_deadline <= ")
        .text(now)
        .text(")")
}

fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(1)
}
