//! Console sessions: a signed-in browser carries a sealed cookie that names an API key and an end; the key's rights are
//! looked up anew each time, so that revoking the key ends the session.

use crate::data_keys::KeyOwner;
use crate::sealing::{environment_place, text};
use crate::{Broker, Caller, Error, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mortise_domain::{ApiKeyId, Sealed, Timestamp};
use mortise_vault::Field;
use std::time::Duration;

/// How long a browser stays signed in.
const LIFETIME: Duration = Duration::from_secs(8 * 3600);

impl Broker {
    /// The cookie for whoever presented this key.
    pub async fn open_console(&self, caller: &Caller) -> Result<String> {
        let end = (self.clock.now() + LIFETIME).timestamp();
        let place = environment_place(caller.environment, uuid::Uuid::nil(), Field::ConsoleSession);
        let key = self.secrets.data_keys.sealing(KeyOwner::Environment(caller.environment)).await?;
        let sealed = key.seal(&*self.entropy, &place, format!("{} {end}", caller.key).as_bytes())?;
        Ok(format!("{}.{}", caller.environment.as_uuid().simple(), URL_SAFE_NO_PAD.encode(sealed.as_bytes())))
    }

    /// Who a console cookie stands for.
    pub async fn console_caller(&self, cookie: &str) -> Result<Caller> {
        let (environment, sealed) = cookie.split_once('.').ok_or(Error::Unauthorized)?;
        let environment = uuid::Uuid::try_parse(environment).map_err(|_| Error::Unauthorized)?;
        let environment = mortise_domain::EnvironmentKey::from_uuid(environment);
        let sealed = URL_SAFE_NO_PAD.decode(sealed).map(Sealed::from_bytes).map_err(|_| Error::Unauthorized)?;
        let place = environment_place(environment, uuid::Uuid::nil(), Field::ConsoleSession);
        let key = self.secrets.data_keys.opening(&sealed).await.map_err(|_| Error::Unauthorized)?;
        let plain = key.open(&place, &sealed).map_err(|_| Error::Unauthorized)?;
        let (id, end) = text(&plain)?.split_once(' ').ok_or(Error::Unauthorized)?;
        let id: ApiKeyId = id.parse().map_err(|_| Error::Unauthorized)?;
        let end = end.parse().ok().and_then(|seconds| Timestamp::from_timestamp(seconds, 0));
        let row = self.store.api_key_by_id(id).await?.filter(|row| self.is_live(row) && row.environment == environment);
        match row {
            Some(row) if end.is_some_and(|end| end > self.clock.now()) => {
                Ok(Caller { environment, key: row.id, scopes: row.scopes })
            }
            Some(_) | None => Err(Error::Unauthorized),
        }
    }
}
