//! Requests that may be sent twice: the first reply is kept, sealed, for 24 hours.

use crate::data_keys::KeyOwner;
use crate::sealing::environment_place;
use crate::{Broker, Caller, Error, Result};
use mortise_store::{IdempotencyBegin, IdempotencyKey};
use mortise_vault::{Field, sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

/// A request that carries an `Idempotency-Key`.
#[derive(Debug, Clone)]
pub struct IdempotentRequest {
    /// Digest of the key and of the route.
    pub key: [u8; 32],
    /// Digest of the body.
    pub body: [u8; 32],
}

/// What is known of it.
#[derive(Debug)]
pub enum Begun {
    /// Nothing: carry it out, then [`Broker::finish_idempotent`] or [`Broker::forget_idempotent`].
    New,
    /// Another one of the same key is at it.
    InFlight,
    /// The key was used with another body.
    Mismatch,
    /// This was answered.
    Replay {
        /// The status.
        status: u16,
        /// The body, which may hold secrets that are shown once.
        body: Zeroizing<Vec<u8>>,
    },
}

impl IdempotentRequest {
    /// The digests of a request. The route belongs to the key: one key for two routes is two requests.
    pub fn new(route: &str, key: &str, body: &[u8]) -> Self {
        Self { key: sha256(format!("{route}\n{key}")), body: sha256(body) }
    }

    /// A place to bind the sealed reply to.
    fn record(&self) -> Uuid {
        let mut half = [0_u8; 16];
        half.copy_from_slice(&self.key[..16]);
        Uuid::from_bytes(half)
    }
}

impl Broker {
    /// Looks a request up, or notes that it has begun.
    pub async fn begin_idempotent(&self, caller: &Caller, request: &IdempotentRequest) -> Result<Begun> {
        let key = IdempotencyKey { environment: caller.environment, digest: request.key };
        match self.store.idempotency_begin(&key, &request.body, self.clock.now()).await? {
            IdempotencyBegin::New => Ok(Begun::New),
            IdempotencyBegin::InFlight => Ok(Begun::InFlight),
            IdempotencyBegin::Mismatch => Ok(Begun::Mismatch),
            IdempotencyBegin::Replay { status, body } => {
                let place = environment_place(caller.environment, request.record(), Field::IdempotentReply);
                let body = self.secrets.data_keys.opening(&body).await?.open(&place, &body)?;
                let status = u16::try_from(status).map_err(|_| Error::missing("a stored status"))?;
                Ok(Begun::Replay { status, body })
            }
        }
    }

    /// Keeps the reply.
    pub async fn finish_idempotent(
        &self,
        caller: &Caller,
        request: &IdempotentRequest,
        status: u16,
        body: &[u8],
    ) -> Result<()> {
        let key = IdempotencyKey { environment: caller.environment, digest: request.key };
        let place = environment_place(caller.environment, request.record(), Field::IdempotentReply);
        let sealing = self.secrets.data_keys.sealing(KeyOwner::Environment(caller.environment)).await?;
        let sealed = sealing.seal(&*self.entropy, &place, body)?;
        Ok(self.store.idempotency_finish(&key, i32::from(status), &sealed).await?)
    }

    /// Lets the key be used again: the request changed nothing.
    pub async fn forget_idempotent(&self, caller: &Caller, request: &IdempotentRequest) -> Result<()> {
        let key = IdempotencyKey { environment: caller.environment, digest: request.key };
        Ok(self.store.idempotency_forget(&key).await?)
    }
}
