//! A customer with a browser of few features: it keeps cookies, fills in forms and follows links one step at a time.

use mortise_testkit::{Answer, Http};
use reqwest::Method;
use std::collections::BTreeMap;
use url::Url;

#[derive(Clone)]
pub struct Visitor {
    http: Http,
    /// By host and port, so that no site sees another's.
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

impl Visitor {
    pub fn new() -> Self {
        Self { http: Http::new(), cookies: BTreeMap::new() }
    }

    pub async fn get(&mut self, url: &str) -> Answer {
        self.send(Method::GET, url, None).await
    }

    pub async fn submit(&mut self, url: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(Method::POST, url, Some(fields)).await
    }

    async fn send(&mut self, method: Method, url: &str, fields: Option<&[(&str, &str)]>) -> Answer {
        let url = Url::parse(url).unwrap();
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
            let (pair, attributes) = cookie.to_str().unwrap().split_once(';').unwrap_or_default();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.to_ascii_lowercase().contains("max-age=0") {
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
        let form = authorize.split('?').next().unwrap();
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
}

/// Where an answer sends the browser.
#[track_caller]
pub fn to(answer: &Answer) -> String {
    assert!(!answer.header("location").is_empty(), "no redirect: {answer:?}");
    answer.header("location").to_owned()
}

/// The value of a hidden field.
#[track_caller]
fn value_of<'a>(page: &'a str, name: &str) -> &'a str {
    let (_, rest) =
        page.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no {name} in {page}"));
    rest.split('"').next().unwrap()
}

/// What a notice says: its title, and its detail for whoever helps.
pub fn title_of(page: &str) -> &str {
    page.split_once("<h1>").and_then(|(_, rest)| rest.split_once("</h1>")).map_or("", |(title, _)| title)
}
