//! What is signed: assertions (RFC 7523 section 3) and proofs of possession (RFC 9449 section 4).

use super::fit::Fit;
use super::wanted::Said;
use super::{Arrived, Played};
use crate::assertion::{TrustedKey, verify};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::dangerous::insecure_decode_claims;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use mortise_connectors::{ClientAuthentication, SigningAlgorithm, expand_text, expand_url};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// The nonce that every proof at the token endpoint has to repeat (RFC 9449 section 8).
pub(super) const NONCE: &str = "played-nonce";

/// Why a proof is not good.
pub(super) enum Unproven {
    /// It does not repeat the nonce.
    Nonce,
    /// Anything else.
    Wrong,
}

impl Played {
    /// What a JWT says, if it is signed by `key` for `audience` and seen for the first time.
    pub(super) fn signed_claims(
        &mut self,
        token: &str,
        key: &str,
        algorithm: Option<SigningAlgorithm>,
        audience: Option<String>,
        now: i64,
    ) -> Option<Map<String, Value>> {
        let algorithm = match algorithm {
            Some(algorithm) => serde_json::from_value(json!(algorithm.as_str())).ok()?,
            None => decode_header(token).ok()?.alg,
        };
        let key = TrustedKey { algorithm, key: key.to_owned() };
        let claims = verify(token, &key, audience.as_slice(), now.saturating_mul(1000)).ok()?;
        let new = self.book.used.insert(format!("{} {}", claims.iss, claims.jti));
        new.then(|| insecure_decode_claims(token).ok()).flatten()
    }

    /// RFC 7523 section 2.2.
    pub(super) fn believes_client(&mut self, fit: &Fit, now: i64) -> bool {
        let Some(auth) = self.auth().cloned() else { return false };
        let Some(token) = fit.said(Said::ClientAssertion) else { return false };
        let told = &auth.client_assertion;
        let text = |template: &String| expand_text(template, &self.values).ok();
        let audience = match (&told.audience, &auth.issuer) {
            (Some(template), _) => text(template),
            (None, Some(issuer)) => Some(issuer.clone()),
            (None, None) => expand_url(&auth.token_url, &self.manifest, &self.values).ok().map(String::from),
        };
        let client = self.registered.client_id.clone();
        let issuer = told.issuer.as_ref().map_or(Some(client.clone()), text);
        let shared = auth.client_authentication == ClientAuthentication::ClientSecretJwt;
        let key = if shared { Some(self.registered.client_secret.clone()) } else { self.registered.client_key.clone() };
        let claims = self.signed_claims(token, &key.unwrap_or_default(), told.algorithm, audience, now);
        claims.is_some_and(|claims| {
            let is = |name: &str, value: Option<&str>| claims.get(name).and_then(Value::as_str) == value;
            is("iss", issuer.as_deref()) && is("sub", Some(&client))
        })
    }

    /// The key that a proof is made with, if it is a good one for this request (RFC 9449 section 4.3).
    pub(super) fn proven(
        &mut self,
        fit: &Fit,
        arrived: &Arrived,
        beside: Option<&str>,
        nonce: Option<&str>,
    ) -> Result<String, Unproven> {
        let proof = fit.said(Said::Proof).ok_or(Unproven::Wrong)?;
        let header = decode_header(proof).map_err(|_| Unproven::Wrong)?;
        let jwk = header.jwk.filter(|_| header.typ.as_deref() == Some("dpop+jwt")).ok_or(Unproven::Wrong)?;
        let key = DecodingKey::from_jwk(&jwk).map_err(|_| Unproven::Wrong)?;
        let mut rules = Validation::new(Algorithm::ES256);
        rules.required_spec_claims.clear();
        (rules.validate_exp, rules.validate_aud) = (false, false);
        let claims = decode::<Value>(proof, &key, &rules).map_err(|_| Unproven::Wrong)?.claims;
        let mut target = arrived.url.clone();
        target.set_query(None);
        target.set_fragment(None);
        let ath = beside.map(|token| URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes())));
        let good = claims["htm"] == arrived.method.as_str()
            && claims["htu"] == target.as_str()
            && claims["iat"].is_i64()
            && claims.get("ath").and_then(Value::as_str) == ath.as_deref()
            && claims["jti"].as_str().is_some_and(|jti| self.book.used.insert(format!("dpop {jti}")));
        let told = claims.get("nonce").and_then(Value::as_str);
        match (good, nonce) {
            (false, _) => Err(Unproven::Wrong),
            (true, Some(nonce)) if told != Some(nonce) => Err(Unproven::Nonce),
            (true, _) => serde_json::to_string(&jwk.algorithm).map_err(|_| Unproven::Wrong),
        }
    }
}
