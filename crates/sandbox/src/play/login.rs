//! Logins: requests of the provider's own, each of which may use what those before it were told.

use super::book::{Issued, Rules};
use super::endpoint::{Endpoint, Role};
use super::fit::Fit;
use super::known::{Known, around};
use super::reply::put;
use super::wanted::{Authorization, Place, Want, Wanted};
use super::{Answered, Played, Registered, Unplayable};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mortise_connectors::{
    Auth, LoginBody, LoginStep, Manifest, RecoveryClass, TokenMethod, TwoStep, Values, expand_url,
};
use mortise_domain::ScopeSet;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Every request, with what the provider has told so far; before that, with what it is going to tell.
pub(super) fn endpoints(
    manifest: &Manifest,
    auth: &TwoStep,
    values: &Values,
    registered: &Registered,
    told: Option<&BTreeMap<String, String>>,
) -> Result<Vec<Endpoint>, Unplayable> {
    let all = auth.steps.iter().chain(&auth.refresh);
    let mut known: BTreeMap<_, _> =
        all.flat_map(|step| step.take.keys()).map(|name| (name.clone(), to_be_told(name))).collect();
    for token in ["access_token", "refresh_token"] {
        known.entry(token.to_owned()).or_insert_with(|| "nothing yet".to_owned());
    }
    let none = BTreeMap::new();
    let known = Known::of(values, registered).and(&known).and(told.unwrap_or(&none));
    let steps = auth.steps.iter().enumerate().map(|(at, step)| (Role::Login(at), step));
    let renewals = auth.refresh.iter().enumerate().map(|(at, step)| (Role::Renew(at), step));
    let ending = auth.revocation.iter().map(|step| (Role::Logout, step));
    let endpoint = |(role, step): (Role, &LoginStep)| {
        Ok(Endpoint { role, url: expand_url(&step.url, manifest, values)?, wanted: wanted(step, &known)? })
    };
    steps.chain(renewals).chain(ending).map(endpoint).collect()
}

fn to_be_told(name: &str) -> String {
    format!("told as {name}")
}

fn wanted(step: &LoginStep, known: &Known) -> Result<Wanted, Unplayable> {
    let named = |(name, template): (&String, &String)| Ok((name.clone(), known.want(template)?));
    let params = step.params.iter().map(named).collect::<Result<Vec<_>, Unplayable>>()?;
    let (method, place, params) = match (step.method, step.body) {
        (TokenMethod::Get, _) => ("GET", Place::Query, params),
        (TokenMethod::Post, LoginBody::Query) => ("POST", Place::Query, params),
        (TokenMethod::Post, LoginBody::Form) => ("POST", Place::Form, params),
        (TokenMethod::Post, LoginBody::Json) => ("POST", Place::Tree(tree(step, known)?), Vec::new()),
        (TokenMethod::Post, LoginBody::Xml) => {
            let template = step.xml.as_deref().unwrap_or_default();
            ("POST", Place::Xml(around(template, known.written(template, in_xml)?)?), Vec::new())
        }
    };
    let mut headers = Vec::new();
    if let Some(basic) = &step.basic {
        let pair = format!("{}:{}", known.whole(&basic.username)?, known.whole(&basic.password)?);
        let start = format!("{} ", basic.scheme.as_deref().unwrap_or("Basic"));
        let want = Want::Filled { whole: format!("{start}{}", STANDARD.encode(pair)), start, end: String::new() };
        headers.push(("authorization".to_owned(), want));
    }
    for (name, template) in &step.headers {
        headers.push((name.to_ascii_lowercase(), known.want(template)?));
    }
    let has = |wanted: &str, headers: &[(String, Want)]| headers.iter().any(|(name, _)| name == wanted);
    if !has("accept", &headers) {
        let kind = if matches!(place, Place::Xml(_)) { "application/xml" } else { "application/json" };
        headers.push(("accept".to_owned(), Want::Exactly(kind.to_owned())));
    }
    let authorization =
        if has("authorization", &headers) { Authorization::AmongHeaders } else { Authorization::Absent };
    Ok(Wanted { method, place, params, headers, authorization })
}

/// The JSON body: names are members, or pointers to where a value stands.
fn tree(step: &LoginStep, known: &Known) -> Result<Value, Unplayable> {
    let mut tree = json!({});
    let pointer = |name: &str| match name.starts_with('/') {
        true => name.to_owned(),
        false => format!("/{}", name.replace('~', "~0").replace('/', "~1")),
    };
    for (name, template) in &step.params {
        put(&mut tree, &pointer(name), json!(known.whole(template)?));
    }
    for (name, literal) in &step.literals {
        let broken = || Unplayable::Mode(format!("the literal `{name}`, which is no JSON"));
        put(&mut tree, &pointer(name), serde_json::from_str(literal).map_err(|_| broken())?);
    }
    Ok(tree)
}

/// XML 1.0 section 2.4.
fn in_xml(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    escaped.replace('"', "&quot;").replace('\'', "&apos;")
}

impl Played {
    pub(super) fn at_login(&mut self, role: Role, fit: &Fit, now: i64) -> Answered {
        let Auth::TwoStep(auth) = &self.manifest.auth else { return Answered::empty(404) };
        if fit.not_theirs {
            return self.refusal("invalid_credentials", 401, now);
        }
        let (steps, at) = match role {
            Role::Login(at) => (&auth.steps, at),
            Role::Renew(at) => (&auth.refresh, at),
            _ => {
                if let Some(token) = self.told.get("access_token") {
                    self.book.end(token);
                }
                return Answered::empty(200);
            }
        };
        let Some(step) = steps.get(at).cloned() else { return Answered::empty(404) };
        let rules = Rules {
            class: auth.recovery_class.unwrap_or(RecoveryClass::F),
            grace: 60,
            window: None,
            kills_prior: auth.kills_prior_access_token,
            renews_itself: false,
        };
        let (last, with_refresh) = (at + 1 == steps.len(), !auth.refresh.is_empty());
        if !last {
            let mut document = json!({});
            for (name, pointer) in &step.take {
                put(&mut document, pointer, json!(to_be_told(name)));
            }
            self.remember(&step, &document, None);
            return Answered::json(200, &document);
        }
        let issued = match role {
            Role::Renew(_) => {
                let token = self.told.get("refresh_token").cloned().unwrap_or_default();
                self.book.refresh(&token, rules, now)
            }
            _ => Some(self.book.grant(ScopeSet::default(), with_refresh, rules, now)),
        };
        match issued {
            Some(issued) => self.told_at_last(&step, issued, now),
            None => self.refusal("invalid_grant", 401, now),
        }
    }

    fn told_at_last(&mut self, step: &LoginStep, issued: Issued, now: i64) -> Answered {
        self.last_step = step.take.values().cloned().collect();
        let answered = self.told(issued.clone(), now);
        let prefix = self.shape().and_then(|shape| shape.strip_prefix).unwrap_or_default();
        let body = answered.body.get(prefix.len()..).unwrap_or_default();
        let document = serde_json::from_slice(body).unwrap_or_default();
        self.remember(step, &document, Some(&issued));
        answered
    }

    /// What a login told beside its token, where its last reply is asked for more.
    pub(super) fn told_for_later(&self, document: &mut Value) {
        for pointer in &self.last_step {
            put(document, pointer, json!("told at last"));
        }
    }

    /// From now on requests have to say what was told.
    fn remember(&mut self, step: &LoginStep, document: &Value, issued: Option<&Issued>) {
        for (name, pointer) in &step.take {
            let text = match document.pointer(pointer) {
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None => continue,
            };
            self.told.insert(name.clone(), text);
        }
        if let Some(issued) = issued {
            self.told.insert("access_token".to_owned(), issued.access_token.clone());
            let refresh = issued.refresh_token.iter();
            self.told.extend(refresh.map(|token| ("refresh_token".to_owned(), token.clone())));
        }
        if let Auth::TwoStep(auth) = &self.manifest.auth {
            let told = Some(&self.told);
            // It could be played before, and nothing but values has changed.
            if let Ok(endpoints) = endpoints(&self.manifest, auth, &self.values, &self.registered, told) {
                self.endpoints = endpoints;
            }
        }
    }
}
