//! Further tokens of a reply: each has its own place, and modes that could not keep them fresh have none.

use super::pointers::{field_name, pointer_at};
use super::{Findings, escape};
use crate::diagnostic::Code;
use crate::{Grant, OAuth2};
use std::collections::BTreeMap;

const BASE: &str = "/auth/token_response/further";
const MOST: usize = 8;

pub(super) fn check(auth: &OAuth2, found: &mut Findings) {
    let reply = &auth.token_response;
    if reply.further.is_empty() {
        return;
    }
    refuse_where_useless(auth, found);
    if reply.further.len() > MOST {
        found.add(Code::TooMany, BASE, format!("name at most {MOST} further tokens"));
    }
    // Whose each place is. An `alternate` is read where there is no other token, so a further one may be there too.
    let mut taken = BTreeMap::from([(reply.access_token.as_str(), "/auth/token_response/access_token".to_owned())]);
    taken.entry(reply.refresh_token.as_str()).or_insert("/auth/token_response/refresh_token".to_owned());
    for (name, place) in &reply.further {
        let path = format!("{BASE}/{}", escape(name));
        field_name(&path, name, found);
        let tokens = [("access_token", Some(&place.access_token)), ("refresh_token", place.refresh_token.as_ref())];
        for (member, pointer) in tokens.into_iter().filter_map(|(member, pointer)| Some((member, pointer?))) {
            let path = format!("{path}/{member}");
            match taken.get(pointer.as_str()) {
                Some(other) => {
                    let message = "another token is read from here, and a token is one only: point at its own place";
                    found.add(Code::BadPointer, path.as_str(), message).about(other.clone());
                }
                None => {
                    taken.insert(pointer, path.clone());
                }
            }
            pointer_at(path, pointer, found);
        }
        for (member, pointer) in [("expires_in", &place.expires_in), ("scope", &place.scope)] {
            if let Some(pointer) = pointer {
                pointer_at(format!("{path}/{member}"), pointer, found);
            }
        }
    }
}

fn refuse_where_useless(auth: &OAuth2, found: &mut Findings) {
    let by_consent = matches!(auth.grant, Grant::AuthorizationCode | Grant::DeviceCode);
    let without = [
        ("grant", !by_consent, "are kept where a customer consents: with `authorization_code` and `device_code`"),
        ("dpop", auth.dpop, "are bearer tokens, and `dpop` asks for bound ones"),
        ("long_lived_exchange", auth.long_lived_exchange.is_some(), "would be lost with `long_lived_exchange`"),
        ("introspection_url", auth.introspection_url.is_some(), "are not asked about at `introspection_url`"),
    ];
    for (member, given, why) in without {
        if given {
            let message = format!("further tokens {why}: remove one of the two");
            found.add(Code::IgnoredMember, BASE, message).at_name().about(format!("/auth/{member}"));
        }
    }
}

#[cfg(test)]
mod tests;
