//! The key file: the key-encryption keys of an installation, outside the database and readable by its owner only.
//!
//! ```json
//! {"primary": "kek_…", "keys": [{"id": "kek_…", "key": "<32 bytes as base64>"}]}
//! ```

use crate::{KeyFileError, Keyring};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mortise_domain::Entropy;
use serde::{Deserialize, Serialize};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use zeroize::Zeroizing;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    primary: String,
    keys: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    key: Zeroizing<String>,
}

impl Entry {
    fn generate(entropy: &dyn Entropy) -> Self {
        let mut id = [0_u8; 8];
        entropy.fill(&mut id);
        let mut key = Zeroizing::new([0_u8; 32]);
        entropy.fill(key.as_mut());
        Self { id: format!("kek_{}", hex::encode(id)), key: Zeroizing::new(STANDARD.encode(key.as_ref())) }
    }
}

/// Writes a new key file with one key; an existing file is left alone. Answers the key's id.
pub fn create_key_file(path: &Path, entropy: &dyn Entropy) -> Result<String, KeyFileError> {
    if path.exists() {
        return Err(KeyFileError::Exists(path.to_owned()));
    }
    let entry = Entry::generate(entropy);
    let primary = entry.id.clone();
    write(path, &KeyFile { primary: primary.clone(), keys: vec![entry] })?;
    Ok(primary)
}

/// Adds a key and makes it the primary one. Data keys stay under the old key until they are wrapped anew, so no running
/// process is disturbed. Answers the new key's id.
pub fn rotate_key_file(path: &Path, entropy: &dyn Entropy) -> Result<String, KeyFileError> {
    let mut file = read(path)?;
    let entry = Entry::generate(entropy);
    file.primary.clone_from(&entry.id);
    file.keys.push(entry);
    write(path, &file)?;
    Ok(file.primary)
}

/// Reads the keys.
pub fn load_key_file(path: &Path) -> Result<Keyring, KeyFileError> {
    let file = read(path)?;
    let malformed = |fault| KeyFileError::Malformed { path: path.to_owned(), fault };
    let keys = file.keys.iter().map(|entry| {
        let bytes = Zeroizing::new(STANDARD.decode(&*entry.key).map_err(|_| malformed("a key is not base64"))?);
        let key = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| malformed("a key is not 32 bytes long"))?;
        Ok((entry.id.clone(), Zeroizing::new(key)))
    });
    let keys = keys.collect::<Result<_, KeyFileError>>()?;
    Keyring::new(file.primary, keys).ok_or_else(|| malformed("the primary key is not among the keys"))
}

fn read(path: &Path) -> Result<KeyFile, KeyFileError> {
    let io = |source| KeyFileError::Io { path: path.to_owned(), source };
    let mode = std::fs::metadata(path).map_err(io)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Permissions(path.to_owned()));
    }
    let text = Zeroizing::new(std::fs::read_to_string(path).map_err(io)?);
    serde_json::from_str(&text).map_err(|_| KeyFileError::Malformed {
        path: path.to_owned(),
        fault: "it is not the JSON that `mortise keys init` writes",
    })
}

/// Writes beside the file, flushes, and renames: a crash leaves the old keys or the new, never half of them.
fn write(path: &Path, file: &KeyFile) -> Result<(), KeyFileError> {
    let io = |source| KeyFileError::Io { path: path.to_owned(), source };
    let fault = "its keys cannot be written as JSON";
    let text = serde_json::to_vec_pretty(file).map(Zeroizing::new);
    let text = text.map_err(|_| KeyFileError::Malformed { path: path.to_owned(), fault })?;
    let beside = path.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    let mut out = options.write(true).create(true).truncate(true).mode(0o600).open(&beside).map_err(io)?;
    out.write_all(&text).and_then(|()| out.sync_all()).map_err(io)?;
    std::fs::rename(&beside, path).map_err(io)?;
    match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => std::fs::File::open(parent).and_then(|folder| folder.sync_all()).map_err(io),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DataKey;
    use mortise_domain::{DataKeyId, ManualClock, SeededEntropy};

    #[test]
    fn rotation_keeps_what_the_old_key_wrapped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let entropy = SeededEntropy::new(7);
        let first = create_key_file(&path, &entropy).unwrap();
        let key = DataKey::generate(DataKeyId::generate(&ManualClock::at_unix(1), &entropy), &entropy);
        let wrapped = load_key_file(&path).unwrap().wrap(&key, &entropy).unwrap();
        let second = rotate_key_file(&path, &entropy).unwrap();
        let keyring = load_key_file(&path).unwrap();
        assert_ne!(first, second);
        assert_eq!(keyring.primary(), second);
        assert_eq!(keyring.unwrap(key.id(), &wrapped).unwrap().bytes(), key.bytes());
        assert!(matches!(create_key_file(&path, &entropy), Err(KeyFileError::Exists(_))));
    }

    #[test]
    fn a_key_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        create_key_file(&path, &SeededEntropy::new(7)).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(load_key_file(&path), Err(KeyFileError::Permissions(_))));
    }

    #[test]
    fn a_damaged_key_file_is_named_without_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        std::fs::write(&path, r#"{"primary":"a","keys":[{"id":"a","key":"c2hvcnQ="}]}"#).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let error = load_key_file(&path).unwrap_err().to_string();
        assert!(error.contains("not 32 bytes") && !error.contains("c2hvcnQ"), "{error}");
    }
}
