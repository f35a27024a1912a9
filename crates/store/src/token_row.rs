//! What serving a token needs of its connection: the read that everything else exists for. One select by primary key, few
//! columns.

use crate::dialect::Dialect;
use crate::row::{Reading, read_scopes};
use crate::serving::serve;
use crate::{Result, Store};
use mortise_domain::{
    AppKey, ConnectionId, ConnectionState, CustomerKey, EnvironmentKey, ScopeSet, Sealed, StateReason, Timestamp,
};
use sea_orm::{ConnectionTrait as _, QueryResult, Statement, TryGetable};
use std::sync::OnceLock;
use uuid::Uuid;

/// The part of a connection that a token is served from; see [`crate::Connection`] for the fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Its id.
    pub id: ConnectionId,
    /// Where it belongs.
    pub environment: EnvironmentKey,
    /// Whose it is.
    pub customer: CustomerKey,
    /// At which app.
    pub app: AppKey,
    /// What it is.
    pub state: ConnectionState,
    /// Why it is that.
    pub state_reason: StateReason,
    /// The access token, sealed.
    pub access: Option<Sealed>,
    /// Counts the grants.
    pub family: i32,
    /// Counts the token pairs.
    pub generation: i64,
    /// When the access token ends.
    pub expires_at: Option<Timestamp>,
    /// When a refresh is due.
    pub next_refresh_at: Option<Timestamp>,
    /// What was granted; `None`: what was requested.
    pub granted_scopes: Option<ScopeSet>,
    /// What was requested.
    pub requested_scopes: ScopeSet,
    /// When the access token was asked for.
    pub refreshed_at: Option<Timestamp>,
    /// How many refreshes failed since.
    pub failures: i32,
    /// How often in a row the provider refused the refresh token without that being believed yet.
    pub suspicions: i32,
    /// When somebody last fetched a token, to the hour.
    pub used_at: Option<Timestamp>,
    /// The database's clock, which ends and due times are told by.
    pub now: Timestamp,
}

/// The same text every time, so that the database prepares it once a connection.
fn select(dialect: Dialect) -> &'static str {
    static TEXTS: [OnceLock<String>; 3] = [OnceLock::new(), OnceLock::new(), OnceLock::new()];
    let (text, id, environment) = match dialect {
        Dialect::Postgres => (&TEXTS[0], "$1", "$2"),
        Dialect::MySql => (&TEXTS[1], "?", "?"),
        Dialect::Sqlite => (&TEXTS[2], "?", "?"),
    };
    text.get_or_init(|| {
        format!(
            "SELECT customer_id, app_id, state, state_reason, access_token, family, generation, expires_at, \
             next_refresh_at, granted_scopes, requested_scopes, refreshed_at, failures, suspicions, used_at, {} \
             FROM connections WHERE id = {id} AND environment_id = {environment}",
            dialect.now()
        )
    })
}

impl Store {
    /// The part of a connection that a token is served from.
    pub async fn connection_token_row(
        &self,
        environment: EnvironmentKey,
        id: ConnectionId,
    ) -> Result<Option<TokenRow>> {
        let values = [id.as_uuid().into(), environment.as_uuid().into()];
        let statement = Statement::from_sql_and_values(self.dialect.backend(), select(self.dialect), values);
        let found = serve!(self, db, db.query_one_raw(statement.clone()))?;
        found.map(|row| read(&row, environment, id)).transpose()
    }
}

fn read(row: &QueryResult, environment: EnvironmentKey, id: ConnectionId) -> Result<TokenRow> {
    let reading = Reading { table: "connections", row: id.as_uuid() };
    Ok(TokenRow {
        id,
        environment,
        customer: CustomerKey::from_uuid(at::<Uuid>(row, 0)?),
        app: AppKey::from_uuid(at::<Uuid>(row, 1)?),
        state: reading.word("state", &at::<String>(row, 2)?)?,
        state_reason: reading.word("state_reason", &at::<String>(row, 3)?)?,
        access: at::<Option<Vec<u8>>>(row, 4)?.map(Sealed::from_bytes),
        family: at(row, 5)?,
        generation: at(row, 6)?,
        expires_at: reading.some_time("expires_at", at(row, 7)?)?,
        next_refresh_at: reading.some_time("next_refresh_at", at(row, 8)?)?,
        granted_scopes: at::<Option<String>>(row, 9)?.as_deref().map(read_scopes),
        requested_scopes: read_scopes(&at::<String>(row, 10)?),
        refreshed_at: reading.some_time("refreshed_at", at(row, 11)?)?,
        failures: at(row, 12)?,
        suspicions: at(row, 13)?,
        used_at: reading.some_time("used_at", at(row, 14)?)?,
        now: reading.time("now", at(row, 15)?)?,
    })
}

fn at<T: TryGetable>(row: &QueryResult, index: usize) -> Result<T> {
    Ok(row.try_get_by_index(index)?)
}
