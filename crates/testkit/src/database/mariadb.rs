//! MariaDB: the statements that make the migrated tables are kept in a file and run again, rows are copied over.

use super::{Content, FINGERPRINT, Place, TestDatabase, connect, is_leftover, migrate, unique_name};
use crate::Backend;
use crate::servers::{self, Server, mariadb};
use anyhow::{Context as _, Result, bail};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::sync::Arc;
use tokio::sync::OnceCell;

pub(super) async fn make(content: Content) -> Result<TestDatabase> {
    let server = server().await?;
    let admin = connect(&mariadb::url(server.port, "mysql")).await?;
    let name = unique_name();
    let tables = match content {
        Content::Migrated => template(&server, &admin).await?,
        Content::Nothing => String::new(),
    };
    // One round trip for all of it: every statement waits for the disk as it is.
    let script = format!("DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name}; USE {name}; {tables}");
    admin.execute_unprepared(&script).await.context("the template cannot be copied")?;
    admin.close().await?;
    let url = mariadb::url(server.port, &name);
    Ok(TestDatabase { backend: Backend::MariaDb, url, place: Place::Server { server, name } })
}

async fn server() -> Result<Arc<Server>> {
    static SERVER: OnceCell<Arc<Server>> = OnceCell::const_new();
    let start = || async {
        let server = tokio::task::spawn_blocking(|| servers::acquire(&mariadb::RECIPE)).await??;
        let admin = connect(&mariadb::url(server.port, "mysql")).await?;
        for name in words(&admin, "SHOW DATABASES", 0).await?.iter().filter(|name| is_leftover(name)) {
            // Another test process may sweep at the same time.
            drop(admin.execute_unprepared(&format!("DROP DATABASE IF EXISTS {name}")).await);
        }
        admin.close().await?;
        anyhow::Ok(Arc::new(server))
    };
    SERVER.get_or_try_init(start).await.cloned()
}

/// One column of a statement's rows. Some `SHOW` statements answer in bytes, others in text.
async fn words(admin: &DatabaseConnection, statement: &str, column: usize) -> Result<Vec<String>> {
    let rows = admin.query_all_raw(Statement::from_string(DbBackend::MySql, statement)).await?;
    rows.iter()
        .map(|row| match row.try_get_by_index::<String>(column) {
            Ok(text) => Ok(text),
            Err(_) => Ok(String::from_utf8(row.try_get_by_index::<Vec<u8>>(column)?)?),
        })
        .collect::<Result<_>>()
        .with_context(|| statement.to_owned())
}

async fn template(server: &Server, admin: &DatabaseConnection) -> Result<String> {
    let file = server.folder.join(format!("data/template_{FINGERPRINT}.txt"));
    if let Ok(script) = fs::read_to_string(&file) {
        return Ok(script);
    }
    let lock = File::options().create(true).append(true).open(server.folder.join("template.lock"))?;
    let lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await??;
    if !file.exists() {
        let name = format!("template_{FINGERPRINT}");
        admin.execute_unprepared(&format!("DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name}")).await?;
        migrate(&mariadb::url(server.port, &name)).await?;
        let building = file.with_extension("new");
        fs::write(&building, script(admin, &name).await?)?;
        fs::rename(&building, &file)?;
    }
    drop(lock);
    fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))
}

async fn script(admin: &DatabaseConnection, template: &str) -> Result<String> {
    let kinds = words(admin, &format!("SHOW FULL TABLES FROM {template}"), 1).await?;
    if let Some(kind) = kinds.iter().find(|kind| *kind != "BASE TABLE") {
        bail!("the test kit copies tables only, and the migrations make a {kind}");
    }
    let mut script = "SET SESSION foreign_key_checks = 0;\n".to_owned();
    for table in words(admin, &format!("SHOW FULL TABLES FROM {template}"), 0).await? {
        let create = words(admin, &format!("SHOW CREATE TABLE {template}.{table}"), 1).await?.concat();
        write!(script, "{create};\nINSERT INTO {table} SELECT * FROM {template}.{table};\n")?;
    }
    Ok(script)
}
