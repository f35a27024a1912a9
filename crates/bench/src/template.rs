//! The connection that all others are made after. It comes to be as any other: a connector, an app, a customer and an
//! import, all by the API. Its rows are read back whole, so that whatever the program stores with a connection stands in
//! every copy too, without this program knowing the schema.

use crate::provider::Provider;
use crate::site::Site;
use anyhow::{Context as _, Result, ensure};
use mortise_domain::{Clock as _, ConnectionId, DataKeyId, EnvironmentKey, Sealed, SystemClock};
use mortise_sandbox::{DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET};
use mortise_vault::{DataKey, Field, Keyring, SealContext, WrappedKey, data_key_of, load_key_file};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, QueryResult, Statement, Value};
use serde_json::json;
use uuid::Uuid;

/// As long as the copies' tokens.
const ACCESS: &str = "template-access-token-of-sixty-four-characters-0123456789-abcdef";
const REFRESH: &str = "template-refresh-token-of-sixty-four-characters-0123456789-abcde";

/// Nine years: when the refresh of a connection that nobody asks for is due.
const FAR: i64 = 9 * YEAR;
/// What tells connections that are refreshed from those that are not, whose refreshes are due much later.
pub(crate) const YEAR: i64 = 365 * 24 * 3600 * 1000;

/// A connector with its app and what its manifest says.
pub(crate) struct Integration<'a> {
    pub(crate) name: &'a str,
    pub(crate) provider: &'a Provider,
    /// Members of `auth` besides those that every one has.
    pub(crate) auth: serde_json::Value,
}

impl<'a> Integration<'a> {
    pub(crate) fn new(name: &'a str, provider: &'a Provider) -> Self {
        Self { name, provider, auth: json!({}) }
    }
}

/// What a copy needs to know of it.
pub(crate) struct Template {
    pub(crate) environment: EnvironmentKey,
    pub(crate) app: Uuid,
    pub(crate) connection: Uuid,
    pub(crate) customer: Uuid,
    pub(crate) generation: i64,
    pub(crate) keyring: Keyring,
    pub(crate) data_key: DataKeyId,
    pub(crate) expires_at: i64,
    pub(crate) next_refresh_at: i64,
    /// The access token as it was before it was sealed, around the token itself.
    access: String,
}

impl Template {
    /// Makes it, and reads it back.
    pub(crate) async fn make(site: &Site, database: &DatabaseConnection, at: &Integration<'_>) -> Result<Self> {
        let made = import(site, at).await?;
        // As one that was fetched from just now, and is not due by itself.
        let (now, far) = (now(), now() + FAR);
        let sql = "UPDATE connections SET used_at = $1, next_refresh_at = $2 WHERE id = $3";
        run(database, sql, [now.into(), far.into(), made.as_uuid().into()]).await?;
        let sql = "SELECT id, environment_id, app_id, customer_id, generation, access_token, expires_at, next_refresh_at \
                   FROM connections WHERE id = $1";
        let row = one(database, sql, [made.as_uuid().into()]).await?;
        let sealed = Sealed::from_bytes(row.try_get::<Vec<u8>>("", "access_token")?);
        let environment = EnvironmentKey::from_uuid(row.try_get("", "environment_id")?);
        let (connection, generation) = (row.try_get("", "id")?, row.try_get("", "generation")?);
        let keyring = load_key_file(&site.key_file())?;
        let data_key = data_key_of(&sealed)?;
        let key = unwrapped(database, &keyring, data_key).await?;
        let place = place(environment, connection, Field::AccessToken, generation);
        let access = String::from_utf8(key.open(&place, &sealed)?.to_vec())?;
        ensure!(access.matches(ACCESS).count() == 1, "a sealed access token does not hold the token once");
        Ok(Self {
            environment,
            app: row.try_get("", "app_id")?,
            connection,
            customer: row.try_get("", "customer_id")?,
            generation,
            keyring,
            data_key,
            expires_at: row.try_get("", "expires_at")?,
            next_refresh_at: row.try_get("", "next_refresh_at")?,
            access,
        })
    }

    /// What is sealed for an access token.
    pub(crate) fn access(&self, token: &str) -> String {
        self.access.replace(ACCESS, token)
    }
}

async fn import(site: &Site, at: &Integration<'_>) -> Result<ConnectionId> {
    let (api, url, issuer) = (site.api(), |path: &str| format!("{}/v1{path}", site.base), at.provider.issuer());
    let mut auth = json!({
        "type": "oauth2",
        "grant": "authorization_code",
        "authorization_url": format!("{issuer}/authorize"),
        "token_url": format!("{issuer}/token"),
        "client_authentication": "client_secret_basic",
        "recovery_class": "F",
    });
    for (name, value) in at.auth.as_object().into_iter().flatten() {
        auth[name] = value.clone();
    }
    let manifest = json!({
        "id": at.name,
        "name": at.name,
        "auth": auth,
        "scopes": {"profile": "See your name and picture", "contacts.read": "Read your contacts"},
        "api": {"base_url": issuer},
    });
    api.post(&url("/connectors"), &manifest).await.expect(201);
    let app = json!({
        "id": at.name,
        "connector": at.name,
        "client_id": DEFAULT_CLIENT_ID,
        "client_secret": DEFAULT_CLIENT_SECRET,
        "scopes": ["profile", "contacts.read"],
        "settings": {},
    });
    api.post(&url("/apps"), &app).await.expect(201);
    let customer = format!("template-{}", at.name);
    api.put(&url(&format!("/customers/{customer}")), &json!({})).await.expect(201);
    let credentials = json!({"access_token": ACCESS, "refresh_token": REFRESH, "expires_at": "2036-11-21T00:00:00Z"});
    let connection = json!({"customer": customer, "app": at.name, "credentials": credentials});
    let made = api.post(&url("/connections"), &connection).await.expect(201).json();
    Ok(made["id"].as_str().context("an import's id")?.parse()?)
}

async fn unwrapped(database: &DatabaseConnection, keyring: &Keyring, id: DataKeyId) -> Result<DataKey> {
    let sql = "SELECT key_encryption_key, wrapped FROM data_keys WHERE id = $1";
    unwrap(keyring, id, &one(database, sql, [id.as_uuid().into()]).await?)
}

/// The key in a row that has its columns.
pub(crate) fn unwrap(keyring: &Keyring, id: DataKeyId, row: &QueryResult) -> Result<DataKey> {
    let key_encryption_key = row.try_get("", "key_encryption_key")?;
    Ok(keyring.unwrap(id, &WrappedKey { key_encryption_key, bytes: row.try_get("", "wrapped")? })?)
}

/// Where a token belongs.
pub(crate) fn place(environment: EnvironmentKey, connection: Uuid, field: Field, generation: i64) -> SealContext {
    SealContext { environment, record: connection.into_bytes(), field, generation }
}

/// The only row of a query. Both databases understand `$1`.
pub(crate) async fn one<const N: usize>(
    database: &DatabaseConnection,
    sql: &str,
    values: [Value; N],
) -> Result<QueryResult> {
    let mut rows = all(database, sql, values).await?;
    ensure!(rows.len() == 1, "{} rows instead of one: {sql}", rows.len());
    rows.pop().context("a row")
}

/// Runs a statement; answers how many rows it changed.
pub(crate) async fn run<const N: usize>(database: &DatabaseConnection, sql: &str, values: [Value; N]) -> Result<u64> {
    let statement = Statement::from_sql_and_values(database.get_database_backend(), sql, values);
    Ok(database.execute_raw(statement).await?.rows_affected())
}

/// Unix milliseconds.
pub(crate) fn now() -> i64 {
    SystemClock::new().now().timestamp_millis()
}

/// The rows of a query.
pub(crate) async fn all<const N: usize>(
    database: &DatabaseConnection,
    sql: &str,
    values: [Value; N],
) -> Result<Vec<QueryResult>> {
    let statement = Statement::from_sql_and_values(database.get_database_backend(), sql, values);
    Ok(database.query_all_raw(statement).await?)
}
