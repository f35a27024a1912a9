//! Errors of the vault: opaque about secrets, plain about what to do.

use std::path::PathBuf;

/// Why something could not be sealed or opened. Says nothing about the content, on purpose.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum VaultError {
    /// The header is not one that this program writes.
    #[error("the ciphertext has an unknown format")]
    Format,
    /// It was sealed under another data key than the one at hand.
    #[error("the ciphertext names another data key")]
    OtherDataKey,
    /// The authentication tag is wrong: another key, another row, field or generation, or changed bytes.
    #[error("the ciphertext does not authenticate")]
    NotAuthentic,
    /// A data key is wrapped by a key-encryption key that the key file does not hold.
    #[error("key-encryption key `{0}` is not in the key file")]
    UnknownKeyEncryptionKey(String),
}

/// Why the key file could not be used. Never quotes its content.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file could not be read or written.
    #[error("the key file {path} cannot be read or written")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file is there already.
    #[error("the key file {0} exists already; `mortise keys rotate` adds a key to it")]
    Exists(PathBuf),
    /// The file is not what `keys init` writes.
    #[error("the key file {path} is not a key file: {fault}")]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// Others may read the file.
    #[error("the key file {0} can be read by others: run `chmod 600` on it")]
    Permissions(PathBuf),
}
