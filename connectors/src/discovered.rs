//! Manifests that leave members to discovery: what they leave out, and how they are read once it is found.
//!
//! Invariant: what the author wrote stays as it is, and what was found passes every rule of the language as if it had
//! been written; a fault in it is reported at the member `discovery`. Deliberately absent: finding it, which takes I/O.

mod starter;

pub use starter::{of_protected_resource, starter};

use crate::shape::{self, table};
use crate::tree::{Kind, Member, Node, Place};
use crate::{Discovery, Grant, Manifest};
use serde_json::Value;
use std::collections::BTreeSet;

/// What a manifest leaves to discovery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undiscovered {
    /// Where to look.
    pub discovery: Discovery,
    /// For which grant.
    pub grant: Grant,
    /// The members of `auth` that the author wrote.
    pub given: BTreeSet<String>,
    /// Those that have to be found, because nothing works without them.
    pub needed: Vec<&'static str>,
    /// Whether PKCE is sent.
    pub pkce: bool,
}

impl Undiscovered {
    /// What a registered manifest would be asked for again; `None`: it was written out by hand.
    pub fn again(manifest: &Manifest) -> Option<Self> {
        let auth = manifest.oauth2()?;
        let pkce = auth.pkce_disabled_reason.is_none();
        Some(Self {
            discovery: auth.discovery.clone()?,
            grant: auth.grant,
            given: BTreeSet::from(["client_authentication".to_owned()]),
            needed: Vec::new(),
            pkce,
        })
    }

    fn of(root: &Node) -> Option<Self> {
        let auth = members(member(root, "auth")?)?;
        auth.iter().find(|member| member.name == "discovery")?;
        let manifest: Manifest = serde_json::from_value(shape::read(root).value).ok()?;
        let mut wanted = Self::again(&manifest)?;
        wanted.given = auth.iter().map(|member| member.name.clone()).collect();
        if wanted.given.contains("issuer") {
            // Endpoints of somebody else beside it would be a mix-up that the manifest itself brings about.
            let pinned = manifest.oauth2().and_then(|auth| auth.issuer.clone());
            wanted.discovery.issuer = wanted.discovery.issuer.or(pinned);
        }
        let left_out = |name: &&str| !wanted.given.contains(*name);
        wanted.needed = needed(wanted.grant).iter().copied().filter(left_out).collect();
        Some(wanted)
    }
}

/// What no grant of this kind works without.
fn needed(grant: Grant) -> &'static [&'static str] {
    match grant {
        Grant::AuthorizationCode => &["authorization_url", "token_url"],
        Grant::Implicit => &["authorization_url"],
        Grant::DeviceCode => &["device_authorization_url", "token_url"],
        _ => &["token_url"],
    }
}

/// What a text leaves to discovery. `None`: it asks for none, or cannot be read.
pub fn undiscovered(text: &str) -> Option<Undiscovered> {
    Undiscovered::of(&crate::tree::read(text).0?)
}

/// What to fill into a tree before it is read: what was found, or stand-ins where only the rest is looked at.
pub(crate) enum Filling<'a> {
    Found(&'a [(&'static str, Value)]),
    StandIns,
}

/// Fills in what the author left out; whether anything that is needed was left out.
pub(crate) fn fill(root: &mut Node, filling: &Filling<'_>) -> Option<Place> {
    let wanted = Undiscovered::of(root)?;
    let auth = match &mut root.kind {
        Kind::Map(members) => &mut members.iter_mut().find(|member| member.name == "auth")?.value,
        _ => return None,
    };
    let Kind::Map(members) = &mut auth.kind else { return None };
    let place = members.iter().find(|member| member.name == "discovery")?.place;
    let mut put = |name: &str, value: &Value| {
        let known = table::OAUTH2.iter().any(|field| field.name == name);
        if known && !wanted.given.contains(name) {
            members.push(Member { name: name.to_owned(), place, value: node(value, place) });
        }
    };
    match filling {
        Filling::Found(found) => found.iter().for_each(|(name, value)| put(name, value)),
        Filling::StandIns => {
            let stand_in = Value::from("https://discovered.example/");
            wanted.needed.iter().for_each(|name| put(name, &stand_in));
            if wanted.given.contains("authorization_response_iss_parameter_supported") {
                put("issuer", &Value::from(wanted.discovery.issuer.as_deref().unwrap_or("https://discovered.example")));
            }
        }
    }
    (!wanted.needed.is_empty()).then_some(place)
}

fn members(node: &Node) -> Option<&[Member]> {
    match &node.kind {
        Kind::Map(members) => Some(members),
        _ => None,
    }
}

fn member<'a>(node: &'a Node, name: &str) -> Option<&'a Node> {
    members(node)?.iter().find(|member| member.name == name).map(|member| &member.value)
}

/// A value as if it had been written at `place`.
fn node(value: &Value, place: Place) -> Node {
    let kind = match value {
        Value::Null => Kind::Null,
        Value::Bool(flag) => Kind::Flag(*flag),
        Value::Number(number) => Kind::Number(number.to_string()),
        Value::String(text) => Kind::Text(text.clone()),
        Value::Array(items) => Kind::List(items.iter().map(|item| node(item, place)).collect()),
        Value::Object(members) => {
            let member =
                |(name, value): (&String, &Value)| Member { name: name.clone(), place, value: node(value, place) };
            Kind::Map(members.iter().map(member).collect())
        }
    };
    Node { place, kind }
}

#[cfg(test)]
mod tests;
