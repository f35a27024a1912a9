//! Who signs: a clock, randomness, and the nonces that providers gave last.

use super::{Assertion, htu};
use crate::Outbound;
use crate::dpop::DpopProof;
use jsonwebtoken::errors::{Error as JwtError, ErrorKind};
use mortise_domain::{Clock, Entropy, random_text};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use url::Url;
use zeroize::Zeroizing;

/// So many nonces are remembered; one that is forgotten costs a second request.
const MOST_NONCES: usize = 1000;

/// Where the moment and the randomness of a signature come from. A copy is the same signer.
#[derive(Clone)]
pub struct Signer {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    /// By origin: RFC 9449 section 8.2.
    nonces: Arc<Mutex<BTreeMap<String, String>>>,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer")
    }
}

impl Signer {
    /// A signer that remembers no nonce yet.
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { clock, entropy, nonces: Arc::default() }
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        &*self.entropy
    }

    pub(super) fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    pub(super) fn assertion(&self, assertion: &Assertion) -> Result<Zeroizing<String>, JwtError> {
        let key = assertion.key.as_ref().ok_or(ErrorKind::InvalidKeyFormat)?;
        let mut claims = assertion.claims.clone();
        let now = self.clock.now().timestamp();
        claims.insert("iat".to_owned(), now.into());
        claims.insert("exp".to_owned(), (now + i64::from(assertion.lifetime)).into());
        claims.insert("jti".to_owned(), self.once().into());
        key.sign(Some("JWT"), assertion.key_id.as_deref(), &claims)
    }

    pub(super) fn proof(
        &self,
        proof: &DpopProof,
        request: &Outbound,
        nonce: Option<&str>,
    ) -> Result<Zeroizing<String>, JwtError> {
        let mut claims = proof.claims(request.method, &htu(&request.url), nonce);
        claims.insert("iat".to_owned(), self.clock.now().timestamp().into());
        claims.insert("jti".to_owned(), self.once().into());
        proof.sign(&Value::Object(claims))
    }

    pub(super) fn nonce_for(&self, url: &Url) -> Option<String> {
        self.nonces.lock().unwrap_or_else(PoisonError::into_inner).get(&origin(url)).cloned()
    }

    pub(super) fn remember_nonce(&self, url: &Url, nonce: &str) {
        let mut nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        if nonces.len() >= MOST_NONCES {
            nonces.clear();
        }
        nonces.insert(origin(url), nonce.to_owned());
    }

    /// 128 random bits: RFC 7519 section 4.1.7.
    fn once(&self) -> String {
        random_text::<16, _>(&*self.entropy)
    }
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}
