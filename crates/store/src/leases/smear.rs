//! Spreading what was missed while a provider, or the database, or everybody was away, so that it is not all asked at once.
//!
//! Invariants: one process at a time spreads the backlog of a provider, claims of what is due leave that provider alone
//! meanwhile, and a process that dies in the middle is waited for no longer than [`SPREADING`]. Doing it again moves only
//! what is still overdue, so whoever comes second finds nothing to do.

use crate::row::Reading;
use crate::sql::Sql;
use crate::transaction::transact;
use crate::{Result, Store, time};
use mortise_domain::gate::{GateId, SPREADING};
use mortise_domain::{AppKey, ConnectionId, ConnectorKey, Timestamp};
use sea_orm::{ConnectionTrait as _, QueryResult};
use uuid::Uuid;

/// How many are read at a time: each reading sorts what is left.
const ROUND: u64 = 5_000;
/// How many are moved by one statement.
const CHUNK: usize = 500;
/// When a grant ends that is not known to: after all others.
const NEVER: i64 = i64::MAX;

/// An overdue connection, to be given another time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overdue {
    /// Which.
    pub id: ConnectionId,
    /// At which app.
    pub app: AppKey,
    /// The database's clock when the spreading began.
    pub now: Timestamp,
    /// How many there were then.
    pub total: u64,
    /// How many of them are more urgent than this one.
    pub index: u64,
    /// When the access token ends.
    pub expires_at: Option<Timestamp>,
    /// When the refresh token ends unless it is used before.
    pub refresh_idle_at: Option<Timestamp>,
    /// When the grant ends whatever is done.
    pub grant_expires_at: Option<Timestamp>,
}

impl Store {
    /// Gives every overdue connection of a provider that nobody is at the time that `place` says, and answers how many;
    /// `None` when another process is at it. Those whose grants end first come first, then those that were used last. Apps
    /// that are `held` are left out. A time that is over counts as the next millisecond.
    pub async fn connections_smear(
        &self,
        provider: ConnectorKey,
        held: &[AppKey],
        place: &mut (dyn FnMut(Overdue) -> Timestamp + Send),
    ) -> Result<Option<u64>> {
        let Some(now) = self.begin_spreading(provider).await? else { return Ok(None) };
        let moved = self.spread(provider, held, now, place).await;
        // Whatever came of it, claims may go on; if this fails too, they do so when the time is up.
        let end = Sql::new(self.dialect, "UPDATE gates SET spreading_until = NULL WHERE id = ");
        self.write(end.bind(provider.as_uuid()).build()).await?;
        moved.map(Some)
    }

    /// Answers the database's time if this process is the one that spreads.
    async fn begin_spreading(&self, provider: ConnectorKey) -> Result<Option<Timestamp>> {
        let gate = [GateId::Provider(provider)];
        transact!(self, tx, {
            self.insert_gates(tx, &gate).await?;
            let Some((mut gates, now)) = self.gates_locked(tx, &gate).await? else { return Ok(None) };
            let Some(gate) = gates.first_mut().filter(|gate| gate.spreading(now).is_none()) else { return Ok(None) };
            gate.spreading_until = Some(now + SPREADING);
            self.gates_save(tx, &[gate]).await?;
            Ok(Some(now))
        })
    }

    async fn spread(
        &self,
        provider: ConnectorKey,
        held: &[AppKey],
        now: Timestamp,
        place: &mut (dyn FnMut(Overdue) -> Timestamp + Send),
    ) -> Result<u64> {
        let count = self.overdue("COUNT(*) AS total", provider, held, now).build();
        let count = self.db.query_one_raw(count).await?;
        let total = count.map(|row| row.try_get::<i64>("", "total")).transpose()?.unwrap_or_default();
        let total = u64::try_from(total).unwrap_or_default();
        let mut moved = 0;
        while moved < total {
            let rows = self.db.query_all_raw(self.most_urgent(provider, held, now).build()).await?;
            let overdue = rows.iter().zip(moved..).map(|(row, index)| read(row, now, total, index));
            let placed: Vec<(ConnectionId, Timestamp)> =
                overdue.map(|row| row.map(|row| (row.id, place(row)))).collect::<Result<_>>()?;
            let mut round = 0;
            for chunk in placed.chunks(CHUNK) {
                round += self.write(self.place(chunk, now).build()).await?.rows_affected();
            }
            if round == 0 {
                break;
            }
            moved += round;
            let going_on = Sql::new(self.dialect, "UPDATE gates SET spreading_until = ").text(self.dialect.now());
            let going_on = going_on.with(" + ", time::millis_of(SPREADING)).with(" WHERE id = ", provider.as_uuid());
            self.write(going_on.build()).await?;
        }
        Ok(moved)
    }

    /// What is overdue at `cut` and nobody is at. What is moved leaves the selection.
    fn overdue(&self, columns: &str, provider: ConnectorKey, held: &[AppKey], cut: Timestamp) -> Sql {
        let select = Sql::new(self.dialect, "SELECT ").text(columns).text(" FROM connections");
        let select = select.text(&self.dialect.by_index("connections_due")).text(" WHERE ");
        let select = super::due::is_free(select, self.dialect.now())
            .with(" AND next_refresh_at <= ", time::to_millis(cut))
            .with(" AND app_id IN (SELECT id FROM apps WHERE connector_id = ", provider.as_uuid())
            .text(")");
        if held.is_empty() {
            return select;
        }
        select.text(" AND app_id NOT IN (").list(held.iter().map(|app| app.as_uuid())).text(")")
    }

    fn most_urgent(&self, provider: ConnectorKey, held: &[AppKey], cut: Timestamp) -> Sql {
        let columns = "id, app_id, expires_at, refresh_idle_at, grant_expires_at";
        let (idle, whole) =
            (format!("COALESCE(refresh_idle_at, {NEVER})"), format!("COALESCE(grant_expires_at, {NEVER})"));
        self.overdue(columns, provider, held, cut)
            .text(&format!(" ORDER BY CASE WHEN {idle} < {whole} THEN {idle} ELSE {whole} END"))
            .text(", COALESCE(used_at, 0) DESC, next_refresh_at, id")
            .with(" LIMIT ", ROUND.cast_signed())
    }

    /// Whoever was claimed or renewed since is left as it is.
    fn place(&self, placed: &[(ConnectionId, Timestamp)], cut: Timestamp) -> Sql {
        let mut update = Sql::new(self.dialect, "UPDATE connections SET next_refresh_at = CASE id");
        for (id, at) in placed {
            let at = time::to_millis(*at).max(time::to_millis(cut) + 1);
            update = update.with(" WHEN ", id.as_uuid()).with(" THEN ", at);
        }
        let update = update.text(" END WHERE id IN (").list(placed.iter().map(|(id, _)| id.as_uuid())).text(") AND ");
        super::due::is_free(update, self.dialect.now()).with(" AND next_refresh_at <= ", time::to_millis(cut))
    }
}

fn read(row: &QueryResult, now: Timestamp, total: u64, index: u64) -> Result<Overdue> {
    let id: Uuid = row.try_get("", "id")?;
    let reading = Reading { table: "connections", row: id };
    Ok(Overdue {
        id: ConnectionId::from_uuid(id),
        app: AppKey::from_uuid(row.try_get("", "app_id")?),
        now,
        total,
        index,
        expires_at: reading.some_time("expires_at", row.try_get("", "expires_at")?)?,
        refresh_idle_at: reading.some_time("refresh_idle_at", row.try_get("", "refresh_idle_at")?)?,
        grant_expires_at: reading.some_time("grant_expires_at", row.try_get("", "grant_expires_at")?)?,
    })
}
