//! The page where customers consent, and the callback that follows (RFC 6749 sections 4.1.1 and 4.1.2).

use super::fit::{self, Fit};
use super::token::rules;
use super::wanted::{Said, Want};
use super::{Answered, Breach, Played, Registered, Role, Unplayable};
use hmac::{Hmac, KeyInit as _, Mac as _};
use mortise_connectors::{CallbackHmac, Grant, OAuth2, Parameter, Values, expand_text, expand_url};
use mortise_domain::ScopeSet;
use serde_json::{Value, json};
use sha2::Sha256;
use url::{Position, Url, form_urlencoded};

/// What the authorization request says, wherever it stands (RFC 6749 section 4.1.1, RFC 7636, RFC 8707).
pub(super) fn params(
    auth: &OAuth2,
    values: &Values,
    registered: &Registered,
) -> Result<Vec<(String, Want)>, Unplayable> {
    let written = &auth.authorization_request;
    let mut params = Vec::new();
    let mut add = |parameter: Parameter, want: Want| {
        if !written.omit.contains(&parameter) {
            let name = written.names.get(&parameter).map_or(parameter.as_str(), String::as_str);
            params.push((name.to_owned(), want));
        }
    };
    let exactly = |text: &str| Want::Exactly(text.to_owned());
    let implicit = auth.grant == Grant::Implicit;
    let usual = if implicit { "token" } else { "code" };
    add(Parameter::ResponseType, exactly(written.response_type.as_deref().unwrap_or(usual)));
    add(Parameter::ClientId, exactly(&registered.client_id));
    add(Parameter::RedirectUri, exactly(registered.redirect_uri.as_str()));
    if !auth.default_scopes.union(&registered.scopes).is_empty() {
        add(Parameter::Scope, Want::Value(Said::Scope));
    }
    params.push(("state".to_owned(), Want::Value(Said::State)));
    if auth.pkce_disabled_reason.is_none() && !implicit {
        params.push(("code_challenge".to_owned(), Want::Value(Said::Challenge)));
        params.push(("code_challenge_method".to_owned(), exactly("S256")));
    }
    if let Some(resource) = &auth.resource {
        params.push(("resource".to_owned(), Want::Exactly(expand_text(resource, values)?)));
    }
    for (name, template) in &auth.authorization_params {
        params.push((name.clone(), Want::Exactly(expand_text(template, values)?)));
    }
    Ok(params)
}

impl Played {
    /// A customer's browser comes to `url` and consents; answers where it is sent back to, or nothing where the request is
    /// not as described, which is kept as a breach.
    ///
    /// # Errors
    /// A manifest without such a page.
    pub fn visit(&mut self, url: &Url, now: i64) -> Result<Option<Url>, Unplayable> {
        if self.manifest.auth.oauth1().is_some() {
            return self.visit_oauth1(url);
        }
        let Some((auth, page)) = self.page()? else {
            return Err(Unplayable::Mode("a page to consent on, which the manifest does not have".to_owned()));
        };
        let auth_grant = auth.grant;
        let scopes = auth.default_scopes.union(&self.registered.scopes);
        let (fit, left) = self.judge_visit(url, &page, auth)?;
        if !fit.breaches.is_empty() {
            let role = Some(Role::Authorize);
            self.breaches.extend(fit.breaches.into_iter().map(|what| Breach { role, what }));
            return Ok(None);
        }
        let said = |what| fit.said(what).map(str::to_owned);
        let (state, challenge) = match left {
            Some(at) => {
                let (_, state, challenge) = self.book.pushed.remove(at);
                (state, challenge)
            }
            None => (said(Said::State).unwrap_or_default(), said(Said::Challenge)),
        };
        if auth_grant == Grant::Implicit {
            return Ok(Some(self.with_token(scopes, &state, now)));
        }
        let code = self.book.code(challenge, scopes);
        self.callback(&code, &state, now).map(Some)
    }

    /// Where the browser is sent back to with a token in the fragment (RFC 6749 section 4.2.2).
    fn with_token(&mut self, scopes: ScopeSet, state: &str, now: i64) -> Url {
        let mut callback = self.registered.redirect_uri.clone();
        let Some(rules) = self.auth().map(rules) else { return callback };
        let issued = self.book.grant(scopes, false, rules, now);
        let answered = self.told(issued, now);
        let document: Value = serde_json::from_slice(&answered.body).unwrap_or_default();
        let mut fragment = form_urlencoded::Serializer::new(String::new());
        for (name, value) in document.as_object().into_iter().flatten() {
            fragment.append_pair(name, &value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        }
        fragment.append_pair("state", state);
        let issuer = self.auth().and_then(|auth| auth.issuer.as_ref());
        if let Some(issuer) = issuer {
            fragment.append_pair("iss", issuer);
        }
        callback.set_fragment(Some(&fragment.finish()));
        callback
    }

    /// The authorization request is left here (RFC 9126 section 2.2).
    pub(super) fn pushed(&mut self, fit: &Fit) -> Answered {
        if !self.asks_for_scopes(fit) {
            return self.refusal("invalid_scope", 400, 0);
        }
        let name = format!("urn:ietf:params:oauth:request_uri:{}", self.book.draw("request"));
        let said = |what| fit.said(what).map(str::to_owned);
        self.book.pushed.push((name.clone(), said(Said::State).unwrap_or_default(), said(Said::Challenge)));
        Answered::json(201, &json!({"request_uri": name, "expires_in": 60}))
    }

    fn asks_for_scopes(&self, fit: &Fit) -> bool {
        let Some(auth) = self.auth() else { return false };
        let wanted = auth.default_scopes.union(&self.registered.scopes);
        let Some(asked) = fit.said(Said::Scope) else { return true };
        let asked: Vec<_> = asked.split(auth.scope_separator.as_str()).collect();
        asked.len() == wanted.iter().count() && wanted.iter().all(|scope| asked.contains(&scope))
    }

    fn page(&self) -> Result<Option<(&OAuth2, Url)>, Unplayable> {
        let Some(auth) = self.auth() else { return Ok(None) };
        let Some(template) = &auth.authorization_url else { return Ok(None) };
        Ok(Some((auth, expand_url(template, &self.manifest, &self.values)?)))
    }

    /// How the request fits, and which of the requests that were left here it means.
    fn judge_visit(&self, url: &Url, page: &Url, auth: &OAuth2) -> Result<(Fit, Option<usize>), Unplayable> {
        let mut fit = Fit::default();
        let shown = match &auth.authorization_request.route {
            Some(route) => behind(url, route, &mut fit),
            None => url.clone(),
        };
        let url = &shown;
        if url[..Position::AfterPath] != page[..Position::AfterPath] {
            fit.breach(format!("the page is {} and not the one of the manifest", url.path()));
        }
        if url.fragment() != auth.authorization_request.fragment.as_deref() {
            fit.breach("the fragment is not the manifest's");
        }
        let own = url.query().unwrap_or_default();
        if own.strip_prefix(page.query().unwrap_or_default()).unwrap_or(own).contains('+') {
            fit.breach("a space is written as `+`, which not every provider reads");
        }
        let fixed: Vec<_> = page.query_pairs().into_owned().collect();
        let given = fit::without(url.query_pairs().into_owned().collect(), &fixed, &mut fit);
        let mut wanted = params(auth, &self.values, &self.registered)?;
        if auth.pushed_authorization_request_url.is_none() {
            fit::params(&given, &wanted, &mut fit);
            if !self.asks_for_scopes(&fit) {
                fit.breach("the parameter for scopes does not ask for the scopes as described");
            }
            return Ok((fit, None));
        }
        let names = &auth.authorization_request.names;
        let client_id = names.get(&Parameter::ClientId).map_or("client_id", String::as_str);
        wanted.retain(|(name, _)| name == client_id);
        let named = |uri: &str| self.book.pushed.iter().position(|(known, _, _)| known == uri);
        let left = given.iter().find(|(name, _)| name == "request_uri").and_then(|(_, uri)| named(uri));
        match left {
            Some(at) => wanted.push(("request_uri".to_owned(), Want::Exactly(self.book.pushed[at].0.clone()))),
            None => fit.breach("no request was left here under this name"),
        }
        fit::params(&given, &wanted, &mut fit);
        Ok((fit, left))
    }

    /// Where the browser is sent back to.
    fn callback(&self, code: &str, state: &str, now: i64) -> Result<Url, Unplayable> {
        let mut callback = self.registered.redirect_uri.clone();
        let Some(auth) = self.auth() else { return Ok(callback) };
        let told = &auth.callback;
        let mut pairs = vec![
            (told.code.clone().unwrap_or_else(|| "code".to_owned()), code.to_owned()),
            ("state".to_owned(), state.to_owned()),
        ];
        pairs.extend(auth.issuer.iter().map(|issuer| ("iss".to_owned(), issuer.clone())));
        for (name, template) in &told.expect {
            pairs.push((name.clone(), expand_text(template, &self.values)?));
        }
        for name in told.keep.values() {
            if !pairs.iter().any(|(known, _)| known == name) {
                pairs.push((name.clone(), format!("the {name}")));
            }
        }
        if let Some(hmac) = &told.hmac {
            sign(&mut pairs, hmac, &self.registered.client_secret, now);
        }
        callback.query_pairs_mut().extend_pairs(pairs);
        Ok(callback)
    }
}

/// The request as it would be with its parameters in the query, where they stand behind a route in the fragment.
fn behind(url: &Url, route: &str, fit: &mut Fit) -> Url {
    let (mut shown, fragment) = (url.clone(), url.fragment().unwrap_or_default());
    let params = fragment.strip_prefix(route).and_then(|rest| rest.strip_prefix('?'));
    if params.is_none() {
        fit.breach("the fragment does not begin with the manifest's route");
    }
    let both: Vec<_> = url.query().into_iter().chain(params).collect();
    shown.set_query(Some(both.join("&")).as_deref().filter(|query| !query.is_empty()));
    shown.set_fragment(None);
    shown
}

/// Adds the time and the signature over everything that is signed.
fn sign(pairs: &mut Vec<(String, String)>, hmac: &CallbackHmac, secret: &str, now: i64) {
    if let Some(name) = &hmac.timestamp {
        pairs.push((name.clone(), now.to_string()));
    }
    let mut signed: Vec<_> = pairs.iter().filter(|(name, _)| !hmac.except.contains(name)).collect();
    signed.sort();
    let signed = signed.into_iter().map(|(name, value)| (name, value));
    let message = form_urlencoded::Serializer::new(String::new()).extend_pairs(signed).finish();
    // A key of any length will do.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return };
    mac.update(message.as_bytes());
    pairs.push((hmac.parameter.clone(), hex::encode(mac.finalize().into_bytes())));
}
