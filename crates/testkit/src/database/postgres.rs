//! PostgreSQL: the server copies a template database.

use super::{Content, FINGERPRINT, Place, TestDatabase, connect, is_leftover, migrate, unique_name};
use crate::Backend;
use crate::servers::{self, Server, postgres};
use anyhow::{Context as _, Result};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use std::fs::File;
use std::sync::Arc;
use tokio::sync::OnceCell;

pub(super) async fn make(content: Content) -> Result<TestDatabase> {
    let server = server().await?;
    let admin = connect(&postgres::url(server.port, "postgres")).await?;
    let name = unique_name();
    admin.execute_unprepared(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
    let template = match content {
        Content::Migrated => template(&server, &admin).await?,
        Content::Nothing => "template0".to_owned(),
    };
    let statement = format!("CREATE DATABASE {name} TEMPLATE {template}");
    admin.execute_unprepared(&statement).await.context("the template cannot be copied")?;
    admin.close().await?;
    let url = postgres::url(server.port, &name);
    Ok(TestDatabase { backend: Backend::Postgres, url, place: Place::Server { server, name } })
}

async fn server() -> Result<Arc<Server>> {
    static SERVER: OnceCell<Arc<Server>> = OnceCell::const_new();
    let start = || async {
        let server = tokio::task::spawn_blocking(|| servers::acquire(&postgres::RECIPE)).await??;
        let admin = connect(&postgres::url(server.port, "postgres")).await?;
        for name in databases(&admin).await?.iter().filter(|name| is_leftover(name)) {
            // Another test process may sweep at the same time.
            drop(admin.execute_unprepared(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await);
        }
        admin.close().await?;
        anyhow::Ok(Arc::new(server))
    };
    SERVER.get_or_try_init(start).await.cloned()
}

async fn databases(admin: &DatabaseConnection) -> Result<Vec<String>> {
    let rows =
        admin.query_all_raw(Statement::from_string(DbBackend::Postgres, "SELECT datname FROM pg_database")).await?;
    rows.iter().map(|row| row.try_get_by_index(0).context("a database without a name")).collect()
}

/// A database becomes the template by its name, and gets the name only when it is complete.
async fn template(server: &Server, admin: &DatabaseConnection) -> Result<String> {
    let name = format!("template_{FINGERPRINT}");
    if databases(admin).await?.contains(&name) {
        return Ok(name);
    }
    let lock = File::options().create(true).append(true).open(server.folder.join("template.lock"))?;
    let lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await??;
    if !databases(admin).await?.contains(&name) {
        admin.execute_unprepared("DROP DATABASE IF EXISTS building WITH (FORCE)").await?;
        admin.execute_unprepared("CREATE DATABASE building TEMPLATE template0").await?;
        migrate(&postgres::url(server.port, "building")).await?;
        admin.execute_unprepared(&format!("ALTER DATABASE building RENAME TO {name}")).await?;
    }
    drop(lock);
    Ok(name)
}
