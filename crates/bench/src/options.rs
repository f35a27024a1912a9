//! The command line: every size can be made small enough for a trial run.

use crate::figure::Figure;
use crate::{bare, figure};
use anyhow::bail;
use clap::{Args, Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::signal::unix::{SignalKind, signal};

/// Measures mortise and writes the report.
#[derive(Debug, Parser)]
#[command(name = "mortise-bench", max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves the constant answer that everything is compared with.
    #[command(hide = true)]
    Bare {
        /// Where.
        #[arg(long)]
        listen: SocketAddr,
        /// Threads.
        #[arg(long)]
        workers: usize,
    },
}

/// What to measure, and sizes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Options {
    /// A figure to measure alone; may be given more than once. All of them if absent.
    #[arg(long = "figure", value_enum)]
    pub(crate) figures: Vec<Figure>,
    /// The smallest sizes that prove the code; the figures mean nothing. They go to standard output, unless `--out` says
    /// where to.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Connections in each database, every one of a customer and with a data key of its own.
    #[arg(long, default_value_t = 100_000)]
    pub(crate) connections: usize,
    /// Seconds of each run of load.
    #[arg(long, default_value_t = 8)]
    pub(crate) seconds: u64,
    /// How often each case is run; the report shows medians.
    #[arg(long, default_value_t = 3)]
    pub(crate) runs: usize,
    /// How many more times a case is run whose runs were disturbed.
    #[arg(long, default_value_t = 2)]
    pub(crate) again: usize,
    /// Connections that are due at once in each run of refreshes.
    #[arg(long, default_value_t = 5_000)]
    pub(crate) refreshes: usize,
    /// Starts to time.
    #[arg(long, default_value_t = 5)]
    pub(crate) starts: usize,
    /// Seconds of doing nothing.
    #[arg(long, default_value_t = 20)]
    pub(crate) idle_seconds: u64,
    /// Where the report goes: `docs/benchmarks.md` if absent. What it says of figures that are not measured stays, and
    /// plots go into a folder beside it.
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
    /// The measured program; the one beside this program if absent.
    #[arg(long)]
    pub(crate) mortise: Option<PathBuf>,
}

impl Cli {
    /// Does what was asked for.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self.command {
            Some(Command::Bare { listen, workers }) => bare::serve(listen, workers),
            None => {
                let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
                runtime.block_on(unless_stopped(figure::measure(&self.options.sized())))
            }
        }
    }
}

impl Options {
    /// With the sizes of a quick run where one is wanted.
    fn sized(self) -> Self {
        if !self.quick {
            return self;
        }
        let (runs, again, starts) = (1, 0, 1);
        Self { connections: 500, seconds: 1, runs, again, refreshes: 100, starts, idle_seconds: 1, ..self }
    }
}

/// At SIGTERM or SIGINT everything that was started is ended and everything that was made is removed: it goes with the
/// values, which a signal alone would leave behind.
async fn unless_stopped(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        done = work => done,
        _ = terminate.recv() => bail!("stopped by SIGTERM; the report is as it was"),
        _ = interrupt.recv() => bail!("stopped by SIGINT; the report is as it was"),
    }
}
