//! Warnings before a grant ends for good: whose are due, and that they were given.

use crate::events::{self, NewEvent};
use crate::row::Reading;
use crate::sql::Sql;
use crate::transaction::transact;
use crate::{Page, Result, Store, time};
use mortise_domain::{ConnectionId, ConnectionState, EnvironmentKey, Timestamp, WARNING_DAYS};
use sea_orm::{ConnectionTrait as _, QueryResult};
use uuid::Uuid;

const DAY: i64 = 86_400_000;

/// A connection whose grant ends soon and whose people have not been told as they should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReauthDue {
    /// Where it belongs.
    pub environment: EnvironmentKey,
    /// Which one.
    pub id: ConnectionId,
    /// Which of its grants.
    pub family: i32,
    /// When the provider gave it.
    pub granted_at: Timestamp,
    /// When it ends.
    pub grant_expires_at: Timestamp,
    /// The last warning: how many days ahead it told of.
    pub warned: Option<i32>,
}

impl Store {
    /// A page of the active connections of every environment for which [`mortise_domain::reauth_warning`] has a warning at
    /// `now`.
    pub async fn connections_reauth_due(&self, now: Timestamp, page: Page) -> Result<(Vec<ReauthDue>, Option<Uuid>)> {
        let rows = self.db.query_all_raw(self.reauth_due(time::to_millis(now), page).build()).await?;
        let rows: Vec<ReauthDue> = rows.iter().map(read).collect::<Result<_>>()?;
        Ok(page.cut(rows, |row| row.id.as_uuid()))
    }

    pub(crate) fn reauth_due(&self, now: i64, page: Page) -> Sql {
        let columns = "SELECT id, environment_id, family, granted_at, grant_expires_at, reauth_warned FROM connections";
        let first = WARNING_DAYS.into_iter().max().unwrap_or_default();
        let mut select = Sql::new(self.dialect, columns)
            .text(&self.dialect.by_index("connections_by_grant_end"))
            .with(" WHERE grant_expires_at > ", now)
            .with(" AND grant_expires_at <= ", now + i64::from(first) * DAY)
            .with(" AND state = ", ConnectionState::Active.as_str());
        for (index, days) in WARNING_DAYS.into_iter().enumerate() {
            let before = i64::from(days) * DAY;
            select = select
                .with(if index == 0 { " AND (grant_expires_at <= " } else { " OR grant_expires_at <= " }, now + before)
                .with(" AND grant_expires_at - granted_at >= ", 2 * before)
                .with(" AND (reauth_warned IS NULL OR reauth_warned > ", days)
                .text(")");
        }
        select = select.text(")");
        if let Some(after) = page.after {
            select = select.with(" AND id > ", after);
        }
        select.with(" ORDER BY id LIMIT ", i64::try_from(page.fetch()).unwrap_or(i64::MAX))
    }

    /// Notes that a warning of `days` days was given, with its event; `false` when the connection is not what was seen any
    /// more, or somebody else gave the warning.
    pub async fn connection_reauth_warned(&self, due: &ReauthDue, days: i32, event: NewEvent) -> Result<bool> {
        let event = event.row(due.id);
        transact!(self, tx, {
            let update = Sql::new(self.dialect, "UPDATE connections SET reauth_warned = ")
                .bind(days)
                .with(" WHERE id = ", due.id.as_uuid())
                .with(" AND environment_id = ", due.environment.as_uuid())
                .with(" AND family = ", due.family)
                .with(" AND grant_expires_at = ", time::to_millis(due.grant_expires_at))
                .with(" AND state = ", ConnectionState::Active.as_str());
            let update = match due.warned {
                Some(warned) => update.with(" AND reauth_warned = ", warned),
                None => update.text(" AND reauth_warned IS NULL"),
            };
            if tx.execute_raw(update.build()).await?.rows_affected() == 0 {
                return Ok(false);
            }
            events::append(tx, vec![event.clone()]).await?;
            Ok(true)
        })
    }
}

fn read(row: &QueryResult) -> Result<ReauthDue> {
    let id: Uuid = row.try_get("", "id")?;
    let reading = Reading { table: "connections", row: id };
    Ok(ReauthDue {
        environment: EnvironmentKey::from_uuid(row.try_get("", "environment_id")?),
        id: ConnectionId::from_uuid(id),
        family: row.try_get("", "family")?,
        granted_at: reading.time("granted_at", row.try_get("", "granted_at")?)?,
        grant_expires_at: reading.time("grant_expires_at", row.try_get("", "grant_expires_at")?)?,
        warned: row.try_get("", "reauth_warned")?,
    })
}
