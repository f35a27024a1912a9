//! What a change means for connections that run already.

use crate::{Auth, Grant, Manifest};
use serde_json::Value;

/// What a change means, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Running connections cannot be moved as they are.
    Breaks,
    /// Codes, tokens or the client's secret go to another host than the one that they were given to or by.
    Host,
    /// The requests of running connections change.
    Requests,
    /// Replies are read differently, or sort differently into what is tried again and what is not.
    Replies,
    /// Refreshes come at other times, or their failures are recovered from differently.
    Schedule,
    /// What a token fetch hands out beside the token changes.
    Fetch,
    /// The provider's budget changes for every app of the connector at once, moved or not.
    Budget,
    /// Connecting changes; running connections do not.
    Consent,
    /// Ending a connection changes.
    Revocation,
    /// Only what people read changes.
    Shown,
}

impl Effect {
    /// A stable word for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Breaks => "breaks",
            Self::Host => "host",
            Self::Requests => "requests",
            Self::Replies => "replies",
            Self::Schedule => "schedule",
            Self::Fetch => "fetch",
            Self::Budget => "budget",
            Self::Consent => "consent",
            Self::Revocation => "revocation",
            Self::Shown => "shown",
        }
    }

    /// What it means, as a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Breaks => "Running connections cannot be moved as they are: customers have to connect anew.",
            Self::Host => "Codes, tokens and the client's secret go to another host: check that it is the provider's.",
            Self::Requests => "Running connections send other requests once they are moved.",
            Self::Replies => "Replies are read differently once connections are moved.",
            Self::Schedule => {
                "Refreshes come at other times, or are recovered differently, once connections are moved."
            }
            Self::Fetch => "Fetching a token tells something else about how to call the API.",
            Self::Budget => "The newest version's budget holds for every app at once, moved or not.",
            Self::Consent => "Only connecting anew changes; running connections go on as before.",
            Self::Revocation => "Deleting a connection tells the provider something else.",
            Self::Shown => "Only what people read changes.",
        }
    }
}

/// Members of `auth` by what they decide. Those of both lists of parameters depend on the grant and stand below.
const MEMBERS: &[(&str, Effect)] = &[
    ("authorization_url", Effect::Consent),
    ("authorization_params", Effect::Consent),
    ("device_authorization_url", Effect::Consent),
    ("request_token_url", Effect::Consent),
    ("request_token_params", Effect::Consent),
    ("signature_method", Effect::Fetch),
    ("realm", Effect::Fetch),
    ("authorization_response_iss_parameter_supported", Effect::Consent),
    ("issuer", Effect::Consent),
    ("pkce_disabled_reason", Effect::Consent),
    ("authorization_request", Effect::Consent),
    ("callback", Effect::Consent),
    ("pushed_authorization_request_url", Effect::Consent),
    ("identity", Effect::Consent),
    ("long_lived_exchange", Effect::Consent),
    ("verification", Effect::Consent),
    ("jwt", Effect::Fetch),
    ("discovery", Effect::Shown),
    ("registration_url", Effect::Consent),
    ("revocation_url", Effect::Revocation),
    ("revocation", Effect::Revocation),
    ("token_response", Effect::Replies),
    ("refresh_errors", Effect::Replies),
    ("retry_hint", Effect::Replies),
    ("default_lifetime", Effect::Schedule),
    ("refresh_margin", Effect::Schedule),
    ("recovery_class", Effect::Schedule),
    ("grace", Effect::Schedule),
    ("kills_prior_access_token", Effect::Schedule),
    ("refresh_window", Effect::Schedule),
    ("idle_limit", Effect::Schedule),
    ("absolute_limit", Effect::Schedule),
    ("max_live", Effect::Schedule),
    ("reuse_penalty", Effect::Schedule),
    ("mint_rate", Effect::Budget),
    ("rate_limit", Effect::Budget),
    ("concurrency", Effect::Budget),
];

/// Sent when a code is exchanged; by running connections only where there are no codes.
const EXCHANGE: &[&str] = &["token_params", "default_scopes", "scope_separator"];

/// What the change of the member at `path` means for connections of the manifest `old`.
pub(super) fn of(path: &str, before: Option<&Value>, after: Option<&Value>, old: &Manifest) -> Effect {
    let mut names = path.split('/').skip(1);
    match (names.next().unwrap_or_default(), names.next(), names.next()) {
        ("id", ..) | ("auth", Some("type" | "grant"), None) => Effect::Breaks,
        ("name" | "description" | "docs_url" | "scopes" | "categories" | "provenance", ..) => Effect::Shown,
        ("variables", Some(_), member) => variable(member, before, after),
        ("api", ..) => Effect::Fetch,
        // Whoever has a refresh token has nothing else.
        ("auth", Some("refresh"), None) if after.is_none() => Effect::Breaks,
        ("auth", Some("credentials"), Some(_)) => credential(names.next(), before),
        ("auth", Some(member), inner) => auth(member, inner, before, after, old),
        _ => Effect::Requests,
    }
}

fn auth(member: &str, inner: Option<&str>, before: Option<&Value>, after: Option<&Value>, old: &Manifest) -> Effect {
    let auth = old.oauth2();
    let with_codes =
        auth.is_none_or(|auth| matches!(auth.grant, Grant::AuthorizationCode | Grant::DeviceCode | Grant::Implicit));
    let names_a_url = inner.map_or(member.ends_with("_url"), |inner| inner == "url");
    if (names_a_url || inner.is_none()) && moves(before, after, old) {
        return Effect::Host;
    }
    if EXCHANGE.contains(&member) && with_codes {
        return Effect::Consent;
    }
    // Where refreshes have an address of their own, only codes go to the token endpoint.
    if member == "token_url" && with_codes && auth.is_some_and(|auth| auth.refresh_url.is_some()) {
        return Effect::Consent;
    }
    MEMBERS.iter().find(|(known, _)| *known == member).map_or(Effect::Requests, |(_, effect)| *effect)
}

/// Whether the change sends something to an authority that it did not go to before. What had no address of its own went to
/// the token endpoint, or nowhere; an address that is gone is no new one.
fn moves(before: Option<&Value>, after: Option<&Value>, old: &Manifest) -> bool {
    if let Auth::TwoStep(auth) = &old.auth {
        let known: Vec<_> = auth.urls().map(|(_, url)| authority(url)).collect();
        let after = after.map_or(&[][..], |after| after.as_array().map_or(std::slice::from_ref(after), Vec::as_slice));
        return after.iter().filter_map(address).any(|url| !known.contains(&authority(url)));
    }
    let Some(after) = after.and_then(address) else { return false };
    let token_url = old.oauth2().map(|auth| auth.token_url.as_str());
    before.and_then(address).or(token_url).is_some_and(|before| authority(before) != authority(after))
}

/// The URL in a value: the value itself, or the `url` of an object.
fn address(value: &Value) -> Option<&str> {
    value.get("url").unwrap_or(value).as_str().filter(|text| text.contains("://"))
}

/// Scheme, host and port of a URL's template; host names are equal in any spelling (RFC 3986 section 6.2.2.1).
fn authority(template: &str) -> String {
    template.split(['/', '?']).take(3).collect::<Vec<_>>().join("/").to_ascii_lowercase()
}

fn variable(member: Option<&str>, before: Option<&Value>, after: Option<&Value>) -> Effect {
    match member {
        Some("title" | "description" | "example") => Effect::Shown,
        // Running connections hold their values; a default is for those to come.
        Some("default") => Effect::Consent,
        Some("values") => {
            let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
            let after = list(after);
            if list(before).iter().all(|value| after.contains(value)) { Effect::Consent } else { Effect::Breaks }
        }
        Some(_) => Effect::Breaks,
        // A whole variable: what is new and has no default, no running connection has a value for.
        None if after.is_some_and(|variable| variable.get("default").is_none()) => Effect::Breaks,
        None => Effect::Requests,
    }
}

/// A credential that is asked for newly, no running connection has; what is pasted later is checked by the new rules alone.
fn credential(member: Option<&str>, before: Option<&Value>) -> Effect {
    match member {
        Some("title" | "description" | "example") => Effect::Shown,
        Some(_) => Effect::Consent,
        None if before.is_none() => Effect::Breaks,
        None => Effect::Fetch,
    }
}
