//! The command line.

mod connectors;

pub(crate) use connectors::{
    Connectors, Diff, Discover, Findings, Foreign, Format, Import, Lint, ReplyTo, Simulate, Test,
};

use clap::{Args, Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

/// A self-hosted connection broker: per-customer OAuth connections, kept fresh.
#[derive(Debug, Parser)]
#[command(name = "mortise", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// A TOML file with settings; MORTISE_* variables win over it.
    #[arg(long, global = true, env = "MORTISE_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Everything in one process on an embedded database, with a sandbox provider to try it on.
    Dev(Dev),
    /// The web service. Any number of them share one database.
    Serve,
    /// The background worker. Any number of them share one database.
    Worker,
    /// Schema migrations.
    Migrate(Migrate),
    /// Key-encryption keys.
    #[command(subcommand)]
    Keys(Keys),
    /// What to do after the database was restored from a backup, before anything runs on it.
    #[command(subcommand)]
    Restore(Restore),
    /// API keys.
    #[command(subcommand)]
    ApiKeys(ApiKeys),
    /// Connector manifests from files, without a server.
    #[command(subcommand)]
    Connectors(Connectors),
    /// Environments and their settings.
    #[command(subcommand)]
    Environments(Environments),
    /// Prints the API document.
    Openapi,
    /// Settings.
    #[command(subcommand)]
    Config(Config),
    /// Finds what is wrong with an installation.
    Doctor,
}

#[derive(Debug, Args)]
pub(crate) struct Dev {
    /// Where everything is kept.
    #[arg(long, default_value = ".mortise")]
    pub(crate) data_dir: PathBuf,
    /// Where the web service listens.
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// Where the sandbox provider listens.
    #[arg(long, default_value = "127.0.0.1:8090")]
    pub(crate) sandbox_listen: SocketAddr,
}

#[derive(Debug, Args)]
pub(crate) struct Migrate {
    #[command(subcommand)]
    pub(crate) direction: Option<Direction>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Direction {
    /// Applies what is missing (the default).
    Up,
    /// Takes back the newest steps. Data that only they can hold is lost.
    Down {
        /// How many steps.
        #[arg(long, default_value_t = 1)]
        steps: u32,
    },
    /// Shows which steps are applied.
    Status,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Makes the key file with a first key.
    Init,
    /// Adds a key, makes it the primary one, and wraps every data key anew.
    Rotate,
    /// Shows the keys and how much each of them wraps.
    Status,
    /// Opens a data key with every key that is referred to.
    Verify,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Restore {
    /// Switches off every connection whose refresh token is good for one use and may have been used since the backup, stores
    /// what the spill folders have, and switches on what they prove to be current. Nothing else may run meanwhile.
    Begin {
        /// The spill folder of another process of the installation; give those of all. This one's own is always read.
        #[arg(long)]
        spill: Vec<PathBuf>,
        /// When the last process stopped, as in 2026-11-21T10:15:00Z. Give it only if the folders are those of every process
        /// that ran since the backup: then what was stored in the ten minutes before is known to be current.
        #[arg(long)]
        stopped_at: Option<String>,
    },
    /// Switches connections on again, on your word that nothing was refreshed since the backup.
    Release(Release),
    /// Shows how many connections are off since a restore.
    Status,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Release {
    /// This connection.
    #[arg(long, conflicts_with_all = ["app", "all"])]
    pub(crate) connection: Option<String>,
    /// Every connection at this app.
    #[arg(long, requires = "environment", conflicts_with = "all")]
    pub(crate) app: Option<String>,
    /// The app's environment.
    #[arg(long, requires = "app")]
    pub(crate) environment: Option<String>,
    /// Every connection.
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ApiKeys {
    /// Makes a key and prints it, once.
    Create {
        /// The environment it belongs to.
        #[arg(long)]
        environment: String,
        /// What it is for.
        #[arg(long)]
        name: String,
        /// What it may do: scopes separated by commas, or `all`.
        #[arg(long, value_delimiter = ',', required = true)]
        scopes: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Environments {
    /// Makes an environment.
    Create {
        /// Kebab-case.
        name: String,
    },
    /// Shows all environments.
    List,
    /// Changes an environment's settings.
    Set {
        /// Which one.
        name: String,
        /// Who asks, as the consent page says it.
        #[arg(long)]
        display_name: Option<String>,
        /// `required` or `off`.
        #[arg(long)]
        finisher_check: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Reads the settings and says what is wrong with them.
    Check,
}
