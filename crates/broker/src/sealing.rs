//! Which secret is sealed under which key for which place: the one list of it.

mod several;

use crate::data_keys::{DataKeys, KeyOwner};
use crate::further::FurtherTokens;
use crate::pasted::{as_text, of_text};
use crate::refresh::{Beside, Seals};
use crate::renewal::RefreshTokens;
use crate::{Error, Renewal, Result};
use async_trait::async_trait;
use mortise_domain::{
    AccessToken, AppKey, AttemptId, AuthorizationCode, ClientSecret, ConnectionId, CustomerKey, DpopKey, Entropy,
    EnvironmentKey, PastedSecret, PkceVerifier, RefreshToken, RevocationId, Sealed, TokenGrant, TokenType,
};
use mortise_oauth::Credentials;
use mortise_vault::{Field, SealContext, VaultError, same, sha256};
use serde::{Deserialize, Serialize};
use several::{SealedFurther, with_further};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use zeroize::Zeroizing;

/// A connection's access token with what is handed out beside it, opened.
pub(crate) struct Access {
    pub(crate) token: AccessToken,
    pub(crate) token_type: TokenType,
    pub(crate) extra: BTreeMap<String, serde_json::Value>,
    pub(crate) kept: BTreeMap<String, PastedSecret>,
    pub(crate) dpop_key: Option<DpopKey>,
    pub(crate) further: Option<FurtherTokens>,
}

/// The same as one value to seal. Short names: this stands in every connection's row.
#[derive(Serialize, Deserialize)]
pub(crate) struct SealedAccess<'a> {
    #[serde(rename = "t", borrow)]
    token: Cow<'a, str>,
    /// Absent: bearer.
    #[serde(rename = "y", skip_serializing_if = "Option::is_none", default)]
    token_type: Option<String>,
    #[serde(rename = "x", skip_serializing_if = "BTreeMap::is_empty", default)]
    extra: Cow<'a, BTreeMap<String, serde_json::Value>>,
    #[serde(rename = "k", skip_serializing_if = "BTreeMap::is_empty", default, borrow)]
    kept: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
    /// What the token is bound to (RFC 9449).
    #[serde(rename = "p", skip_serializing_if = "Option::is_none", default, borrow)]
    dpop_key: Option<Cow<'a, str>>,
    /// The connection's further tokens.
    #[serde(rename = "f", skip_serializing_if = "Option::is_none", default, borrow)]
    further: Option<SealedFurther<'a>>,
}

impl<'a> SealedAccess<'a> {
    /// What of a grant is handed out, with the further tokens as they are kept.
    pub(crate) fn of(grant: &'a TokenGrant, further: Option<&'a FurtherTokens>) -> Self {
        let named = grant.token_type != TokenType::bearer();
        Self {
            token: grant.access_token.expose().into(),
            token_type: named.then(|| grant.token_type.as_str().to_owned()),
            extra: Cow::Borrowed(&grant.extra),
            kept: grant.kept.iter().map(|(name, value)| (name.into(), value.expose().into())).collect(),
            dpop_key: grant.dpop_key.as_ref().map(|key| key.expose().into()),
            further: further.map(SealedFurther::of),
        }
    }
}

impl From<SealedAccess<'_>> for Access {
    fn from(sealed: SealedAccess<'_>) -> Self {
        Self {
            token: AccessToken::new(sealed.token),
            token_type: sealed.token_type.as_deref().map_or_else(TokenType::bearer, TokenType::new),
            extra: sealed.extra.into_owned(),
            kept: sealed.kept.into_iter().map(|(name, value)| (name.into_owned(), PastedSecret::new(value))).collect(),
            dpop_key: sealed.dpop_key.map(DpopKey::new),
            further: sealed.further.map(SealedFurther::open),
        }
    }
}

/// The place of a connection's credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Where the connection belongs.
    pub environment: EnvironmentKey,
    /// Which one.
    pub connection: ConnectionId,
    /// Which of its pairs.
    pub generation: i64,
}

impl Place {
    fn context(self, field: Field) -> SealContext {
        let record = *self.connection.as_uuid().as_bytes();
        SealContext { environment: self.environment, record, field, generation: self.generation }
    }
}

/// Secrets on their way into the database and out of it.
pub(crate) struct Secrets {
    pub(crate) data_keys: DataKeys,
    pub(crate) entropy: Arc<dyn Entropy>,
}

impl Secrets {
    pub(crate) async fn open_access(&self, place: Place, sealed: &Sealed) -> Result<Access> {
        let key = self.data_keys.opening(sealed).await?;
        let plain = key.open(&place.context(Field::AccessToken), sealed)?;
        Ok(serde_json::from_slice::<SealedAccess<'_>>(&plain)?.into())
    }
}

#[async_trait]
impl Seals for Secrets {
    async fn prepare(&self, customer: CustomerKey, place: Place) -> Result<()> {
        self.data_keys.sealing(KeyOwner::Customer(place.environment, customer)).await.map(drop)
    }

    async fn move_access(
        &self,
        customer: CustomerKey,
        from: Place,
        to: Place,
        sealed: &Sealed,
        further: Option<&FurtherTokens>,
    ) -> Result<Sealed> {
        let mut plain = self.data_keys.opening(sealed).await?.open(&from.context(Field::AccessToken), sealed)?;
        if let Some(further) = further {
            plain = with_further(&plain, further)?;
        }
        let key = self.data_keys.sealing(KeyOwner::Customer(to.environment, customer)).await?;
        Ok(key.seal(&*self.entropy, &to.context(Field::AccessToken), &plain)?)
    }

    async fn beside(&self, place: Place, sealed: &Sealed) -> Result<Beside> {
        let Access { extra, kept, dpop_key, further, .. } = self.open_access(place, sealed).await?;
        Ok(Beside { fields: extra, kept, dpop_key, further })
    }

    async fn is_access(&self, place: Place, sealed: &Sealed, token: &AccessToken) -> Result<bool> {
        Ok(self.open_access(place, sealed).await?.token.expose() == token.expose())
    }

    async fn seal_access(
        &self,
        customer: CustomerKey,
        place: Place,
        grant: &TokenGrant,
        further: Option<&FurtherTokens>,
    ) -> Result<Sealed> {
        let key = self.data_keys.sealing(KeyOwner::Customer(place.environment, customer)).await?;
        let plain = Zeroizing::new(serde_json::to_vec(&SealedAccess::of(grant, further))?);
        Ok(key.seal(&*self.entropy, &place.context(Field::AccessToken), &plain)?)
    }

    async fn seal_refresh(&self, customer: CustomerKey, place: Place, token: &RefreshToken) -> Result<Sealed> {
        let key = self.data_keys.sealing(KeyOwner::Customer(place.environment, customer)).await?;
        Ok(key.seal(&*self.entropy, &place.context(Field::RefreshToken), token.expose().as_bytes())?)
    }

    async fn seal_refresh_tokens(&self, customer: CustomerKey, place: Place, tokens: &RefreshTokens) -> Result<Sealed> {
        let key = self.data_keys.sealing(KeyOwner::Customer(place.environment, customer)).await?;
        let plain = several::sealed(tokens)?;
        Ok(key.seal(&*self.entropy, &place.context(Field::RefreshToken), plain.as_bytes())?)
    }

    async fn seal_credentials(&self, customer: CustomerKey, place: Place, given: &Credentials) -> Result<Sealed> {
        let key = self.data_keys.sealing(KeyOwner::Customer(place.environment, customer)).await?;
        let plain = marked(given)?;
        Ok(key.seal(&*self.entropy, &place.context(Field::RefreshToken), plain.as_bytes())?)
    }

    async fn open_renewal(&self, place: Place, sealed: &Sealed) -> Result<Renewal> {
        let key = self.data_keys.opening(sealed).await?;
        renewal(text(&key.open(&place.context(Field::RefreshToken), sealed)?)?)
    }
}

/// What stands before credentials in the place of a refresh token, which never holds a control character.
const CREDENTIALS: char = '\u{1}';

/// Credentials in a form that no refresh token can have.
fn marked(given: &Credentials) -> Result<Zeroizing<String>> {
    let plain = as_text(given)?;
    let mut marked = Zeroizing::new(String::with_capacity(plain.len() + CREDENTIALS.len_utf8()));
    marked.push(CREDENTIALS);
    marked.push_str(&plain);
    Ok(marked)
}

/// What stands in the place of a refresh token.
fn renewal(plain: &str) -> Result<Renewal> {
    if let Some(several) = plain.strip_prefix(several::MARK) {
        return Ok(Renewal::Several(several::opened(several)?));
    }
    Ok(match plain.strip_prefix(CREDENTIALS) {
        Some(given) => Renewal::Credentials(of_text(given)?),
        None => Renewal::RefreshToken(RefreshToken::new(plain)),
    })
}

/// Secrets that belong to an environment and not to a customer.
macro_rules! environment_secrets {
    ($($seal:ident, $open:ident: $secret:ident as $field:ident of $record:ident;)*) => {
        impl Secrets {$(
            pub(crate) async fn $seal(&self, environment: EnvironmentKey, of: $record, secret: &$secret) -> Result<Sealed> {
                let context = environment_place(environment, of.as_uuid(), Field::$field);
                let key = self.data_keys.sealing(KeyOwner::Environment(environment)).await?;
                Ok(key.seal(&*self.entropy, &context, secret.expose().as_bytes())?)
            }

            pub(crate) async fn $open(&self, environment: EnvironmentKey, of: $record, sealed: &Sealed) -> Result<$secret> {
                let context = environment_place(environment, of.as_uuid(), Field::$field);
                let key = self.data_keys.opening(sealed).await?;
                Ok($secret::new(text(&key.open(&context, sealed)?)?))
            }
        )*}
    };
}

environment_secrets! {
    seal_client_secret, open_client_secret: ClientSecret as ClientSecret of AppKey;
    seal_previous_secret, open_previous_secret: ClientSecret as PreviousClientSecret of AppKey;
    seal_verifier, open_verifier: PkceVerifier as PkceVerifier of AttemptId;
    seal_code, open_code: AuthorizationCode as AuthorizationCode of AttemptId;
    seal_doomed_refresh, open_doomed_refresh: RefreshToken as RevocationRefreshToken of RevocationId;
    seal_doomed_access, open_doomed_access: AccessToken as RevocationAccessToken of RevocationId;
}

pub(crate) fn environment_place(environment: EnvironmentKey, record: uuid::Uuid, field: Field) -> SealContext {
    SealContext { environment, record: record.into_bytes(), field, generation: 0 }
}

impl Secrets {
    /// Whether a given client secret is the stored one, in a time that does not depend on how much of it is right.
    pub(crate) async fn is_client_secret(
        &self,
        environment: EnvironmentKey,
        app: AppKey,
        stored: &Sealed,
        given: &ClientSecret,
    ) -> Result<bool> {
        let stored = self.open_client_secret(environment, app, stored).await?;
        Ok(same(&sha256(stored.expose()), &sha256(given.expose())))
    }
}

/// Whether a secret did not open because of what is stored, and not because this process lacks a key that others may have.
pub(crate) fn blames_the_row(error: &VaultError) -> bool {
    match error {
        VaultError::Format | VaultError::OtherDataKey | VaultError::NotAuthentic => true,
        VaultError::UnknownKeyEncryptionKey(_) => false,
    }
}

pub(crate) fn text(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| Error::missing("the text of an opened secret"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_and_refresh_tokens_are_never_taken_for_each_other() {
        let given = |value: &str| Credentials::from([("password".to_owned(), PastedSecret::new(value))]);
        for value in ["p", "", "\u{1}", "{\"a\":\"b\"}", "ä\"\\\n"] {
            let plain = marked(&given(value)).expect("a text");
            let Ok(Renewal::Credentials(back)) = renewal(&plain) else {
                panic!("{value:?} came back as something else")
            };
            assert_eq!(back["password"].expose(), value);
        }
        for token in ["rt-1", "{\"password\":\"p\"}", " \u{1}{}"] {
            let Ok(Renewal::RefreshToken(back)) = renewal(token) else {
                panic!("{token:?} came back as something else")
            };
            assert_eq!(back.expose(), token);
        }
        assert!(renewal("\u{1}no JSON").is_err());
    }
}
