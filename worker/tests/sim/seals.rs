//! Sealing with the vault's real cipher, and with one key for everybody.
//!
//! The places that ciphertexts are bound to are the broker's own: a pair that ends up in another row, or under another
//! generation, does not open.

use crate::dice::Dice;
use crate::life::Life;
use crate::weather::Weather;
use async_trait::async_trait;
use mortise_broker::{Beside, Credentials, Error, FurtherTokens, Place, RefreshTokens, Renewal, Seals};
use mortise_domain::{AccessToken, Clock, CustomerKey, DataKeyId, RefreshToken, Sealed, TokenGrant};
use mortise_store::memory::unavailable;
use mortise_vault::{DataKey, Field, SealContext, VaultError};
use std::sync::Arc;

/// What everybody's tokens are sealed with.
pub struct Strongbox {
    key: DataKey,
    dice: Dice,
}

impl Strongbox {
    pub fn new(clock: &dyn Clock, dice: Dice) -> Self {
        let id = DataKeyId::generate(clock, &dice);
        Self { key: DataKey::generate(id, &dice), dice }
    }

    pub fn seal(&self, place: Place, field: Field, token: &str) -> Result<Sealed, VaultError> {
        self.key.seal(&self.dice, &context(place, field), token.as_bytes())
    }

    pub fn open(&self, place: Place, field: Field, sealed: &Sealed) -> Result<String, VaultError> {
        let plain = self.key.open(&context(place, field), sealed)?;
        Ok(String::from_utf8_lossy(&plain).into_owned())
    }

    /// The refresh token of a row, if it opens.
    pub fn refresh(&self, place: Place, sealed: Option<&Sealed>) -> Option<RefreshToken> {
        self.open(place, Field::RefreshToken, sealed?).ok().map(RefreshToken::new)
    }

    /// The access token of a row, if it opens.
    pub fn access(&self, place: Place, sealed: &Sealed) -> Option<AccessToken> {
        self.open(place, Field::AccessToken, sealed).ok().map(AccessToken::new)
    }
}

fn context(place: Place, field: Field) -> SealContext {
    let record = *place.connection.as_uuid().as_bytes();
    SealContext { environment: place.environment, record, field, generation: place.generation }
}

/// One process's way to them.
pub struct ProcessSeals {
    pub boxed: Arc<Strongbox>,
    pub life: Arc<Life>,
    pub weather: Arc<Weather>,
    pub dice: Dice,
}

#[async_trait]
impl Seals for ProcessSeals {
    async fn prepare(&self, _customer: CustomerKey, _place: Place) -> Result<(), Error> {
        self.life.risk().await;
        // A key that is not in memory is the database's to give.
        if self.weather.now().database_down && self.dice.chance(0.3) {
            return Err(unavailable().into());
        }
        Ok(())
    }

    async fn open_renewal(&self, place: Place, sealed: &Sealed) -> Result<Renewal, Error> {
        self.life.risk().await;
        Ok(Renewal::RefreshToken(RefreshToken::new(self.boxed.open(place, Field::RefreshToken, sealed)?)))
    }

    async fn seal_credentials(&self, _: CustomerKey, _: Place, _: &Credentials) -> Result<Sealed, Error> {
        panic!("no customer of the simulation gives credentials")
    }

    async fn seal_refresh(&self, _: CustomerKey, place: Place, token: &RefreshToken) -> Result<Sealed, Error> {
        self.life.risk().await;
        Ok(self.boxed.seal(place, Field::RefreshToken, token.expose())?)
    }

    async fn seal_refresh_tokens(&self, _: CustomerKey, _: Place, _: &RefreshTokens) -> Result<Sealed, Error> {
        panic!("no provider of the simulation gives several tokens")
    }

    async fn seal_access(
        &self,
        _: CustomerKey,
        place: Place,
        grant: &TokenGrant,
        _: Option<&FurtherTokens>,
    ) -> Result<Sealed, Error> {
        self.life.risk().await;
        Ok(self.boxed.seal(place, Field::AccessToken, grant.access_token.expose())?)
    }

    async fn move_access(
        &self,
        _: CustomerKey,
        from: Place,
        to: Place,
        sealed: &Sealed,
        _: Option<&FurtherTokens>,
    ) -> Result<Sealed, Error> {
        self.life.risk().await;
        let plain = self.boxed.open(from, Field::AccessToken, sealed)?;
        Ok(self.boxed.seal(to, Field::AccessToken, &plain)?)
    }

    /// No provider of the simulation tells any.
    async fn beside(&self, _: Place, _: &Sealed) -> Result<Beside, Error> {
        Ok(Beside::default())
    }

    async fn is_access(&self, place: Place, sealed: &Sealed, token: &AccessToken) -> Result<bool, Error> {
        self.life.risk().await;
        Ok(self.boxed.open(place, Field::AccessToken, sealed)? == token.expose())
    }
}
