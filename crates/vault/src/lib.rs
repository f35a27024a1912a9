//! All cryptography of the broker: key-encryption keys, data keys, sealing, digests, the format of API keys.
//!
//! Envelope: every customer (and every environment, for what belongs to no customer) has a data key; data keys are
//! stored wrapped by a key-encryption key that never enters the database. Invariant: whatever is sealed here says which
//! data key sealed it and opens only for the row, field and generation it was sealed for. Deliberately absent: a
//! pass-through mode, a nonce or key from anywhere but [`mortise_domain::Entropy`], and any knowledge of SQL.

mod api_key;
mod data_key;
mod digest;
mod error;
mod key_file;
mod keyring;
mod seal;

pub use api_key::{api_key_id, mint_api_key};
pub use data_key::DataKey;
pub use digest::{code_challenge, is_hmac_sha256, same, sha256};
pub use error::{KeyFileError, VaultError};
pub use key_file::{create_key_file, load_key_file, rotate_key_file};
pub use keyring::{Keyring, WrappedKey};
pub use seal::{Field, SealContext, data_key_of};
