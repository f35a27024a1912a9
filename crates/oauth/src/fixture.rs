//! What the unit tests of this crate share: a provider, a client, and canaries that must not turn up.

use crate::{ClientRegistration, Outbound, Provider, Signer};
use mortise_connectors::{Manifest, Values};
use mortise_domain::{ClientSecret, ManualClock, SeededEntropy};
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) const CLIENT_SECRET: &str = "canary-client-secret";
pub(crate) const REFRESH_TOKEN: &str = "canary-refresh-token";

/// A manifest whose `auth` is `changes` laid over a plain one.
pub(crate) fn manifest(changes: Value) -> Manifest {
    let mut auth = json!({
        "type": "oauth2",
        "grant": "authorization_code",
        "authorization_url": "https://{subdomain}.acme.example/oauth/authorize",
        "token_url": "https://{subdomain}.acme.example/oauth/token",
    });
    if let (Some(auth), Value::Object(changes)) = (auth.as_object_mut(), changes) {
        auth.extend(changes);
    }
    let variables = json!({"subdomain": {"type": "host_label", "title": "Subdomain"}});
    let manifest = json!({"id": "acme", "name": "Acme", "auth": auth, "variables": variables});
    serde_json::from_value(manifest).expect("a manifest")
}

/// The same instant and the same randomness each time.
pub(crate) fn signer() -> Signer {
    Signer::new(Arc::new(ManualClock::at_unix(1_800_000_000)), Arc::new(SeededEntropy::new(1)))
}

/// A manifest with something filled in, and a client with a secret.
pub(crate) struct Fixture {
    manifest: Manifest,
    values: Values,
    secret: ClientSecret,
    signer: Signer,
}

impl Fixture {
    pub(crate) fn new(changes: Value) -> Self {
        let values = Values::from([("subdomain".to_owned(), "shop".to_owned())]);
        Self { manifest: manifest(changes), values, secret: ClientSecret::new(CLIENT_SECRET), signer: signer() }
    }

    pub(crate) fn provider(&self) -> Provider<'_> {
        Provider { manifest: &self.manifest, values: &self.values }
    }

    pub(crate) fn client(&self) -> ClientRegistration<'_> {
        ClientRegistration { secret: Some(&self.secret), ..self.public_client() }
    }

    pub(crate) fn public_client(&self) -> ClientRegistration<'_> {
        ClientRegistration {
            client_id: "client-1",
            secret: None,
            redirect_uri: "https://broker.example/oauth/callback/1",
            signer: Some(&self.signer),
            dpop_key: None,
        }
    }
}

/// The value of a header, if it is there once.
pub(crate) fn header<'a>(request: &'a Outbound, name: &str) -> Option<&'a str> {
    let mut found = request.headers.iter().filter(|header| header.name == name);
    let value = found.next().map(|header| header.value.as_str());
    assert!(found.next().is_none(), "{name} stands twice");
    value
}
