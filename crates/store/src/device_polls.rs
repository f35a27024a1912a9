//! Device flows (RFC 8628): attempts that no callback ends, with the time at which the provider is asked next.
//!
//! Invariant: a poll is claimed by moving its time past the longest request, so that of any number of workers one asks, and
//! one that dies is followed by another. Times are the database's. What ended is never asked about again.

use crate::entity::authorization_attempts::{ActiveModel, Entity, Model};
use crate::row::Reading;
use crate::sql::Sql;
use crate::transaction::transact;
use crate::{Attempt, Result, Store, StoreError, time};
use mortise_domain::{AttemptId, EnvironmentKey, Sealed, Timestamp};
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _};
use std::time::Duration;
use uuid::Uuid;

/// A device flow as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevicePoll {
    /// Seconds between two questions (RFC 8628 section 3.2).
    pub interval: u32,
    /// When the provider is asked next; `None`: it has answered.
    pub poll_at: Option<Timestamp>,
    /// SHA-256 of the completion code that the browser can work out, for the finisher check.
    pub completion_digest: [u8; 32],
    /// Why it came to nothing: a short word.
    pub failure: Option<String>,
}

/// A device flow that is this process's for a while.
#[derive(Debug)]
pub struct ClaimedPoll {
    /// The attempt.
    pub attempt: Attempt,
    /// Its poll; `poll_at` is the end of the claim, by which it is known again.
    pub poll: DevicePoll,
}

impl Store {
    /// Stores a new attempt that is polled for, at first after `interval` seconds.
    pub async fn device_begin(&self, attempt: &Attempt, interval: u32, completion_digest: &[u8; 32]) -> Result<()> {
        transact!(self, tx, {
            let row = ActiveModel::try_from(attempt)?;
            let inserted = Entity::insert(row).exec_without_returning(tx).await;
            inserted.map(drop).map_err(StoreError::on_insert("authorization attempt"))?;
            let insert = Sql::new(
                self.dialect,
                "INSERT INTO device_polls (attempt_id, environment_id, interval_seconds, completion_digest, poll_at) VALUES (",
            )
            .list([sea_orm::Value::from(attempt.id.as_uuid()), attempt.environment.as_uuid().into()])
            .with(", ", i32::try_from(interval).unwrap_or(i32::MAX))
            .with(", ", completion_digest.to_vec())
            .text(", ")
            .text(self.dialect.now())
            .with(" + ", time::millis_of(Duration::from_secs(interval.into())))
            .text(")");
            tx.execute_raw(insert.build()).await?;
            Ok(())
        })
    }

    /// Takes at most `limit` flows whose time has come, for `lease`.
    pub async fn device_claim(&self, limit: u32, lease: Duration) -> Result<Vec<ClaimedPoll>> {
        transact!(self, tx, {
            let now = self.dialect.now();
            let due = Sql::new(self.dialect, "SELECT attempt_id, interval_seconds, completion_digest, ")
                .text(now)
                .text(" AS db_now FROM device_polls WHERE poll_at <= ")
                .text(now)
                .with(" ORDER BY poll_at LIMIT ", i64::from(limit))
                .text(self.dialect.skip_locked());
            let rows = tx.query_all_raw(due.build()).await?;
            let mut claimed = Vec::with_capacity(rows.len());
            for row in rows {
                let id: Uuid = row.try_get("", "attempt_id")?;
                let reading = Reading { table: "device_polls", row: id };
                let until = row.try_get::<i64>("", "db_now")?.saturating_add(time::millis_of(lease));
                let update = Sql::new(self.dialect, "UPDATE device_polls SET poll_at = ").bind(until);
                tx.execute_raw(update.with(" WHERE attempt_id = ", id).build()).await?;
                let Some(attempt) = Entity::find_by_id(id).one(tx).await? else { continue };
                let interval: i32 = row.try_get("", "interval_seconds")?;
                let completion_digest: Vec<u8> = row.try_get("", "completion_digest")?;
                let read = || {
                    Ok::<_, StoreError>(ClaimedPoll {
                        attempt: Attempt::try_from(attempt)?,
                        poll: DevicePoll {
                            interval: u32::try_from(interval).unwrap_or_default(),
                            poll_at: Some(reading.time("poll_at", until)?),
                            completion_digest: reading.digest("completion_digest", completion_digest)?,
                            failure: None,
                        },
                    })
                };
                match read() {
                    Ok(flow) => claimed.push(flow),
                    Err(error) => {
                        tracing::error!(attempt = %id, error = ?error, "a device flow does not read and is not asked about");
                    }
                }
            }
            Ok(claimed)
        })
    }

    /// Plans the next question, `interval` seconds from now; `false` when the claim was lost in the meantime.
    pub async fn device_poll_again(&self, claimed: &ClaimedPoll, interval: u32) -> Result<bool> {
        let update = Sql::new(self.dialect, "UPDATE device_polls SET interval_seconds = ")
            .bind(i32::try_from(interval).unwrap_or(i32::MAX))
            .text(", poll_at = ")
            .text(self.dialect.now())
            .with(" + ", time::millis_of(Duration::from_secs(interval.into())));
        Ok(self.write(of(update, claimed).build()).await?.rows_affected() == 1)
    }

    /// No further question: with `failure`, or without it once there is a grant. `false` when the claim was lost.
    pub async fn device_poll_end(&self, claimed: &ClaimedPoll, failure: Option<&str>) -> Result<bool> {
        let cut = failure.map(|word| word.chars().take(64).collect::<String>());
        let update = Sql::new(self.dialect, "UPDATE device_polls SET poll_at = NULL, failure = ").bind(cut);
        Ok(self.write(of(update, claimed).build()).await?.rows_affected() == 1)
    }

    /// An attempt and its poll, ended ones too; `None` where there is no such device flow.
    pub async fn device_flow(
        &self,
        environment: EnvironmentKey,
        id: AttemptId,
    ) -> Result<Option<(Attempt, DevicePoll)>> {
        use crate::entity::authorization_attempts::Column;
        let attempt = Entity::find_by_id(id.as_uuid()).filter(Column::EnvironmentId.eq(environment.as_uuid()));
        let Some(attempt) = attempt.one(&self.db).await? else { return Ok(None) };
        let select =
            Sql::new(self.dialect, "SELECT interval_seconds, poll_at, completion_digest, failure FROM device_polls")
                .with(" WHERE attempt_id = ", id.as_uuid());
        let Some(row) = self.db.query_one_raw(select.build()).await? else { return Ok(None) };
        let reading = Reading { table: "device_polls", row: id.as_uuid() };
        let poll = DevicePoll {
            interval: u32::try_from(row.try_get::<i32>("", "interval_seconds")?).unwrap_or_default(),
            poll_at: reading.some_time("poll_at", row.try_get("", "poll_at")?)?,
            completion_digest: reading.digest("completion_digest", row.try_get("", "completion_digest")?)?,
            failure: row.try_get("", "failure")?,
        };
        Ok(Some((Attempt::try_from(attempt)?, poll)))
    }

    /// Grants of device flows that nobody has claimed in time by the finisher check, each taken away so that it is answered
    /// once, with what was sealed.
    pub async fn device_grants_abandoned(&self, limit: u32) -> Result<Vec<(Attempt, Sealed)>> {
        transact!(self, tx, {
            let due = Sql::new(self.dialect, "SELECT authorization_attempts.* FROM authorization_attempts")
                .text(" JOIN device_polls ON device_polls.attempt_id = authorization_attempts.id")
                .text(" WHERE authorization_attempts.code IS NOT NULL AND authorization_attempts.code_expires_at < ")
                .text(self.dialect.now())
                .with(" LIMIT ", i64::from(limit))
                .text(self.dialect.skip_locked());
            let mut abandoned = Vec::new();
            for row in tx.query_all_raw(due.build()).await? {
                let model = <Model as sea_orm::FromQueryResult>::from_query_result(&row, "")?;
                let take =
                    Sql::new(self.dialect, "UPDATE authorization_attempts SET code = NULL, completion_digest = NULL")
                        .with(" WHERE id = ", model.id);
                tx.execute_raw(take.build()).await?;
                let id = model.id;
                match Attempt::try_from(model) {
                    Ok(mut attempt) => {
                        if let Some(code) = attempt.code.take() {
                            abandoned.push((attempt, code));
                        }
                    }
                    Err(error) => {
                        tracing::error!(attempt = %id, error = ?error, "a device flow does not read, and its grant is not given back");
                    }
                }
            }
            Ok(abandoned)
        })
    }
}

/// Where the claim still stands.
fn of(update: Sql, claimed: &ClaimedPoll) -> Sql {
    let until = claimed.poll.poll_at.map(time::to_millis).unwrap_or_default();
    update.with(" WHERE attempt_id = ", claimed.attempt.id.as_uuid()).with(" AND poll_at = ", until)
}
