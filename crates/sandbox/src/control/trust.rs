//! Whom the sandbox believes where nobody consents.

use super::problem;
use super::setup::saved;
use crate::class::RecoveryClass;
use crate::shared::Shared;
use crate::trust::{NewIssuer, NewUser, SamlAssertion};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mortise_domain::Timestamp;
use serde::Deserialize;
use serde_json::json;

/// `POST /control/users`
pub async fn user(body: Json<NewUser>, shared: Data<Shared>) -> HttpResponse {
    let user = body.into_inner();
    let username = user.username.clone();
    let mut state = shared.lock();
    match state.trust.put_user(user) {
        Ok(()) => saved(&shared, &state, json!({"username": username})),
        Err(error) => problem(StatusCode::BAD_REQUEST, "invalid_user", &error.to_string()),
    }
}

/// `POST /control/issuers`
pub async fn issuer(body: Json<NewIssuer>, shared: Data<Shared>) -> HttpResponse {
    let issuer = body.into_inner();
    let name = issuer.issuer.clone();
    let mut state = shared.lock();
    match state.trust.put_issuer(issuer) {
        Ok(()) => saved(&shared, &state, json!({"issuer": name})),
        Err(error) => problem(StatusCode::BAD_REQUEST, "invalid_issuer", &error.to_string()),
    }
}

/// A SAML assertion to make: the sandbox is its own identity provider.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSaml {
    class: RecoveryClass,
    subject: String,
    /// Seconds.
    #[serde(default = "five_minutes")]
    lifetime: u32,
}

/// `POST /control/saml`: an assertion as RFC 7522 section 2.1 wants it. It carries no XML signature: the sandbox knows those
/// that it made, to the byte.
pub async fn saml(body: Json<NewSaml>, shared: Data<Shared>) -> HttpResponse {
    let NewSaml { class, subject, lifetime } = body.into_inner();
    let issuer = shared.issuer(class);
    let audience = format!("{issuer}/token");
    let now = shared.now();
    let ends_at = now + i64::from(lifetime) * 1000;
    let mut number = [0_u8; 16];
    shared.entropy.fill(&mut number);
    let time = |ms| Timestamp::from_timestamp_millis(ms).unwrap_or_default().format("%Y-%m-%dT%H:%M:%SZ");
    let name: String = subject.chars().filter(|c| !matches!(c, '<' | '>' | '&')).collect();
    let xml = format!(
        "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" Version=\"2.0\" ID=\"_{:032x}\" \
         IssueInstant=\"{issued}\"><saml:Issuer>{issuer}</saml:Issuer><saml:Subject><saml:NameID>{name}</saml:NameID>\
         <saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"><saml:SubjectConfirmationData \
         NotOnOrAfter=\"{ends}\" Recipient=\"{audience}\"/></saml:SubjectConfirmation></saml:Subject><saml:Conditions>\
         <saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>\
         </saml:Assertion>",
        u128::from_be_bytes(number),
        issued = time(now),
        ends = time(ends_at),
    );
    let assertion = URL_SAFE_NO_PAD.encode(&xml);
    let mut state = shared.lock();
    state.trust.put_saml(&assertion, SamlAssertion { subject, audience, ends_at });
    saved(&shared, &state, json!({"assertion": assertion, "xml": xml}))
}

fn five_minutes() -> u32 {
    300
}
