//! One command a file.

mod api_keys;
mod connectors;
mod dev;
mod doctor;
mod environments;
mod keys;
mod migrate;
pub(crate) mod print;
mod restore;
mod serve;
mod worker;

use crate::cli::{Cli, Command, Config};
use crate::logging;
use crate::settings::Settings;

/// Carries out a command.
pub(crate) async fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Dev(options) => return dev::run(options).await,
        Command::Connectors(command) => return connectors::run(command).await,
        Command::Openapi => return print::json(&mortise_server::document()),
        _ => {}
    }
    let settings = Settings::load(cli.config.as_deref())?;
    match cli.command {
        Command::Config(Config::Check) => return print::settings(&settings),
        _ => logging::start(&settings)?,
    }
    match cli.command {
        Command::Serve => serve::run(&settings).await,
        Command::Worker => worker::run(&settings).await,
        Command::Migrate(options) => migrate::run(&settings, options).await,
        Command::Keys(command) => keys::run(&settings, command).await,
        Command::Restore(command) => restore::run(&settings, command).await,
        Command::ApiKeys(command) => api_keys::run(&settings, command).await,
        Command::Environments(command) => environments::run(&settings, command).await,
        Command::Doctor => doctor::run(&settings).await,
        Command::Dev(_) | Command::Connectors(_) | Command::Openapi | Command::Config(_) => Ok(()),
    }
}
