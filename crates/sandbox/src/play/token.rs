//! What the token endpoint and its neighbours answer to a request that is written as described.

use super::book::{LIFETIME, Rules};
use super::fit::Fit;
use super::reply::put;
use super::signed::{NONCE, Unproven};
use super::wanted::Said;
use super::{Answered, Arrived, Issued, Played, Role};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mortise_connectors::{ClientAuthentication, DEFAULT_GRACE, Grant, OAuth2};
use mortise_domain::ScopeSet;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

impl Played {
    pub(super) fn at_token_endpoint(&mut self, role: Role, fit: &Fit, arrived: &Arrived, now: i64) -> Answered {
        let Some(auth) = self.auth().cloned() else { return Answered::empty(404) };
        let rules = rules(&auth);
        if !self.proves_client(fit, now) {
            return self.refusal("invalid_client", 401, now);
        }
        let for_tokens = matches!(role, Role::Exchange | Role::Refresh | Role::Client | Role::Mint | Role::Poll);
        let mut key = None;
        if auth.dpop && for_tokens {
            key = match self.proven(fit, arrived, None, Some(NONCE)) {
                Ok(key) => Some(key),
                Err(unproven) => {
                    let code = match unproven {
                        Unproven::Nonce => "use_dpop_nonce",
                        Unproven::Wrong => "invalid_dpop_proof",
                    };
                    let mut answered = self.refusal(code, 400, now);
                    answered.headers.push(("dpop-nonce".to_owned(), NONCE.to_owned()));
                    return answered;
                }
            };
        }
        let issued = match role {
            Role::Exchange => self.exchanged(fit, rules, now),
            Role::Refresh => {
                let token = fit.said(Said::RefreshToken);
                // RFC 9449 section 5: with the same key as before.
                let same = |token: &&str| self.book.bound.get(*token).is_none_or(|bound| key.as_ref() == Some(bound));
                token.filter(same).and_then(|token| self.book.refresh(token, rules, now))
            }
            Role::LongLived => {
                let scopes = fit.said(Said::Token).and_then(|token| self.book.scopes_of(token, now)).cloned();
                scopes.map(|scopes| self.book.grant(scopes, true, rules, now))
            }
            Role::Client | Role::Mint => {
                let wanted = auth.default_scopes.union(&self.registered.scopes);
                let in_claim = auth.assertion.as_ref().is_some_and(|told| told.scope_claim.is_some());
                let said = fit.said(Said::Scope).unwrap_or_default();
                if !in_claim && ScopeSet::parse(said, &auth.scope_separator) != wanted {
                    return self.refusal("invalid_scope", 400, now);
                }
                let signed = role == Role::Mint && auth.grant == Grant::JwtBearer;
                let theirs = !fit.not_theirs && (!signed || self.believes_assertion(fit, now));
                theirs.then(|| self.book.grant(wanted, false, rules, now))
            }
            Role::Poll => match self.device_answer(fit, rules, now) {
                Ok(issued) => Some(issued),
                Err(code) => return self.refusal(code, 400, now),
            },
            Role::Device => return self.device_codes(),
            Role::Push => return self.pushed(fit),
            Role::Introspect => return self.introspected(fit, now),
            Role::Revoke => {
                if let Some(token) = fit.said(Said::Token) {
                    self.book.end(token);
                }
                return Answered::empty(200);
            }
            _ => None,
        };
        match issued {
            Some(mut issued) => {
                issued.further = self.issued_beside(&issued, role, &auth, now);
                if let Some(key) = key {
                    let tokens = [Some(&issued.access_token), issued.refresh_token.as_ref()];
                    self.book.bound.extend(tokens.into_iter().flatten().map(|token| (token.clone(), key.clone())));
                }
                self.told(issued, now)
            }
            None => self.refusal("invalid_grant", 400, now),
        }
    }

    /// The further tokens of a reply: all of them with a consent, and with a refresh of the grant's own token those that have
    /// no refresh token of their own.
    fn issued_beside(&mut self, own: &Issued, role: Role, auth: &OAuth2, now: i64) -> BTreeMap<String, Issued> {
        let first = matches!(role, Role::Exchange | Role::Poll);
        if own.alone || !(first || role == Role::Refresh) {
            return BTreeMap::new();
        }
        let rules = Rules { renews_itself: false, ..rules(auth) };
        let mut further = BTreeMap::new();
        for (name, place) in &auth.token_response.further {
            let renewable = place.refresh_token.is_some();
            if first || !renewable {
                let scopes = if place.scope.is_some() {
                    [format!("{name}.read")].into_iter().collect()
                } else {
                    ScopeSet::default()
                };
                further.insert(name.clone(), self.book.further(scopes, renewable, rules, now));
            }
        }
        further
    }

    fn exchanged(&mut self, fit: &Fit, rules: Rules, now: i64) -> Option<super::Issued> {
        let here = self.registered.redirect_uri.as_str();
        // Left out by the manifest, it is not said at all.
        if fit.said(Said::RedirectUri).is_some_and(|uri| uri != here) {
            return None;
        }
        let verifier = fit.said(Said::Verifier).unwrap_or_default();
        let proves = |challenge: &str| is_verifier(verifier) && challenge_of(verifier) == challenge;
        let scopes = self.book.spend(fit.said(Said::Code)?, proves)?;
        Some(self.book.grant(scopes, true, rules, now))
    }

    /// Whether what is said of the client is right. That it is said at all, the shape of the request has told.
    fn proves_client(&mut self, fit: &Fit, now: i64) -> bool {
        let Some(method) = self.auth().map(|auth| auth.client_authentication) else { return false };
        let is = |said, right: &str| fit.said(said).is_none_or(|given| given == right);
        is(Said::ClientId, &self.registered.client_id)
            && match method {
                ClientAuthentication::None => true,
                method if method.signs() => self.believes_client(fit, now),
                _ => is(Said::ClientSecret, &self.registered.client_secret),
            }
    }

    /// RFC 7662 section 2.2.
    fn introspected(&self, fit: &Fit, now: i64) -> Answered {
        let token = fit.said(Said::Token).unwrap_or_default();
        Answered::json(
            200,
            &match self.book.end_of(token, now) {
                Some(until) => json!({"active": true, "exp": until, "iat": until - LIFETIME}),
                None => json!({"active": false}),
            },
        )
    }

    /// Whose token it is.
    pub(super) fn identified(&mut self, fit: &Fit, arrived: &Arrived, now: i64) -> Answered {
        let Some(auth) = self.auth().cloned() else { return Answered::empty(404) };
        let (Some(identity), Some(token)) = (&auth.identity, fit.said(Said::Token)) else {
            return Answered::empty(404);
        };
        let bound = !auth.dpop
            || self.proven(fit, arrived, Some(token), None).is_ok_and(|key| self.book.bound.get(token) == Some(&key));
        if !bound || !self.book.is_alive(token, now) {
            return Answered::empty(401);
        }
        let mut document = Value::Null;
        let mut fields: Vec<_> = identity.fields.iter().collect();
        fields.sort_by_key(|(_, pointer)| pointer.len());
        for (name, pointer) in fields {
            put(&mut document, pointer, json!(format!("the {name}")));
        }
        if let Some(spoil) = &self.spoil {
            spoil(&mut document);
        }
        Answered::json(200, &document)
    }
}

/// What becomes of refresh tokens at this provider.
pub(super) fn rules(auth: &OAuth2) -> Rules {
    Rules {
        class: auth.recovery_class,
        grace: auth.grace.unwrap_or(DEFAULT_GRACE).into(),
        window: auth.refresh_window.map(Into::into),
        kills_prior: auth.kills_prior_access_token,
        renews_itself: auth.token_response.refresh_token == auth.token_response.access_token,
    }
}

/// RFC 7636 section 4.1.
fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
}

/// RFC 7636 section 4.2.
fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}
