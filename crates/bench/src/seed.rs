//! Many connections, quickly: copies of the template's rows with ids, tokens and data keys of their own. Every connection
//! is of another customer, so that its tokens are sealed under another data key: the hardest case for a cache of keys.

use crate::provider::Tokens;
use crate::site::Site;
use crate::template::{Template, all, place};
use anyhow::Result;
use mortise_domain::{ConnectionId, CustomerKey, DataKeyId, EventId, OsEntropy, SystemClock, random_text};
use mortise_vault::{DataKey, Field};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement, TransactionTrait as _, Value};
use uuid::Uuid;

/// Rows of one statement.
const BATCH: usize = 500;

/// A connection to make.
pub(crate) struct Wanted {
    /// The grant's number at the provider, where it is one that the provider knows.
    pub(crate) family: Option<u64>,
    pub(crate) access: String,
    pub(crate) refresh: String,
    /// When its refresh is due, in unix milliseconds; `None`: when the template's is.
    pub(crate) due: Option<i64>,
    /// When its access token ends, in unix milliseconds; `None`: when the template's does.
    pub(crate) expires_at: Option<i64>,
}

impl Wanted {
    /// Tokens of 64 characters that no provider knows.
    pub(crate) fn random() -> Self {
        let token = || random_text::<48, String>(&OsEntropy);
        Self { family: None, access: token(), refresh: token(), due: None, expires_at: None }
    }

    /// The tokens of a grant that the provider knows.
    pub(crate) fn granted(tokens: Tokens) -> Self {
        let Tokens { family, access_token, refresh_token } = tokens;
        Self { family: Some(family), access: access_token, refresh: refresh_token, due: None, expires_at: None }
    }
}

/// A connection that was made, with the token that it hands out.
pub(crate) struct Made {
    pub(crate) id: ConnectionId,
    pub(crate) access: String,
    pub(crate) family: Option<u64>,
}

/// Makes them, in batches of a transaction each.
pub(crate) async fn connections(
    site: &Site,
    database: &DatabaseConnection,
    template: &Template,
    wanted: impl IntoIterator<Item = Wanted>,
) -> Result<Vec<Made>> {
    let tables = Tables::read(site, database, template).await?;
    let (mut made, mut wanted) = (Vec::new(), wanted.into_iter().peekable());
    while wanted.peek().is_some() {
        let mut rows = Rows::default();
        for wanted in wanted.by_ref().take(BATCH) {
            made.push(rows.add(template, wanted)?);
        }
        let tx = database.begin().await?;
        for (table, values) in [
            (&tables.customers, rows.customers),
            (&tables.data_keys, rows.data_keys),
            (&tables.connections, rows.connections),
            (&tables.events, rows.events),
        ] {
            tx.execute_raw(table.insert(database, values)).await?;
        }
        tx.commit().await?;
    }
    Ok(made)
}

/// Values of one batch, row after row in the order of [`Tables`].
#[derive(Default)]
struct Rows {
    customers: Vec<Value>,
    data_keys: Vec<Value>,
    connections: Vec<Value>,
    events: Vec<Value>,
}

impl Rows {
    fn add(&mut self, template: &Template, wanted: Wanted) -> Result<Made> {
        let (clock, entropy) = (SystemClock::new(), OsEntropy);
        let customer = CustomerKey::generate(&clock, &entropy);
        let id = ConnectionId::generate(&clock, &entropy);
        let key = DataKey::generate(DataKeyId::generate(&clock, &entropy), &entropy);
        let wrapped = template.keyring.wrap(&key, &entropy)?;
        let place = |field| place(template.environment, id.as_uuid(), field, template.generation);
        let access = key.seal(&entropy, &place(Field::AccessToken), template.access(&wanted.access).as_bytes())?;
        let refresh = key.seal(&entropy, &place(Field::RefreshToken), wanted.refresh.as_bytes())?;
        self.customers.extend([customer.as_uuid().into(), format!("customer-{}", customer.as_uuid().simple()).into()]);
        self.data_keys.extend([key.id().as_uuid().into(), customer.as_uuid().into(), wrapped.bytes.into()]);
        self.connections.extend([
            id.as_uuid().into(),
            customer.as_uuid().into(),
            access.as_bytes().to_vec().into(),
            refresh.as_bytes().to_vec().into(),
            wanted.expires_at.unwrap_or(template.expires_at).into(),
            wanted.due.unwrap_or(template.next_refresh_at).into(),
        ]);
        self.events.extend([id.as_uuid().into(), EventId::generate(&clock, &entropy).as_uuid().into()]);
        Ok(Made { id, access: wanted.access, family: wanted.family })
    }
}

/// A table: which columns a copy has values of its own for, and the statement that takes the rest from the template.
struct Table {
    name: &'static str,
    own: &'static [&'static str],
    columns: Vec<String>,
    /// The column that finds the template's row, and its value.
    found_by: (&'static str, Uuid),
}

struct Tables {
    customers: Table,
    data_keys: Table,
    connections: Table,
    events: Table,
}

impl Tables {
    async fn read(site: &Site, database: &DatabaseConnection, template: &Template) -> Result<Self> {
        let table = async |name, own, found_by| {
            anyhow::Ok(Table { name, own, columns: columns(site, database, name).await?, found_by })
        };
        let own = &["id", "customer_id", "access_token", "refresh_token", "expires_at", "next_refresh_at"];
        Ok(Self {
            customers: table("customers", &["id", "external_id"], ("id", template.customer)).await?,
            data_keys: table("data_keys", &["id", "owner", "wrapped"], ("id", template.data_key.as_uuid())).await?,
            connections: table("connections", own, ("id", template.connection)).await?,
            events: table("events", &["connection_id", "id"], ("connection_id", template.connection)).await?,
        })
    }
}

impl Table {
    fn insert(&self, database: &DatabaseConnection, mut values: Vec<Value>) -> Statement {
        let width = self.own.len();
        let place = |number: usize| format!("${number}");
        let row = |row: usize| (1..=width).map(|column| place(row * width + column)).collect::<Vec<_>>().join(", ");
        let rows: Vec<_> = (0..values.len() / width).map(|index| format!("({})", row(index))).collect();
        let from =
            |column: &String| format!("{}.{column}", if self.own.contains(&column.as_str()) { "v" } else { "t" });
        let taken: Vec<_> = self.columns.iter().map(from).collect();
        let (name, (key, value)) = (self.name, self.found_by);
        values.push(value.into());
        let sql = format!(
            "WITH v ({}) AS (VALUES {}) INSERT INTO {name} ({}) SELECT {} FROM v CROSS JOIN {name} t WHERE t.{key} = {}",
            self.own.join(", "),
            rows.join(", "),
            self.columns.join(", "),
            taken.join(", "),
            place(values.len()),
        );
        Statement::from_sql_and_values(database.get_database_backend(), sql, values)
    }
}

pub(crate) async fn columns(site: &Site, database: &DatabaseConnection, table: &str) -> Result<Vec<String>> {
    let sql = if site.is_postgres() {
        "SELECT column_name AS name FROM information_schema.columns WHERE table_name = $1 AND table_schema = 'public'"
    } else {
        "SELECT name FROM pragma_table_info($1)"
    };
    let rows = all(database, sql, [table.into()]).await?;
    rows.iter().map(|row| Ok(row.try_get("", "name")?)).collect()
}
