//! A step as SQL with words for what differs between the databases.
//!
//! | word | PostgreSQL | MariaDB, MySQL | SQLite |
//! |---|---|---|---|
//! | `{id}` | uuid | binary(16) | blob |
//! | `{millis}`, `{long}` | bigint | bigint | integer |
//! | `{int}` | integer | int | integer |
//! | `{word}` | varchar(64) | varchar(64) | text |
//! | `{name}` | varchar(255) | varchar(255) | text |
//! | `{text}` | text | mediumtext | text |
//! | `{digest}` | bytea | binary(32) | blob |
//! | `{sealed}` | bytea | mediumblob | blob |
//! | `{table}` | – | InnoDB, utf8mb4, compared byte by byte | strict |
//! | `{clustered}` | – | as `{table}` | strict, without rowid |
//! | `{now}` | the database's clock in unix milliseconds | same | same |
//! | `{bytes:…}` | a literal of a UUID's 32 digits | same | same |
//! | `{on_connections}` | – | `ON connections`: the table whose index is dropped | – |

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

/// One step. Statements run in order; the way down is written in full, not derived.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) up: &'static [&'static str],
    pub(crate) down: &'static [&'static str],
}

impl MigrationName for Step {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, self.up).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, self.down).await
    }

    /// A step is applied as a whole or not at all, where the database can undo a change of the schema.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

async fn run(manager: &SchemaManager<'_>, statements: &[&str]) -> Result<(), DbErr> {
    let backend = manager.get_database_backend();
    for statement in statements {
        manager.get_connection().execute_unprepared(&spell(backend, statement)).await?;
    }
    Ok(())
}

const POSTGRES: &[(&str, &str)] = &[
    ("{id}", "uuid"),
    ("{millis}", "bigint"),
    ("{long}", "bigint"),
    ("{int}", "integer"),
    ("{word}", "varchar(64)"),
    ("{name}", "varchar(255)"),
    ("{text}", "text"),
    ("{digest}", "bytea"),
    ("{sealed}", "bytea"),
    ("{table}", ""),
    ("{clustered}", ""),
    ("{now}", "(extract(epoch from clock_timestamp())*1000)::bigint"),
    ("{bytes:", "'"),
    (":bytes}", "'::uuid"),
    ("{on_connections}", ""),
];

const MYSQL_TABLE: &str = "ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin";

const MYSQL: &[(&str, &str)] = &[
    ("{id}", "binary(16)"),
    ("{millis}", "bigint"),
    ("{long}", "bigint"),
    ("{int}", "int"),
    ("{word}", "varchar(64)"),
    ("{name}", "varchar(255)"),
    ("{text}", "mediumtext"),
    ("{digest}", "binary(32)"),
    ("{sealed}", "mediumblob"),
    ("{table}", MYSQL_TABLE),
    ("{clustered}", MYSQL_TABLE),
    ("{now}", "CAST(UNIX_TIMESTAMP(NOW(3))*1000 AS SIGNED)"),
    ("{bytes:", "X'"),
    (":bytes}", "'"),
    ("{on_connections}", " ON connections"),
];

const SQLITE: &[(&str, &str)] = &[
    ("{id}", "blob"),
    ("{millis}", "integer"),
    ("{long}", "integer"),
    ("{int}", "integer"),
    ("{word}", "text"),
    ("{name}", "text"),
    ("{text}", "text"),
    ("{digest}", "blob"),
    ("{sealed}", "blob"),
    ("{table}", "STRICT"),
    ("{clustered}", "STRICT, WITHOUT ROWID"),
    ("{now}", "CAST(unixepoch('subsec')*1000 AS INTEGER)"),
    ("{bytes:", "X'"),
    (":bytes}", "'"),
    ("{on_connections}", ""),
];

/// The statement in a database's own words. A line that begins with `[partial]` keeps its rest where the database has
/// partial indexes.
fn spell(backend: DbBackend, statement: &str) -> String {
    let (words, partial) = match backend {
        DbBackend::MySql => (MYSQL, false),
        DbBackend::Sqlite => (SQLITE, true),
        _ => (POSTGRES, true),
    };
    let mut sql: String = statement
        .lines()
        .map(str::trim)
        .filter_map(|line| match line.strip_prefix("[partial]") {
            Some(rest) => partial.then_some(rest),
            None => Some(line),
        })
        .collect::<Vec<_>>()
        .join("\n");
    for (word, spelt) in words {
        sql = sql.replace(word, spelt);
    }
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partial_index_is_whole_where_there_are_none() {
        let statement = "CREATE INDEX i ON t (due)\n    [partial] WHERE due IS NOT NULL";
        assert_eq!(spell(DbBackend::Sqlite, statement), "CREATE INDEX i ON t (due)\n WHERE due IS NOT NULL");
        assert_eq!(spell(DbBackend::MySql, statement), "CREATE INDEX i ON t (due)");
    }

    #[test]
    fn every_word_of_every_step_is_known_to_every_database() {
        for backend in [DbBackend::Postgres, DbBackend::MySql, DbBackend::Sqlite] {
            for step in crate::STEPS {
                for statement in step.up.iter().chain(step.down) {
                    let sql = spell(backend, statement);
                    // The only braces that may be left are those of JSON.
                    let left = sql.replace("{\"", "").contains('{') || sql.contains("[partial]");
                    assert!(!left, "{}: {sql}", step.name);
                }
            }
        }
    }
}
