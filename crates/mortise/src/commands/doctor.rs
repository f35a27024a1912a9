//! `mortise doctor`: what is wrong with an installation, and how to mend it.

use super::{migrate, print};
use crate::assemble;
use crate::settings::Settings;
use anyhow::bail;
use mortise_migrations::Migrator;
use sea_orm_migration::MigratorTrait as _;

pub(super) async fn run(settings: &Settings) -> anyhow::Result<()> {
    let mut wrong = 0;
    for (what, found) in [
        ("database", database(settings).await),
        ("keys", keys(settings).await),
        ("spill folder and stored data", start(settings).await),
        ("public URL", public_url(settings)),
    ] {
        match found {
            Ok(fine) => print::line(format!("ok     {what}: {fine}"))?,
            Err(error) => {
                wrong += 1;
                print::line(format!("WRONG  {what}: {error:#}"))?;
            }
        }
    }
    if wrong > 0 { bail!("{wrong} of 4 checks found something wrong") } else { Ok(()) }
}

async fn database(settings: &Settings) -> anyhow::Result<String> {
    let database = migrate::connect(settings.database_url()?).await?;
    let pending = Migrator::get_pending_migrations(&database).await?.len();
    database.close().await?;
    if pending > 0 {
        bail!("{pending} migrations are pending: run `mortise migrate`");
    }
    Ok("answers, and its schema is current".to_owned())
}

async fn keys(settings: &Settings) -> anyhow::Result<String> {
    let broker = assemble::broker(settings).await?.broker;
    broker.verify_keys().await?;
    let count: u64 = broker.key_status().await?.iter().map(|key| key.data_keys).sum();
    Ok(format!("the key file opens all {count} data keys' key-encryption keys"))
}

async fn start(settings: &Settings) -> anyhow::Result<String> {
    assemble::checked_broker(settings).await?;
    Ok("a start would succeed".to_owned())
}

fn public_url(settings: &Settings) -> anyhow::Result<String> {
    if settings.public_url.scheme() != "https" {
        return Ok(format!("{} is for trying out: cookies carry neither Secure nor __Host-", settings.public_url));
    }
    Ok(settings.public_url.to_string())
}
