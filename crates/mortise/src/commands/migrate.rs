//! `mortise migrate`: the schema.

use super::print;
use crate::cli::{Direction, Migrate};
use crate::settings::Settings;
use anyhow::Context as _;
use mortise_migrations::Migrator;
use sea_orm_migration::MigratorTrait as _;
use sea_orm_migration::sea_orm::{Database, DatabaseConnection};

pub(super) async fn run(settings: &Settings, options: Migrate) -> anyhow::Result<()> {
    let database = connect(settings.database_url()?).await?;
    match options.direction.unwrap_or(Direction::Up) {
        Direction::Up => up(&database).await?,
        Direction::Down { steps } => Migrator::down(&database, Some(steps)).await?,
        Direction::Status => {}
    }
    for step in Migrator::get_migration_with_status(&database).await? {
        print::line(format!("{:<10} {}", step.status().to_string().to_lowercase(), step.name()))?;
    }
    Ok(database.close().await?)
}

pub(super) async fn connect(url: &str) -> anyhow::Result<DatabaseConnection> {
    Database::connect(url).await.context("the database of MORTISE_DATABASE_URL cannot be reached")
}

pub(super) async fn up(database: &DatabaseConnection) -> anyhow::Result<()> {
    Migrator::up(database, None).await.context("the migrations")
}
