//! What a ciphertext is bound to, and how it is written.
//!
//! ```text
//! version 1 │ data key id 16 │ nonce 12 │ ciphertext │ tag 16      (bytes)
//! ```

use crate::VaultError;
use mortise_domain::{DataKeyId, EnvironmentKey};

pub(crate) const VERSION: u8 = 1;
pub(crate) const NONCE: usize = 12;
pub(crate) const HEADER: usize = 1 + 16 + NONCE;

/// Which secret of a row is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// A connection's access token with its type and lifted fields.
    AccessToken,
    /// A connection's refresh token.
    RefreshToken,
    /// An app's client secret.
    ClientSecret,
    /// The client secret before it, while both live.
    PreviousClientSecret,
    /// A flow's PKCE verifier.
    PkceVerifier,
    /// A code that waits for the finisher check.
    AuthorizationCode,
    /// A grant on its way into the database.
    Spill,
    /// A refresh token waiting to be revoked.
    RevocationRefreshToken,
    /// An access token waiting to be revoked.
    RevocationAccessToken,
    /// The stored reply of an idempotent request.
    IdempotentReply,
    /// The cookie of a console session.
    ConsoleSession,
}

impl Field {
    const fn name(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::RefreshToken => "refresh_token",
            Self::ClientSecret => "client_secret",
            Self::PreviousClientSecret => "previous_client_secret",
            Self::PkceVerifier => "pkce_verifier",
            Self::AuthorizationCode => "authorization_code",
            Self::Spill => "spill",
            Self::RevocationRefreshToken => "revocation_refresh_token",
            Self::RevocationAccessToken => "revocation_access_token",
            Self::IdempotentReply => "idempotent_reply",
            Self::ConsoleSession => "console_session",
        }
    }
}

/// The place that a ciphertext belongs to. A copy of it elsewhere does not open.
#[derive(Debug, Clone, Copy)]
pub struct SealContext {
    /// The environment of the row.
    pub environment: EnvironmentKey,
    /// The row.
    pub record: [u8; 16],
    /// The field of the row.
    pub field: Field,
    /// Counts the values that the field has had, so that an older one put back does not open.
    pub generation: i64,
}

impl SealContext {
    /// The associated data: every part with its length before it, so that no two contexts write the same bytes.
    pub(crate) fn associated_data(&self, key: DataKeyId) -> Vec<u8> {
        let (environment, key) = (self.environment.as_uuid(), key.as_uuid());
        let generation = self.generation.to_be_bytes();
        let parts: [&[u8]; 6] = [
            &[VERSION],
            environment.as_bytes(),
            &self.record,
            self.field.name().as_bytes(),
            key.as_bytes(),
            &generation,
        ];
        parts.iter().fold(Vec::with_capacity(96), |mut data, part| {
            data.push(u8::try_from(part.len()).unwrap_or(u8::MAX));
            data.extend_from_slice(part);
            data
        })
    }
}

/// The data key that sealed `sealed`.
pub fn data_key_of(sealed: &mortise_domain::Sealed) -> Result<DataKeyId, VaultError> {
    match sealed.as_bytes() {
        [VERSION, rest @ ..] if rest.len() >= HEADER - 1 => {
            uuid::Uuid::from_slice(&rest[..16]).map(DataKeyId::from_uuid).map_err(|_| VaultError::Format)
        }
        _ => Err(VaultError::Format),
    }
}
