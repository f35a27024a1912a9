//! Manifests that leave members to discovery: filled in when a version is registered, and asked about again later.
//!
//! Invariant: a version holds what was found when it was made, and nothing that a provider publishes afterwards changes
//! what is sent: asking again only tells (security reference P03).

use crate::{Broker, Caller, Error, Result};
use mortise_connectors::diff::{Change, Effect, diff};
use mortise_connectors::{Diagnostic, Severity};
use mortise_connectors::{Discovery, Manifest, Undiscovered, lint, locate, parse, parse_discovered, undiscovered};
use mortise_domain::{ApiScope, ConnectorId};
use mortise_oauth::discovery::{DiscoveryError, discover, members};
use serde_json::Value;
use url::Url;

/// Members of `auth` that were found.
pub type FoundMembers = Vec<(&'static str, Value)>;

/// What asking again has told.
#[derive(Debug, Clone)]
pub struct Rediscovery {
    /// The version that it was compared with: the newest.
    pub version: i32,
    /// How it went.
    pub outcome: Rediscovered,
}

/// How asking again went.
#[derive(Debug, Clone)]
pub enum Rediscovered {
    /// The provider says what the version says.
    Same,
    /// It says something else by now. Nothing has moved.
    Differs(Vec<Change>),
    /// It says nothing that could be believed; the version stays as good as it was.
    Failed(String),
}

impl Broker {
    /// The manifest of a text, with what its provider publishes in the places that it leaves out.
    pub(crate) async fn read_manifest(&self, text: &str) -> Result<Manifest> {
        let Some(wanted) = undiscovered(text) else { return parse(text).map_err(Error::InvalidManifest) };
        let found = lint(text);
        if has_errors(&found) {
            return Err(Error::InvalidManifest(found));
        }
        let members = self.find(text, &wanted).await.map_err(Error::InvalidManifest)?;
        parse_discovered(text, &members).map_err(Error::InvalidManifest)
    }

    /// Everything that is wrong or doubtful about a manifest, and what was found for the members that it leaves to
    /// discovery; registers nothing. Who may only read sends nobody out to hosts of their choice.
    pub async fn check_manifest(&self, caller: &Caller, text: &str) -> Result<(Vec<Diagnostic>, FoundMembers)> {
        caller.require(ApiScope::ConnectorsRead)?;
        let mut found = self.validate_manifest(text);
        let Some(wanted) = undiscovered(text).filter(|_| !has_errors(&found)) else { return Ok((found, Vec::new())) };
        caller.require(ApiScope::ConnectorsWrite)?;
        Ok(match self.find(text, &wanted).await {
            Ok(mut members) => {
                match parse_discovered(text, &members) {
                    // Where the text leaves nothing out, its hosts were judged with the rest of it.
                    Ok(manifest) if !wanted.needed.is_empty() => found.extend(self.egress_diagnostics(text, &manifest)),
                    Ok(_) => {}
                    Err(refused) => found.extend(refused.into_iter().filter(|d| d.severity == Severity::Error)),
                }
                members.retain(|(name, _)| !wanted.given.contains(*name));
                (found, members)
            }
            Err(faults) => {
                found.extend(faults);
                (found, Vec::new())
            }
        })
    }

    /// Asks the provider of a connector's newest version again, and says what differs. Nothing moves: whoever wants the
    /// difference registers a new version.
    pub async fn rediscover(&self, caller: &Caller, id: &ConnectorId) -> Result<Rediscovery> {
        caller.require(ApiScope::ConnectorsWrite)?;
        let row = self.store.connector_get(caller.environment, id, None).await?.ok_or(Error::NotFound("connector"))?;
        let before: Manifest = serde_json::from_str(&row.manifest)?;
        let wanted = Undiscovered::again(&before).ok_or_else(|| {
            let detail =
                "this connector's manifest was written out by hand: give it `auth.discovery` to have it compared";
            Error::invalid("/auth/discovery", detail)
        })?;
        let outcome = match self.found(&wanted).await {
            Ok(members) => match changed(&row.manifest, &members)? {
                after if after == before => Rediscovered::Same,
                after => Rediscovered::Differs(diff(&before, &after)),
            },
            Err(error) => Rediscovered::Failed(error.to_string()),
        };
        if let Rediscovered::Differs(changes) = &outcome
            && changes.iter().any(|change| change.effect == Effect::Host)
        {
            tracing::warn!(connector = %id, version = row.version, "the provider publishes other hosts than are pinned");
        }
        Ok(Rediscovery { version: row.version, outcome })
    }

    async fn find(&self, text: &str, wanted: &Undiscovered) -> std::result::Result<FoundMembers, Vec<Diagnostic>> {
        let refused = self.refused_places(text, &wanted.discovery);
        if !refused.is_empty() {
            return Err(refused);
        }
        self.found(wanted).await.map_err(|error| {
            let message = format!("nothing could be taken from the provider's metadata: {error}");
            vec![at(text, "/auth/discovery", "discovery_failed", message)]
        })
    }

    async fn found(&self, wanted: &Undiscovered) -> std::result::Result<FoundMembers, DiscoveryError> {
        let found = discover(&*self.transport, &wanted.discovery).await?;
        members(&found, wanted)
    }

    /// The egress policy's word on the places that are asked.
    fn refused_places(&self, text: &str, discovery: &Discovery) -> Vec<Diagnostic> {
        let Discovery { issuer, url, protected_resource } = discovery;
        let places = [("issuer", issuer), ("url", url), ("protected_resource", protected_resource)];
        let refused = places.into_iter().filter_map(|(member, place)| {
            let refusal = self.config.egress.check_url(&Url::parse(place.as_ref()?).ok()?).err()?;
            let message = format!("{refusal}: open the range in MORTISE_EGRESS_ALLOW if it is meant");
            Some(at(text, &format!("/auth/discovery/{member}"), "egress_refused", message))
        });
        refused.collect()
    }
}

fn has_errors(found: &[Diagnostic]) -> bool {
    found.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
}

fn at(text: &str, path: &str, code: &'static str, message: String) -> Diagnostic {
    let (line, column) = locate(text, path).unzip();
    Diagnostic { severity: Severity::Error, code, message, path: path.to_owned(), line, column }
}

/// What was chosen among several, or added for it, and so says nothing about what the provider publishes by now.
const CHOSEN: &[&str] = &["authorization_params", "client_authentication", "default_scopes"];

/// The manifest as the metadata would have it now.
fn changed(manifest: &str, members: &FoundMembers) -> Result<Manifest> {
    let mut value: Value = serde_json::from_str(manifest)?;
    if let Some(auth) = value.get_mut("auth").and_then(Value::as_object_mut) {
        for (name, found) in members.iter().filter(|(name, _)| !CHOSEN.contains(name)) {
            auth.insert((*name).to_owned(), found.clone());
        }
    }
    Ok(serde_json::from_value(value)?)
}
