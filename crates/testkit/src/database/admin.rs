//! Dropping databases from where nothing can be awaited.

use super::connect;
use anyhow::{Result, anyhow};
use sea_orm::ConnectionTrait as _;

pub(super) enum Task {
    DropPostgres { port: u16, name: String },
    DropMariaDb { port: u16, name: String },
}

/// Does the task on a thread with a runtime of its own and waits for it: `Drop` may run inside a runtime, which must
/// not be blocked on from within.
pub(super) fn in_background(task: Task) -> Result<()> {
    let thread = std::thread::spawn(move || -> Result<()> {
        tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(perform(task))
    });
    thread.join().map_err(|_| anyhow!("the thread that drops the test database panicked"))?
}

async fn perform(task: Task) -> Result<()> {
    let (url, statement) = match task {
        Task::DropPostgres { port, name } => {
            (crate::servers::postgres::url(port, "postgres"), format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        }
        Task::DropMariaDb { port, name } => (
            crate::servers::mariadb::url(port, "mysql"),
            format!("SET lock_wait_timeout = 2; DROP DATABASE IF EXISTS {name}"),
        ),
    };
    let connection = connect(&url).await?;
    connection.execute_unprepared(&statement).await?;
    connection.close().await?;
    Ok(())
}
