//! OAuth 1.0 (RFC 5849): temporary credentials, consent, the token and its secret.
//!
//! Invariant: every signature is worked out anew from the request as it came, and a nonce is good once.

use super::endpoint::{Endpoint, Role};
use super::fit::{self, Fit};
use super::reply::put;
use super::wanted::{Authorization, Place, Said, Want, Wanted};
use super::{Answered, Arrived, Breach, Issued, Played, Unplayable};
use crate::oauth1::signature::Signed;
use mortise_connectors::{Manifest, OAuth1, SignatureMethod, Values, expand_text, expand_url};
use mortise_domain::ScopeSet;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use url::{Position, Url, form_urlencoded};

/// Temporary credentials.
pub(super) struct Temporary {
    token: String,
    secret: String,
    /// Once the customer has consented.
    verifier: Option<String>,
}

/// Both requests. Protocol parameters stand in `Authorization`.
pub(super) fn endpoints(manifest: &Manifest, auth: &OAuth1, values: &Values) -> Result<Vec<Endpoint>, Unplayable> {
    let none = BTreeMap::new();
    let requests = [
        (Role::Temporary, &auth.request_token_url, &auth.request_token_params),
        (Role::TokenCredentials, &auth.token_url, &none),
    ];
    let endpoint = |(role, url, params): (Role, &String, &BTreeMap<String, String>)| {
        let headers = [("authorization", Said::Signature), ("accept", Said::Accept)];
        let wanted = Wanted {
            method: "POST",
            place: Place::Form,
            params: exactly(params, values)?,
            headers: headers.map(|(name, said)| (name.to_owned(), Want::Value(said))).into(),
            authorization: Authorization::AmongHeaders,
        };
        Ok(Endpoint { role, url: expand_url(url, manifest, values)?, wanted })
    };
    requests.into_iter().map(endpoint).collect()
}

fn exactly(params: &BTreeMap<String, String>, values: &Values) -> Result<Vec<(String, Want)>, Unplayable> {
    params.iter().map(|(name, text)| Ok((name.clone(), Want::Exactly(expand_text(text, values)?)))).collect()
}

impl Played {
    pub(super) fn at_oauth1(&mut self, role: Role, arrived: &Arrived) -> Answered {
        let Some(auth) = self.manifest.auth.oauth1().cloned() else { return Answered::empty(404) };
        // Where one address serves for both, the verifier tells.
        let verifies = arrived.header("authorization").is_some_and(|header| header.contains("oauth_verifier="));
        let role = match auth.request_token_url == auth.token_url {
            true if verifies => Role::TokenCredentials,
            true => Role::Temporary,
            false => role,
        };
        let Some(signed) = self.signed(&auth, role, arrived) else { return Answered::empty(401) };
        let mut document = json!({});
        if role == Role::Temporary {
            if signed.get("oauth_callback") != Some(self.registered.redirect_uri.as_str()) {
                return Answered::empty(401);
            }
            let (token, secret) = (self.book.draw("temporary"), self.book.draw("secret"));
            document = json!({"oauth_token": token, "oauth_token_secret": secret, "oauth_callback_confirmed": "true"});
            self.temporary.push(Temporary { token, secret, verifier: None });
        } else {
            let right = |held: &Temporary| {
                Some(held.token.as_str()) == signed.get("oauth_token")
                    && held.verifier.is_some()
                    && held.verifier.as_deref() == signed.get("oauth_verifier")
            };
            let Some(at) = self.temporary.iter().position(right) else { return Answered::empty(401) };
            self.temporary.remove(at);
            let token = self.book.endless(ScopeSet::default());
            let secret = self.book.draw("secret");
            for (name, pointer) in &auth.token_response.extra {
                put(&mut document, pointer, json!(format!("the {name}")));
            }
            let lifted = |(name, pointer): (&String, &String)| Some((name.clone(), document.pointer(pointer)?.clone()));
            let extra = auth.token_response.extra.iter().filter_map(lifted).collect();
            document["oauth_token"] = json!(token);
            document["oauth_token_secret"] = json!(secret);
            self.book.issued = Some(Issued { token_secret: Some(secret), extra, ..Issued::endless(token) });
        }
        if let Some(spoil) = &self.spoil {
            spoil(&mut document);
        }
        as_form(&document)
    }

    /// The request's parameters, if it is signed as described, by the client, for the first time.
    fn signed(&mut self, auth: &OAuth1, role: Role, arrived: &Arrived) -> Option<Signed> {
        let kind = arrived.header("content-type").unwrap_or_default();
        let header = arrived.header("authorization")?;
        let signed = Signed::of(&arrived.method, header, kind, arrived.url.as_str(), &arrived.body)?;
        let held = self.temporary.iter().find(|held| Some(held.token.as_str()) == signed.get("oauth_token"));
        let secret = match role {
            Role::Temporary => "",
            _ => held?.secret.as_str(),
        };
        let right = signed.consumer == self.registered.client_id
            && signed.get("oauth_signature_method") == Some(auth.signature_method.as_str())
            && signed.is_right(&self.registered.client_secret, secret);
        let nonce = signed.get("oauth_nonce").map(str::to_owned);
        let new = match (auth.signature_method, nonce) {
            (SignatureMethod::Plaintext, _) => true,
            (_, Some(nonce)) => self.book.used.insert(format!("nonce {nonce}")),
            (_, None) => false,
        };
        (right && new).then_some(signed)
    }

    /// The page of RFC 5849 section 2.2.
    pub(super) fn visit_oauth1(&mut self, url: &Url) -> Result<Option<Url>, Unplayable> {
        let Some(auth) = self.manifest.auth.oauth1() else { return Ok(None) };
        let page = expand_url(&auth.authorization_url, &self.manifest, &self.values)?;
        let mut fit = Fit::default();
        if url[..Position::AfterPath] != page[..Position::AfterPath] {
            fit.breach(format!("the page is {} and not the one of the manifest", url.path()));
        }
        let fixed: Vec<_> = page.query_pairs().into_owned().collect();
        let given = fit::without(url.query_pairs().into_owned().collect(), &fixed, &mut fit);
        let mut wanted = exactly(&auth.authorization_params, &self.values)?;
        wanted.push(("oauth_token".to_owned(), Want::Value(Said::Token)));
        fit::params(&given, &wanted, &mut fit);
        let named = |held: &Temporary| fit.said(Said::Token) == Some(held.token.as_str());
        let Some(at) = self.temporary.iter().position(named).filter(|_| fit.breaches.is_empty()) else {
            fit.breach("the page is not asked for with temporary credentials, as described");
            let role = Some(Role::Authorize);
            self.breaches.extend(fit.breaches.into_iter().map(|what| Breach { role, what }));
            return Ok(None);
        };
        let verifier = self.book.draw("verifier");
        let mut callback = self.registered.redirect_uri.clone();
        let held = &mut self.temporary[at];
        callback.query_pairs_mut().append_pair("oauth_token", &held.token).append_pair("oauth_verifier", &verifier);
        held.verifier = Some(verifier);
        Ok(Some(callback))
    }
}

/// A form, as OAuth 1.0 has it; JSON where objects stand inside of it.
fn as_form(document: &Value) -> Answered {
    let members = document.as_object().into_iter().flatten();
    let texts: Option<Vec<_>> = members.map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect();
    match texts {
        Some(texts) => {
            let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(texts).finish();
            Answered::text(200, "application/x-www-form-urlencoded", body)
        }
        None => Answered::json(200, document),
    }
}
