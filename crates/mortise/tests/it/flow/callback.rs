//! The provider's way back when it is not the one that was hoped for: each time the page says so, and the provider is asked
//! for tokens exactly as often as it must be.

use crate::world::World;
use crate::world::api::{RETURN_URL, Session, app_id, text};
use crate::world::visitor::{Visitor, title_of, to};
use mortise_sandbox::RecoveryClass;
use mortise_testkit::Backend;
use serde_json::json;
use url::Url;

const CLASS: RecoveryClass = RecoveryClass::F;

/// A customer with a link, back from the provider with a good answer that nobody has opened yet.
struct Return {
    world: World,
    session: Session,
    visitor: Visitor,
    /// The browser as it came back, with every cookie that it had then.
    unspent: Visitor,
    callback: String,
}

impl Return {
    async fn with(backend: Backend, decision: &str) -> Self {
        let world = World::serving(backend).await;
        world.api.register(&world.provider, CLASS).await;
        let session = world.api.session("acme", json!({ "apps": [app_id(CLASS)] })).await;
        let mut visitor = Visitor::new();
        let callback = visitor.up_to_the_callback(&session.url, &app_id(CLASS), decision).await;
        Self { world, session, unspent: visitor.clone(), visitor, callback }
    }

    fn changed(&self, change: impl FnOnce(&mut Url)) -> String {
        let mut url = Url::parse(&self.callback).unwrap();
        change(&mut url);
        url.into()
    }

    /// Opens an address and expects a page with this status and title; the codes of its query never stand in the page.
    async fn refused(&mut self, url: &str, status: u16, title: &str) {
        let answer = self.visitor.get(url).await.expect(status);
        assert_eq!(title_of(&answer.body), title, "{}", answer.body);
        assert!(!answer.body.contains("sbx_code_"), "the page holds the code");
        assert!(answer.header("cache-control").contains("no-store"), "{answer:?}");
    }

    fn exchanges(&self) -> usize {
        self.world.provider.token_requests(CLASS).len()
    }

    async fn connections(&self) -> usize {
        self.world.api.get("/connections").await.expect(200).json()["items"].as_array().unwrap().len()
    }

    /// The right answer still works: nothing that was tried before has used it up.
    async fn still_works(mut self) {
        assert_eq!((self.exchanges(), self.connections().await), (0, 0));
        let callback = self.callback.clone();
        self.visitor.get(&callback).await.expect(303);
        self.world.api.result_of(&self.session).await;
        assert_eq!((self.exchanges(), self.connections().await), (1, 1));
        self.world.end().await;
    }

    /// The answer is spent, and nothing came of it.
    async fn has_ended(mut self) {
        let callback = self.callback.clone();
        self.visitor = self.unspent.clone();
        self.refused(&callback, 410, "This step is over").await;
        assert_eq!((self.exchanges(), self.connections().await), (0, 0));
        self.world.end().await;
    }
}

#[tokio::test]
async fn a_callback_works_once() {
    let mut back = Return::with(Backend::Sqlite, "allow").await;
    let callback = back.callback.clone();
    to(&back.visitor.get(&callback).await.expect(303));
    // Once more with everything that the browser had: a reloaded page, or somebody who read over its shoulder.
    back.visitor = back.unspent.clone();
    back.refused(&callback, 410, "This step is over").await;
    assert_eq!((back.exchanges(), back.connections().await), (1, 1));
    back.world.end().await;
}

#[tokio::test]
async fn another_browser_gets_nowhere() {
    let mut back = Return::with(Backend::Postgres, "allow").await;
    let callback = back.callback.clone();
    let own = std::mem::replace(&mut back.visitor, Visitor::new());
    back.refused(&callback, 403, "This was started in another browser").await;
    back.visitor = own;
    back.still_works().await;
}

#[tokio::test]
async fn another_apps_callback_gets_nowhere() {
    let mut back = Return::with(Backend::Sqlite, "allow").await;
    // One that exists, one that does not, and one that cannot.
    back.world.api.register(&back.world.provider, RecoveryClass::S).await;
    let other = back.world.api.get(&format!("/apps/{}", app_id(RecoveryClass::S))).await.expect(200).json();
    let other = Url::parse(&text(&other, "redirect_uri")).unwrap();
    let nobody = "/oauth/callback/0199a000-0000-7000-8000-000000000009";
    for path in [other.path(), nobody, "/oauth/callback/not-an-id"] {
        let wrong = back.changed(|url| url.set_path(path));
        back.refused(&wrong, 400, "This answer came from somewhere else").await;
    }
    back.still_works().await;
}

#[tokio::test]
async fn an_unknown_state_gets_nowhere() {
    let mut back = Return::with(Backend::Sqlite, "allow").await;
    let wrong = back.changed(|url| replace(url, "state", &["never-given"]));
    back.refused(&wrong, 410, "This step is over").await;
    let without = back.changed(|url| replace(url, "state", &[]));
    back.refused(&without, 400, "The answer could not be read").await;
    back.still_works().await;
}

#[tokio::test]
async fn another_issuer_ends_the_flow() {
    let mut back = Return::with(Backend::MariaDb, "allow").await;
    let wrong = back.changed(|url| replace(url, "iss", &["https://evil.example"]));
    back.refused(&wrong, 400, "This answer came from somewhere else").await;
    back.has_ended().await;
}

#[tokio::test]
async fn a_missing_issuer_ends_the_flow_where_it_is_promised() {
    let mut back = Return::with(Backend::Sqlite, "allow").await;
    let without = back.changed(|url| replace(url, "iss", &[]));
    back.refused(&without, 400, "This answer came from somewhere else").await;
    back.has_ended().await;
}

#[tokio::test]
async fn a_parameter_that_stands_twice_is_refused() {
    let mut back = Return::with(Backend::Sqlite, "allow").await;
    let (state, code) = (value(&back.callback, "state"), value(&back.callback, "code"));
    let twice = back.changed(|url| replace(url, "state", &[&state, &state]));
    back.refused(&twice, 400, "The answer could not be read").await;
    let twice = back.changed(|url| replace(url, "code", &["sbx_code_planted", &code]));
    back.refused(&twice, 400, "The answer could not be read").await;
    back.has_ended().await;
}

#[tokio::test]
async fn a_no_is_a_no_and_may_become_a_yes() {
    let mut back = Return::with(Backend::Sqlite, "deny").await;
    let callback = back.callback.clone();
    let answer = back.visitor.get(&callback).await.expect(403);
    assert_eq!(title_of(&answer.body), "Nothing was connected");
    let link = back.session.url.strip_prefix(back.world.api.base()).unwrap();
    assert!(answer.body.contains(&format!("href=\"{link}\"")), "no way to try again: {}", answer.body);
    assert_eq!((back.exchanges(), back.connections().await), (0, 0));
    let url = back.session.url.clone();
    back.visitor.consent(&url, &app_id(CLASS)).await;
    back.world.api.result_of(&back.session).await;
    assert_eq!(back.exchanges(), 1);
    back.world.end().await;
}

#[tokio::test]
async fn what_a_provider_reports_is_shown_sanitised() {
    let mut back = Return::with(Backend::Sqlite, "deny").await;
    let hostile = back.changed(|url| {
        replace(url, "error", &["<script>alert(1)</script>"]);
        replace(url, "error_description", &["<img src=x onerror=alert(1)>"]);
    });
    let answer = back.visitor.get(&hostile).await.expect(502);
    assert_eq!(title_of(&answer.body), "The provider reports a problem");
    assert!(!answer.body.contains("alert(") && !answer.body.contains("<img"), "{}", answer.body);
    back.has_ended().await;
}

#[tokio::test]
async fn a_finished_link_is_used_up() {
    let mut back = Return::with(Backend::Sqlite, "allow").await;
    let callback = back.callback.clone();
    back.visitor.get(&callback).await.expect(303);
    let url = back.session.url.clone();
    back.refused(&url, 410, "This link was used already").await;
    back.world.end().await;
}

#[tokio::test]
async fn the_return_url_says_how_it_ended() {
    let world = World::serving(Backend::Sqlite).await;
    world.api.register(&world.provider, CLASS).await;
    let body = json!({"customer": "acme", "apps": [app_id(CLASS)], "return_url": "http://127.0.0.1:9/elsewhere"});
    world.api.put_customer("acme").await;
    let refused = world.api.post("/connect-sessions", &body).await;
    assert!(refused.status == 422 && refused.body.contains("/return_url"), "{refused:?}");
    let session = world.api.session("acme", json!({"apps": [app_id(CLASS)], "return_url": RETURN_URL})).await;
    let landed = Visitor::new().consent(&session.url, &app_id(CLASS)).await;
    let connection = world.api.result_of(&session).await;
    assert!(landed.starts_with(RETURN_URL), "{landed}");
    let landed = |name| value(&landed, name);
    assert_eq!(
        (landed("status"), landed("session"), landed("connection")),
        ("connected".to_owned(), session.id, connection)
    );
    world.end().await;
}

/// The value of a query parameter.
fn value(url: &str, name: &str) -> String {
    let url = Url::parse(url).unwrap();
    let found = url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    found.unwrap_or_else(|| panic!("no `{name}`"))
}

/// Puts these values in the place of a query parameter.
fn replace(url: &mut Url, name: &str, values: &[&str]) {
    let others: Vec<_> =
        url.query_pairs().filter(|(key, _)| key != name).map(|(k, v)| (k.into_owned(), v.into_owned())).collect();
    url.query_pairs_mut().clear().extend_pairs(others).extend_pairs(values.iter().map(|value| (name, value)));
}
