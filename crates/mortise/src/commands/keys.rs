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

/// Running processes read the key file again when they first meet a data key under the new key: on another machine the
/// new file has to be there before this goes on, so the file of a cluster belongs on a volume that all of it mounts.
async fn rotate(settings: &Settings) -> anyhow::Result<()> {
    assemble::broker(settings).await?.broker.verify_keys().await?;
    let id = rotate_key_file(settings.key_file()?, &OsEntropy)?;
    print::line(format!("added key {id} to {} and made it the primary one", path(settings)?))?;
    let count = assemble::broker(settings).await?.broker.rewrap_data_keys().await?;
    print::line(format!(
        "wrapped {count} data keys anew; running processes take the new key into use as they meet it"
    ))?;
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
