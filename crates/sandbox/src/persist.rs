//! The state file: clients, settings, grants and tokens as fingerprints, in JSON, replaced as a whole.
//!
//! Absent on purpose: scripts, the request log and open consent pages, which a restart ends.

use crate::class::RecoveryClass;
use crate::clients::Clients;
use crate::error::SandboxError;
use crate::ledger::Ledger;
use crate::settings::ClassSettings;
use crate::state::State;
use crate::trust::Trust;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

#[derive(Serialize)]
struct ToSave<'a> {
    version: u32,
    clients: &'a Clients,
    trust: &'a Trust,
    settings: &'a BTreeMap<RecoveryClass, ClassSettings>,
    ledger: &'a Ledger,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    #[serde(rename = "version")]
    _version: Version,
    clients: Clients,
    #[serde(default)]
    trust: Trust,
    settings: BTreeMap<RecoveryClass, ClassSettings>,
    ledger: Ledger,
}

/// The only version there is; any other is a damaged file.
struct Version;

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            VERSION => Ok(Self),
            other => Err(serde::de::Error::custom(format_args!("version {other} is not known, expected {VERSION}"))),
        }
    }
}

const VERSION: u32 = 1;

/// Fills `state` from the file; a file that does not exist yet changes nothing.
pub fn load(path: &Path, state: &mut State) -> Result<(), SandboxError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(SandboxError::ReadState { path: path.to_owned(), source }),
    };
    let saved: Saved = serde_json::from_slice(&bytes)
        .map_err(|source| SandboxError::DamagedState { path: path.to_owned(), source })?;
    state.clients = saved.clients;
    state.trust = saved.trust;
    state.settings = saved.settings;
    state.ledger = saved.ledger;
    Ok(())
}

/// Replaces the file: whoever reads it sees the old state or the new one, after a power cut too.
pub fn save(path: &Path, state: &State) -> Result<(), SandboxError> {
    let State { clients, trust, settings, ledger, .. } = state;
    let json = serde_json::to_vec(&ToSave { version: VERSION, clients, trust, settings, ledger })
        .map_err(SandboxError::EncodeState)?;
    replace(path, &json).map_err(|source| SandboxError::WriteState { path: path.to_owned(), source })
}

fn replace(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let beside = Path::new(&name);
    let mut file = File::create(beside)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(beside, path)
}
