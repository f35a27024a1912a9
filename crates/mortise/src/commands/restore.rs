//! `mortise restore`: what to do after the database was restored from a backup.

use super::print;
use crate::assemble;
use crate::cli::{Release, Restore};
use crate::settings::Settings;
use anyhow::{Context as _, bail};
use mortise_broker::{Broker, Vouched};
use mortise_domain::Timestamp;
use std::path::PathBuf;

pub(super) async fn run(settings: &Settings, command: Restore) -> anyhow::Result<()> {
    let broker = assemble::broker(settings).await?.broker;
    broker.verify_keys().await?;
    match command {
        Restore::Begin { spill, stopped_at } => {
            let stopped_at = stopped_at.map(|at| at.parse().context("--stopped-at")).transpose()?;
            begin(&broker, folders(settings, spill)?, stopped_at).await?;
        }
        Restore::Release(release) => {
            let released = broker.vouch(&vouched(release)?).await?;
            print::line(format!("switched on {released} connections"))?;
        }
        Restore::Status => {}
    }
    print::line(format!("{} connections are off since a restore", broker.in_doubt().await?))
}

async fn begin(broker: &Broker, folders: Vec<PathBuf>, stopped_at: Option<Timestamp>) -> anyhow::Result<()> {
    let restored = broker.restore(&folders, stopped_at).await?;
    print::line(format!("switched off {} connections whose refresh tokens may have been used", restored.held))?;
    print::line(format!("stored {} grants from {} spill folders", restored.replayed, folders.len()))?;
    print::line(format!("switched on {} connections that the spill folders prove to be current", restored.proved))
}

/// The process's own folder may not be there yet; one that somebody names must be.
fn folders(settings: &Settings, named: Vec<PathBuf>) -> anyhow::Result<Vec<PathBuf>> {
    if let Some(absent) = named.iter().find(|folder| !folder.is_dir()) {
        bail!("--spill: {} is not a folder", absent.display());
    }
    let own = settings.spill_dir()?;
    let own = (own.is_dir() && !named.contains(&own)).then_some(own);
    Ok(named.into_iter().chain(own).collect())
}

fn vouched(release: Release) -> anyhow::Result<Vouched> {
    Ok(match release {
        Release { connection: Some(id), .. } => Vouched::Connection(id.parse().context("--connection")?),
        Release { app: Some(app), environment: Some(environment), .. } => {
            Vouched::App(environment.parse().context("--environment")?, app.parse().context("--app")?)
        }
        Release { .. } => Vouched::All,
    })
}
