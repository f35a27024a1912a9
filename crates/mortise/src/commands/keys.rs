//! `mortise keys`: key-encryption keys.

use super::print;
use crate::assemble;
use crate::cli::Keys;
use crate::settings::Settings;
use mortise_domain::OsEntropy;
use mortise_vault::{create_key_file, rotate_key_file};

pub(super) async fn run(settings: &Settings, command: Keys) -> anyhow::Result<()> {
    match command {
        Keys::Init => {
            let id = create_key_file(settings.key_file()?, &OsEntropy)?;
            print::line(format!(
                "made {} with key {id}: keep a copy where the database's backups are not",
                path(settings)?
            ))
        }
        Keys::Rotate => rotate(settings).await,
        Keys::Status => status(settings).await,
        Keys::Verify => {
            assemble::broker(settings).await?.broker.verify_keys().await?;
            print::line("every key that is referred to is in the key file and opens what it wrapped")
        }
    }
}

/// The new key has to reach every process before anything is wrapped with it, so the two halves can be run apart: the
/// first run adds the key if the primary one is in use; running replicas read the file at their next start.
async fn rotate(settings: &Settings) -> anyhow::Result<()> {
    assemble::broker(settings).await?.broker.verify_keys().await?;
    let id = rotate_key_file(settings.key_file()?, &OsEntropy)?;
    print::line(format!("added key {id} to {} and made it the primary one", path(settings)?))?;
    let count = assemble::broker(settings).await?.broker.rewrap_data_keys().await?;
    print::line(format!("wrapped {count} data keys anew; restart running processes, so that they read the new key"))?;
    status(settings).await
}

async fn status(settings: &Settings) -> anyhow::Result<()> {
    for key in assemble::broker(settings).await?.broker.key_status().await? {
        let role = if key.primary { "primary" } else { "retiring" };
        let present = if key.present { "" } else { "  MISSING from the key file" };
        print::line(format!("{}  {role:<8}  {} data keys{present}", key.id, key.data_keys))?;
    }
    Ok(())
}

fn path(settings: &Settings) -> anyhow::Result<String> {
    Ok(settings.key_file()?.display().to_string())
}
