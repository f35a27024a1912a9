//! Where metadata is looked for: somebody has to be named who must say that it is them.

use super::Findings;
use super::urls::fixed_url;
use crate::diagnostic::Code;
use crate::{Discovery, OAuth2};

const DISCOVERY: &str = "/auth/discovery";

pub(super) fn check(auth: &OAuth2, found: &mut Findings) {
    let Some(Discovery { issuer, url, protected_resource }) = &auth.discovery else { return };
    for (member, text) in [("issuer", issuer), ("url", url), ("protected_resource", protected_resource)] {
        if let Some(Err(fault)) = text.as_ref().map(|text| fixed_url(text)) {
            found.add(Code::BadUrl, format!("{DISCOVERY}/{member}"), fault);
        }
    }
    if issuer.as_ref().is_some_and(|issuer| issuer.contains('?')) {
        found.add(Code::BadUrl, format!("{DISCOVERY}/issuer"), "an issuer has no query (RFC 8414 section 2)");
    }
    if issuer.is_none() && protected_resource.is_none() && url.is_none() {
        let message = "name whose metadata it is: an `issuer`, or a `protected_resource` whose metadata names it";
        found.add(Code::MissingMember, DISCOVERY, message);
    }
    if url.is_some() && issuer.is_none() {
        let message = "a document has to be about somebody: add the `issuer` that it has to name";
        found.add(Code::MissingMember, format!("{DISCOVERY}/issuer"), message).about(format!("{DISCOVERY}/url"));
    }
    if let (Some(wanted), Some(pinned)) = (issuer, &auth.issuer)
        && wanted != pinned
    {
        let message =
            format!("`auth.issuer` is `{pinned}`, and both are one and the same: remove one, or make them equal");
        found.add(Code::BadValue, format!("{DISCOVERY}/issuer"), message).about("/auth/issuer");
    }
}
