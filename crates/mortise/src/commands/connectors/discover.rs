//! `mortise connectors discover`: a manifest of what a provider publishes about itself. The one of these commands that
//! calls anybody; it goes through the same client and the same policy as the service.

use crate::cli::Discover;
use crate::commands::print;
use anyhow::{Context as _, bail};
use mortise_connectors::{Discovery, parse_discovered, render, starter, undiscovered, yaml};
use mortise_oauth::discovery::{discover, members};
use mortise_oauth::{Egress, EgressPolicy};
use url::Url;

pub(super) async fn run(options: &Discover) -> anyhow::Result<()> {
    let discovery = place(options)?;
    let mut manifest = starter(&discovery, &options.grant, options.id.as_deref(), options.name.as_deref());
    let text = yaml(&manifest);
    let wanted = undiscovered(&text).context("nothing can be discovered from that")?;
    let egress = Egress::new(EgressPolicy { allow: options.egress_allow.clone() })?;
    let found = discover(&egress, &wanted.discovery).await?;
    let members = members(&found, &wanted)?;
    if let Err(faults) = parse_discovered(&text, &members) {
        for fault in &faults {
            print::line(render(&text, fault))?;
        }
        bail!("what the provider publishes makes no valid manifest")
    }
    if let Some(auth) = manifest.get_mut("auth").and_then(serde_json::Value::as_object_mut) {
        auth.extend(members.into_iter().map(|(name, value)| (name.to_owned(), value)));
    }
    print::line(yaml(&manifest).trim_end())
}

fn place(options: &Discover) -> anyhow::Result<Discovery> {
    let whole = Some(options.url.clone());
    if options.mcp {
        return Ok(Discovery { protected_resource: whole, ..Discovery::default() });
    }
    let url = Url::parse(&options.url).context("give a whole URL, such as https://login.acme.example")?;
    match issuer_of(&url) {
        Some(issuer) => Ok(Discovery { issuer: Some(issuer), url: whole, protected_resource: None }),
        None => Ok(Discovery { issuer: whole, ..Discovery::default() }),
    }
}

/// The issuer whose metadata lies at a well-known place (RFC 8414 section 3.1, OpenID Connect Discovery 1.0 section 4.1);
/// `None`: it is no such place.
fn issuer_of(url: &Url) -> Option<String> {
    let (before, behind) = url.path().split_once("/.well-known/")?;
    let (_, after) = behind.split_once('/').unwrap_or((behind, ""));
    let path = if after.is_empty() { before.to_owned() } else { format!("/{after}") };
    Some(format!("{}{}", url.origin().ascii_serialization(), path.trim_end_matches('/')))
}
