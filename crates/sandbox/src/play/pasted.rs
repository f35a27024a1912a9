//! Providers whose customers paste what they have: what a call has to carry, and whether it is theirs.

use super::endpoint::{Endpoint, Role};
use super::fit::Fit;
use super::known::Known;
use super::wanted::{Authorization, Place, Said, Want, Wanted};
use super::{Answered, Played, Registered, Unplayable};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mortise_connectors::{Manifest, Scheme, Values, VerificationMethod, expand_url};

/// The call that tries out what was pasted, if there is one.
pub(super) fn endpoints(
    manifest: &Manifest,
    values: &Values,
    registered: &Registered,
) -> Result<Vec<Endpoint>, Unplayable> {
    let Some(pasted) = manifest.auth.pasted() else {
        return Err(Unplayable::Mode("a mode that is neither OAuth 2 nor pasted".to_owned()));
    };
    let Some(call) = pasted.verification else { return Ok(Vec::new()) };
    let method = match call.method {
        VerificationMethod::Get => "GET",
        VerificationMethod::Post => "POST",
    };
    let (mut headers, mut params) = (Vec::new(), Vec::new());
    let known = Known::of(values, registered);
    if let Scheme::Basic { username, password } = pasted.scheme {
        let (user, password) = (known.whole(username)?, known.whole(password)?);
        let whole = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        headers.push(("authorization".to_owned(), Want::Filled { whole, start: "Basic ".into(), end: String::new() }));
    }
    if let Some(api) = &manifest.api {
        for (name, template) in &api.headers {
            headers.push((name.to_ascii_lowercase(), known.want(template)?));
        }
        for (name, template) in &api.query {
            params.push((name.clone(), known.want(template)?));
        }
    }
    if !headers.iter().any(|(name, _)| name == "accept") {
        headers.push(("accept".to_owned(), Want::Exactly("application/json".to_owned())));
    }
    let carried = headers.iter().any(|(name, _)| name == "authorization");
    let authorization = if carried { Authorization::AmongHeaders } else { Authorization::Absent };
    let wanted = Wanted { method, place: Place::Query, params, headers, authorization };
    Ok(vec![Endpoint { role: Role::Verify, url: expand_url(&call.url, manifest, values)?, wanted }])
}

impl Played {
    pub(super) fn verified(&self, fit: &Fit, now: i64) -> Answered {
        let call = self.manifest.auth.verification();
        let theirs = !fit.not_theirs && fit.said(Said::Token).is_none_or(|token| self.signed_by_customer(token, now));
        let good = call.and_then(|call| call.status.first()).and_then(|status| u16::try_from(*status).ok());
        Answered::json(if theirs { good.unwrap_or(200) } else { 401 }, &serde_json::json!({}))
    }
}
