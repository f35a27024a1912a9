//! A customer with a browser of few features: it keeps cookies, fills in forms and follows links one step at a time.

use crate::{Answer, Http, or_panic};
use anyhow::Context as _;
use reqwest::Method;
use std::collections::BTreeMap;
use url::Url;

/// Somebody with cookies of their own.
#[derive(Debug, Clone, Default)]
pub struct Visitor {
    http: Http,
    /// By host and port, so that no site sees another's.
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

impl Visitor {
    /// A visitor who was nowhere before.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens a page; redirects are not followed. Panics like [`Http::send`].
    pub async fn get(&mut self, url: &str) -> Answer {
        self.send(Method::GET, url, None).await
    }

    /// Sends a form; redirects are not followed. Panics like [`Http::send`].
    pub async fn submit(&mut self, url: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(Method::POST, url, Some(fields)).await
    }

    async fn send(&mut self, method: Method, url: &str, fields: Option<&[(&str, &str)]>) -> Answer {
        let url = or_panic(Url::parse(url).with_context(|| format!("not a URL: {url}")));
        let site = url.authority().to_owned();
        let mut request = self.http.request(method, url.as_str());
        let jar = self.cookies.entry(site).or_default();
        if !jar.is_empty() {
            let pairs: Vec<_> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header("cookie", pairs.join("; "));
        }
        if let Some(fields) = fields {
            request = request.form(fields);
        }
        let answer = self.http.send(request).await;
        for cookie in answer.headers.get_all("set-cookie") {
            let (pair, attributes) = cookie.to_str().unwrap_or_default().split_once(';').unwrap_or_default();
            let (name, value) = or_panic(pair.split_once('=').context("a cookie without a value"));
            if ends_at_once(attributes) {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    /// Opens a connect link and goes on with this app; answers where the browser is sent.
    pub async fn start(&mut self, link: &str, app: &str) -> Answer {
        let page = self.get(link).await.expect(200).body;
        self.submit(link, &[("csrf", value_of(&page, "csrf")), ("app", app)]).await
    }

    /// Answers the sandbox's consent page with `allow` or `deny`; what comes back is the callback's address.
    pub async fn decide(&mut self, authorize: &str, decision: &str) -> String {
        let page = self.get(authorize).await.expect(200).body;
        let form = authorize.split('?').next().unwrap_or_default();
        let fields = [("request", value_of(&page, "request")), ("account", "alex"), ("decision", decision)];
        to(&self.submit(form, &fields).await.expect(303))
    }

    /// From the link to the callback's address, which is not opened yet.
    pub async fn up_to_the_callback(&mut self, link: &str, app: &str, decision: &str) -> String {
        let authorize = to(&self.start(link, app).await.expect(303));
        self.decide(&authorize, decision).await
    }

    /// The whole way; answers the redirect that the callback ends in.
    pub async fn consent(&mut self, link: &str, app: &str) -> String {
        let callback = self.up_to_the_callback(link, app, "allow").await;
        to(&self.get(&callback).await.expect(303))
    }

    /// Logs in to `oidc-provider` under this name and consents, page by page; what comes back is the callback's address.
    ///
    /// # Panics
    /// When the provider shows anything but its forms for that.
    pub async fn decide_at_oidc(&mut self, authorize: &str, account: &str) -> String {
        let begin = or_panic(Url::parse(authorize).context("not a URL"));
        let mut url = begin.clone();
        let mut answer = self.get(authorize).await;
        while url.authority() == begin.authority() {
            if answer.status == 200 {
                let prompt = value_of(&answer.body, "prompt");
                let fields = [("prompt", prompt), ("login", account), ("password", "anything")];
                answer = self.submit(url.as_str(), &fields).await;
            }
            url = or_panic(url.join(&to(&answer)).context("not a URL"));
            if url.authority() == begin.authority() {
                answer = self.get(url.as_str()).await;
            }
        }
        url.into()
    }
}

fn ends_at_once(attributes: &str) -> bool {
    let attributes = attributes.to_ascii_lowercase();
    ["max-age=0", "expires=thu, 01 jan 1970"].iter().any(|end| attributes.contains(end))
}

/// Where an answer sends the browser.
///
/// # Panics
/// When it sends it nowhere.
#[track_caller]
pub fn to(answer: &Answer) -> String {
    assert!(!answer.header("location").is_empty(), "no redirect: {answer:?}");
    answer.header("location").to_owned()
}

/// What a notice says: its title, and its detail for whoever helps.
pub fn title_of(page: &str) -> &str {
    page.split_once("<h1>").and_then(|(_, rest)| rest.split_once("</h1>")).map_or("", |(title, _)| title)
}

/// The value of a hidden field.
#[track_caller]
pub fn value_of<'a>(page: &'a str, name: &str) -> &'a str {
    let found = page.split_once(&format!("name=\"{name}\" value=\""));
    let (_, rest) = or_panic(found.with_context(|| format!("no {name} in {page}")));
    rest.split('"').next().unwrap_or_default()
}
