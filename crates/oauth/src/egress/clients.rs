//! The HTTP clients: one that keeps connections, one that does not, and both again for each certificate that is shown.
//!
//! Invariant: a certificate is shown by the connections of its own clients only, so no provider sees another app's.

use super::{EgressError, EgressPolicy, resolver::Guard};
use crate::ClientIdentity;
use reqwest::{Client, redirect, retry};
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs::default_provider;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// So many certificates have clients at hand; another one pushes them out.
const MOST_IDENTITIES: usize = 100;

/// Clients by what they show.
#[derive(Debug)]
pub(super) struct Clients {
    policy: EgressPolicy,
    roots: Arc<RootCertStore>,
    nameless: Pair,
    by_identity: Mutex<BTreeMap<[u8; 32], Pair>>,
}

#[derive(Debug, Clone)]
struct Pair {
    pooled: Client,
    fresh: Client,
}

impl Clients {
    pub(super) fn new(policy: EgressPolicy, roots: RootCertStore) -> Result<Self, EgressError> {
        let roots = Arc::new(roots);
        let nameless = Pair::new(&policy, &roots, None)?;
        Ok(Self { policy, roots, nameless, by_identity: Mutex::default() })
    }

    /// A client whose connections are fresh, or may have been used before.
    pub(super) fn of(&self, identity: Option<&ClientIdentity>, fresh: bool) -> Result<Client, EgressError> {
        let pair = match identity {
            None => self.nameless.clone(),
            Some(identity) => self.showing(identity)?,
        };
        Ok(if fresh { pair.fresh } else { pair.pooled })
    }

    fn showing(&self, identity: &ClientIdentity) -> Result<Pair, EgressError> {
        let digest = identity.digest();
        let mut known = self.by_identity.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pair) = known.get(&digest) {
            return Ok(pair.clone());
        }
        let pair = Pair::new(&self.policy, &self.roots, Some(identity))?;
        if known.len() >= MOST_IDENTITIES {
            known.clear();
        }
        known.insert(digest, pair.clone());
        Ok(pair)
    }
}

impl Pair {
    fn new(
        policy: &EgressPolicy,
        roots: &Arc<RootCertStore>,
        identity: Option<&ClientIdentity>,
    ) -> Result<Self, EgressError> {
        let tls = tls(roots.clone(), identity)?;
        let pooled = client(policy, tls.clone(), usize::MAX)?;
        // Without an idle pool a connection carries one request, so that none is written into one just being closed.
        let fresh = client(policy, tls, 0)?;
        Ok(Self { pooled, fresh })
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one HTTP client")]
fn client(policy: &EgressPolicy, tls: rustls::ClientConfig, idle: usize) -> Result<Client, reqwest::Error> {
    Client::builder()
        .tls_backend_preconfigured(tls)
        .dns_resolver(Guard::new(policy.clone()))
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .no_proxy()
        .referer(false)
        .http1_only()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_max_idle_per_host(idle)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .user_agent(concat!("mortise/", env!("CARGO_PKG_VERSION")))
        .build()
}

fn tls(roots: Arc<RootCertStore>, identity: Option<&ClientIdentity>) -> Result<rustls::ClientConfig, EgressError> {
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    let mut tls = match identity {
        None => tls.with_no_client_auth(),
        Some(identity) => {
            let (chain, key) = identity.parts()?;
            tls.with_client_auth_cert(chain, key)?
        }
    };
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(tls)
}
