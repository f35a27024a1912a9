//! What becomes of a refresh: its pair is stored, or its failure is.

pub(crate) mod together;

use crate::dialect::Dialect;
use crate::events::{self, NewEvent};
use crate::row::{short, write_object, write_scopes};
use crate::sql::Sql;
use crate::transaction::transact;
use crate::{Result, Store, time};
use mortise_domain::{
    AttemptId, ConnectionId, ConnectionState, EnvironmentKey, EventKind, ScopeSet, Sealed, Timestamp,
};
use sea_orm::ConnectionTrait;
use serde_json::json;
use std::time::Duration;

/// Ends of a grant that lie no further apart are one and the same, told twice.
const SAME_END: Duration = Duration::from_secs(86_400);

/// A pair that a refresh brought.
#[derive(Debug, Clone)]
pub struct RefreshResult {
    /// Where the connection belongs.
    pub environment: EnvironmentKey,
    /// Which one.
    pub id: ConnectionId,
    /// The attempt that brought it.
    pub attempt: AttemptId,
    /// The grant that was refreshed.
    pub family: i32,
    /// The pair that was spent; the new one is one more, and its ciphertexts are bound to that.
    pub parent_generation: i64,
    /// The access token, sealed.
    pub access: Sealed,
    /// The refresh token, sealed; `None` leaves the connection without one.
    pub refresh: Option<Sealed>,
    /// When it was asked for.
    pub refreshed_at: Timestamp,
    /// When the access token ends.
    pub expires_at: Option<Timestamp>,
    /// When the next refresh is due; `None`: never.
    pub next_refresh_at: Option<Timestamp>,
    /// What was granted; `None`: what was requested.
    pub granted_scopes: Option<ScopeSet>,
    /// When the grant ends whatever is done, as far as this reply tells; `None` leaves what is known.
    pub grant_expires_at: Option<Timestamp>,
    /// When the new refresh token ends unless it is used before; `None`: it is not known to.
    pub refresh_idle_at: Option<Timestamp>,
    /// The refresh token that was spent, still sealed for `parent_generation`, where it may still be good.
    pub previous_refresh: Option<Sealed>,
}

/// What became of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitOutcome {
    /// It is stored.
    Committed,
    /// It was stored before, by the same attempt.
    AlreadyCommitted,
    /// Another pair of the same grant is stored.
    GenerationMoved,
    /// The grant was replaced.
    FamilyMoved,
    /// The connection was ended, or is not there.
    Gone,
}

/// A refresh that brought no pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshFailed {
    /// Where the connection belongs.
    pub environment: EnvironmentKey,
    /// Which one.
    pub id: ConnectionId,
    /// The fence of the claim.
    pub fence: i64,
    /// When to try again.
    pub next_refresh_at: Timestamp,
    /// Failures in a row, this one with them.
    pub failures: i32,
    /// How it ended; cut at 255 characters.
    pub last_error: String,
    /// What is not known about it.
    pub doubt: Doubt,
    /// Refusals of the refresh token in a row that are not believed yet, this one with them.
    pub suspicions: i32,
    /// When the first of them was.
    pub suspected_at: Option<Timestamp>,
}

/// What is not known about a refresh that brought no pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Nothing: the provider did not look at the refresh token.
    None,
    /// Whether it was processed, by this attempt or one before it; but no request is under way any more.
    Processed,
    /// Whether it was processed, and whether it still will be: until its deadline nobody sends another.
    UnderWay,
    /// The same, but by then it is over for certain, which may be sooner.
    UnderWayUntil(Timestamp),
}

impl Store {
    /// Stores a pair with its event, in one transaction, if the connection still has the grant and the pair that were
    /// refreshed. Whose the lease is does not matter: a late reply is as good as an early one. Doing it again changes
    /// nothing. The event gets the attempt and the generation as details.
    pub async fn refresh_commit(&self, result: &RefreshResult, event: NewEvent) -> Result<CommitOutcome> {
        let event = self.with_proof(result, event);
        match self.dialect {
            Dialect::Postgres => self.commit_at_once(result, &event).await,
            Dialect::MySql => self.commit_alone(result, &event).await,
            Dialect::Sqlite => self.commit_together(together::Pair { result: result.clone(), event }).await,
        }
    }

    /// One statement for the pair and its line.
    async fn commit_at_once(&self, result: &RefreshResult, event: &NewEvent) -> Result<CommitOutcome> {
        let stored = self.write(self.pair_and_event(result, event).build()).await?.rows_affected() == 1;
        if stored { Ok(CommitOutcome::Committed) } else { self.why_not(&self.db, result).await }
    }

    /// A transaction for one pair.
    async fn commit_alone(&self, result: &RefreshResult, event: &NewEvent) -> Result<CommitOutcome> {
        let event = event.row(result.id);
        transact!(self, tx, {
            let update = self.pair(Sql::new(self.dialect, ""), result);
            if tx.execute_raw(update.build()).await?.rows_affected() == 0 {
                return self.why_not(tx, result).await;
            }
            events::append(tx, vec![event.clone()]).await?;
            Ok(CommitOutcome::Committed)
        })
    }

    /// Both in one statement, which is a transaction of its own: one round trip where a transaction takes four, for the
    /// write that there is most of.
    fn pair_and_event(&self, result: &RefreshResult, event: &NewEvent) -> Sql {
        self.pair(Sql::new(self.dialect, "WITH pair AS ("), result)
            .text(" RETURNING id) INSERT INTO events (connection_id, id, kind, at, detail) SELECT pair.id, ")
            .bind(event.id.as_uuid())
            .with(", ", event.kind.as_str())
            .with(", ", time::to_millis(event.at))
            .with(", ", write_object(&event.detail))
            .text(" FROM pair")
    }

    fn with_proof(&self, result: &RefreshResult, mut event: NewEvent) -> NewEvent {
        if !event.detail.is_object() {
            event.detail = json!({});
        }
        event.detail["attempt"] = json!(result.attempt);
        event.detail["generation"] = json!(result.parent_generation + 1);
        event
    }

    /// MariaDB assigns from left to right and later expressions see what earlier ones wrote: the state comes last. A
    /// connection that was given up and then gets a pair after all is active again; one that was switched off keeps the
    /// pair and stays off.
    fn pair(&self, begun: Sql, result: &RefreshResult) -> Sql {
        let at = time::to_millis(result.refreshed_at);
        let mut sql = begun
            .with("UPDATE connections SET generation = ", result.parent_generation + 1)
            .with(", access_token = ", result.access.as_bytes().to_vec())
            .with(", refresh_token = ", result.refresh.as_ref().map(|token| token.as_bytes().to_vec()))
            .with(", refreshed_at = ", at)
            .with(", expires_at = ", result.expires_at.map(time::to_millis))
            .with(", updated_at = ", at);
        sql = match result.granted_scopes.as_ref().map(write_scopes) {
            Some(granted) => sql
                .with(", granted_scopes = CASE WHEN requested_scopes = ", granted.clone())
                .with(" THEN NULL ELSE ", granted)
                .text(" END"),
            None => sql.text(", granted_scopes = NULL"),
        };
        if let Some(ends) = result.grant_expires_at {
            let ends = time::to_millis(ends);
            // A warning holds for the end that it told of; what is only counted anew to the second is the same end.
            sql = sql
                .with(", reauth_warned = CASE WHEN grant_expires_at >= ", ends - time::millis_of(SAME_END))
                .with(" THEN reauth_warned END, grant_expires_at = ", ends);
        }
        sql = sql.with(", refresh_idle_at = ", result.refresh_idle_at.map(time::to_millis)).with(
            ", previous_refresh_token = ",
            result.previous_refresh.as_ref().map(|token| token.as_bytes().to_vec()),
        );
        let sql = sql
            .text(", suspicions = 0, suspected_at = NULL, failures = 0, last_error = NULL, lease_owner = NULL, lease_until = NULL, attempt_id = NULL")
            .text(", attempt_deadline = NULL, fence = fence + 1")
            .with(
                ", next_refresh_at = CASE WHEN state IN ('active', 'needs_reauth') THEN ",
                result.next_refresh_at.map(time::to_millis),
            )
            .text(
                " ELSE NULL END, state_reason = CASE state WHEN 'needs_reauth' THEN 'consented' ELSE state_reason END",
            )
            .with(", state_since = CASE state WHEN 'needs_reauth' THEN ", at)
            .text(" ELSE state_since END, state = CASE state WHEN 'needs_reauth' THEN 'active' ELSE state END")
            .with(" WHERE id = ", result.id.as_uuid())
            .with(" AND environment_id = ", result.environment.as_uuid())
            .text(" AND state <> 'revoked'");
        known_bad!(UnconditionalOverwrite => return sql);
        known_bad!(CasOnLease => return sql.with(" AND lease_owner IS NOT NULL AND attempt_id = ", result.attempt.as_uuid()));
        sql.with(" AND family = ", result.family).with(" AND generation = ", result.parent_generation)
    }

    async fn why_not(&self, db: &impl ConnectionTrait, result: &RefreshResult) -> Result<CommitOutcome> {
        if self.is_proven(db, result).await? {
            return Ok(CommitOutcome::AlreadyCommitted);
        }
        let select = Sql::new(self.dialect, "SELECT state, family FROM connections WHERE id = ")
            .bind(result.id.as_uuid())
            .with(" AND environment_id = ", result.environment.as_uuid());
        let Some(row) = db.query_one_raw(select.build()).await? else { return Ok(CommitOutcome::Gone) };
        if row.try_get::<String>("", "state")? == ConnectionState::Revoked.as_str() {
            return Ok(CommitOutcome::Gone);
        }
        let same_family = row.try_get::<i32>("", "family")? == result.family;
        Ok(if same_family { CommitOutcome::GenerationMoved } else { CommitOutcome::FamilyMoved })
    }

    /// The timeline is written with the pair or not at all, so it knows every attempt that was ever committed, however
    /// many came after it.
    async fn is_proven(&self, db: &impl ConnectionTrait, result: &RefreshResult) -> Result<bool> {
        let select = Sql::new(self.dialect, "SELECT 1 FROM events WHERE connection_id = ")
            .bind(result.id.as_uuid())
            .with(" AND kind IN (", EventKind::Refreshed.as_str())
            .with(", ", EventKind::Recovered.as_str())
            .with(") AND detail LIKE ", format!("%\"attempt\":\"{}\"%", result.attempt))
            .text(" LIMIT 1");
        Ok(db.query_one_raw(select.build()).await?.is_some())
    }

    /// Ends a claim without a pair and plans the next attempt; `false` when the claim was lost, to a later claim or to a
    /// pair that was stored.
    pub async fn refresh_failed(&self, failed: &RefreshFailed, event: NewEvent) -> Result<bool> {
        let event = event.row(failed.id);
        transact!(self, tx, {
            if tx.execute_raw(self.failure(failed).build()).await?.rows_affected() == 0 {
                return Ok(false);
            }
            events::append(tx, vec![event.clone()]).await?;
            Ok(true)
        })
    }

    fn failure(&self, failed: &RefreshFailed) -> Sql {
        let certain = match failed.doubt {
            Doubt::None => ", attempt_id = NULL, attempt_deadline = NULL",
            Doubt::Processed => ", attempt_deadline = NULL",
            Doubt::UnderWay | Doubt::UnderWayUntil(_) => "",
        };
        let mut sql =
            Sql::new(self.dialect, "UPDATE connections SET lease_owner = NULL, lease_until = NULL, fence = fence + 1")
                .text(certain);
        if let Doubt::UnderWayUntil(over) = failed.doubt {
            sql = sql.with(", attempt_deadline = ", time::to_millis(over));
        }
        let sql = sql
            .with(", next_refresh_at = CASE state WHEN 'active' THEN ", time::to_millis(failed.next_refresh_at))
            .text(" ELSE next_refresh_at END")
            .with(", failures = ", failed.failures)
            .with(", last_error = ", short(&failed.last_error))
            .with(", suspicions = ", failed.suspicions)
            .with(", suspected_at = ", failed.suspected_at.map(time::to_millis))
            .text(", updated_at = ")
            .text(self.dialect.now())
            .with(" WHERE id = ", failed.id.as_uuid())
            .with(" AND environment_id = ", failed.environment.as_uuid());
        known_bad!(ReleaseWithoutOwner => return sql);
        sql.with(" AND fence = ", failed.fence)
    }
}
