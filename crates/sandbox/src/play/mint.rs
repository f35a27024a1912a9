//! Tokens for what a customer gave (RFC 6749 section 4.3, RFC 7522, RFC 7523 section 2.1, RFC 8693).

use super::endpoint::scoped;
use super::fit::Fit;
use super::known::Known;
use super::wanted::{Said, Want, Wanted, Writing};
use super::{Played, Registered, Unplayable};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mortise_connectors::{Grant, OAuth2, Parameter, Values, expand_url};

/// The request, as the grant has it.
pub(super) fn wanted(auth: &OAuth2, values: &Values, registered: &Registered) -> Result<Wanted, Unplayable> {
    let known = Known::of(values, registered);
    let word = auth.token_request.grant_type.as_deref().unwrap_or(match auth.grant {
        Grant::Password => "password",
        Grant::JwtBearer => "urn:ietf:params:oauth:grant-type:jwt-bearer",
        Grant::Saml2Bearer => "urn:ietf:params:oauth:grant-type:saml2-bearer",
        _ => "urn:ietf:params:oauth:grant-type:token-exchange",
    });
    let mut writing = Writing::of_token(auth, values).param(Parameter::GrantType, Want::Exactly(word.to_owned()));
    let mut scopes = true;
    match auth.grant {
        Grant::Password => {
            let (username, password) = auth.resource_owner();
            writing = writing
                .param(Parameter::Username, known.want(username)?)
                .param(Parameter::Password, known.want(password)?);
        }
        Grant::JwtBearer => {
            writing = writing.param(Parameter::Assertion, Want::Value(Said::Assertion));
            scopes = auth.assertion.as_ref().is_none_or(|told| told.scope_claim.is_none());
        }
        Grant::Saml2Bearer => {
            let given = registered.credentials.values().next().map(String::as_str).unwrap_or_default();
            let (whole, start, end) = (URL_SAFE_NO_PAD.encode(given), String::new(), String::new());
            writing = writing.param(Parameter::Assertion, Want::Filled { whole, start, end });
        }
        _ => {
            let exchange = auth.exchange();
            let exactly = |text: &String| Want::Exactly(text.clone());
            writing = writing
                .named("subject_token", known.want(&exchange.subject_token)?)
                .named("subject_token_type", exactly(&exchange.subject_token_type));
            if let (Some(token), Some(kind)) = (&exchange.actor_token, &exchange.actor_token_type) {
                writing = writing.named("actor_token", known.want(token)?).named("actor_token_type", exactly(kind));
            }
            if let Some(kind) = &exchange.requested_token_type {
                writing = writing.named("requested_token_type", exactly(kind));
            }
            if let Some(audience) = &exchange.audience {
                writing = writing.named("audience", known.want(audience)?);
            }
        }
    }
    if scopes {
        writing = scoped(writing, auth, registered);
    }
    writing.extra(&auth.token_params)?.done()
}

impl Played {
    /// Whether the assertion of RFC 7523 section 2.1 says what the manifest describes, signed with the right key, for the
    /// first time.
    pub(super) fn believes_assertion(&mut self, fit: &Fit, now: i64) -> bool {
        let Some(auth) = self.auth().cloned() else { return false };
        let (Some(told), Some(token)) = (&auth.assertion, fit.said(Said::Assertion)) else { return false };
        let known = Known::of(&self.values, &self.registered);
        let text = |template: &str| known.whole(template).ok();
        let audience = match &told.audience {
            Some(template) => text(template),
            None => expand_url(&auth.token_url, &self.manifest, &self.values).ok().map(String::from),
        };
        let key = self.registered.assertion_key.clone().unwrap_or_default();
        let Some(claims) = self.signed_claims(token, &key, told.algorithm, audience, now) else { return false };
        let is =
            |name: &str, template: &str| claims.get(name).and_then(|value| value.as_str()) == text(template).as_deref();
        let scopes = auth.default_scopes.union(&self.registered.scopes).join(&auth.scope_separator);
        is("iss", &told.issuer)
            && told.subject.as_ref().is_none_or(|subject| is("sub", subject))
            && told.subject.is_some() == claims.get("sub").is_some()
            && told.claims.iter().all(|(name, template)| is(name, template))
            && told.scope_claim.as_ref().is_none_or(|name| claims.get(name).is_some_and(|said| *said == scopes))
    }
}
