//! The admin console.

use super::rig::{ACME, PLAIN, Rig, with_cookies};
use actix_web::test::TestRequest;
use mortise_broker::{AppInput, AppSettings, Import, ImportedCredentials, ManifestSource, MoveInput};
use mortise_domain::{AccessToken, ApiScope, MoveTerms, RefreshToken, ScopeSet};
use serde_json::json;

const PAGES: [&str; 4] = ["/console", "/console/apps", "/console/connectors", "/console/customers"];

impl Rig {
    /// Signs in and says what the browser sends from now on.
    pub(crate) async fn sign_in(&self, key: &str) -> Vec<(String, String)> {
        let answer = self.submit("/console/sign-in", &[("key", key)]).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some("/console")), "{}", answer.body);
        answer.cookies()
    }

    /// A connection of `customer` at `plain`; says its id.
    pub(crate) async fn connection(&self, customer: &str, refreshable: bool) -> String {
        let import = Import {
            customer: customer.parse().unwrap(),
            app: "plain".parse().unwrap(),
            variables: Default::default(),
            credentials: Some(ImportedCredentials {
                access_token: Some(AccessToken::new("canary-access")),
                refresh_token: refreshable.then(|| RefreshToken::new("canary-refresh")),
                expires_at: Some(mortise_domain::Timestamp::from_timestamp(4_000_000_000, 0).unwrap()),
                scopes: Some(ScopeSet::parse("read", " ")),
                pasted: Default::default(),
            }),
        };
        self.broker().import_connection(&self.caller, import).await.unwrap().id.to_string()
    }
}

#[actix_web::test]
async fn whoever_is_not_signed_in_is_sent_to_the_sign_in() {
    let rig = Rig::new().await;
    let sealed = rig.sign_in(&rig.key).await;
    let name = &sealed[0].0;
    let value = &sealed[0].1;
    let cut = (name.clone(), value[..value.len() - 2].to_owned());
    let odd = (name.clone(), "a.b".to_owned());
    let twice = [sealed.clone(), sealed.clone()].concat();
    for path in PAGES.iter().copied().chain(["/console/connections/con_00000000000000000000000000000000"]) {
        for cookies in [&[][..], std::slice::from_ref(&cut), std::slice::from_ref(&odd), &twice] {
            let answer = rig.get_with(path, cookies).await;
            assert_eq!(
                (answer.status, answer.header("location")),
                (303, Some("/console/sign-in")),
                "{path} {cookies:?}"
            );
        }
    }
}

#[actix_web::test]
async fn the_sign_in_takes_a_key_and_never_shows_it() {
    let rig = Rig::new().await;
    let form = rig.get("/console/sign-in").await;
    insta::assert_snapshot!("sign_in", form.text());
    let mut mistyped = rig.key.clone();
    mistyped.pop();
    for wrong in ["", "x", mistyped.as_str(), "mrt_<script>"] {
        let refused = rig.submit("/console/sign-in", &[("key", wrong)]).await;
        assert_eq!(refused.status, 401);
        assert!(
            refused.body.contains("role=\"alert\"") && (wrong.len() < 2 || !refused.body.contains(wrong)),
            "{wrong}"
        );
        assert!(!refused.set_cookies().iter().any(|cookie| cookie.contains("mortise_console")));
    }
    let answer = rig.submit("/console/sign-in", &[("key", &format!(" {}\n", rig.key))]).await;
    let [cookie] = answer.set_cookies()[..] else { panic!("one cookie") };
    assert!(cookie.starts_with("__Host-mortise_console=") && !cookie.contains(&rig.key[4..36]), "{cookie}");
    for attribute in ["HttpOnly", "SameSite=Strict", "Secure", "Path=/"] {
        assert!(cookie.split("; ").any(|part| part == attribute), "{attribute} in {cookie}");
    }
}

#[actix_web::test]
async fn a_revoked_key_ends_its_sessions() {
    let rig = Rig::new().await;
    let key = rig.key_with(&[ApiScope::ConnectionsRead]).await;
    let cookies = rig.sign_in(&key).await;
    assert_eq!(rig.get_with("/console", &cookies).await.status, 200);
    rig.sql("UPDATE api_keys SET revoked_at = 1").await;
    let answer = rig.get_with("/console", &cookies).await;
    assert_eq!(answer.status, 303);
    assert!(answer.set_cookies()[0].contains("Max-Age=0"), "{:?}", answer.set_cookies());
}

#[actix_web::test]
async fn signing_out_takes_its_own_form() {
    let rig = Rig::new().await;
    let cookies = rig.sign_in(&rig.key).await;
    let token = rig.get_with("/console", &cookies).await.hidden("csrf");
    let leave = |site: &'static str, token: String| {
        let request = TestRequest::post().uri("/console/sign-out").insert_header(("sec-fetch-site", site));
        rig.send(with_cookies(request, &cookies).set_form([("csrf", token)]))
    };
    for (site, token) in
        [("cross-site", token.clone()), ("same-origin", String::new()), ("same-origin", "0".repeat(64))]
    {
        let refused = leave(site, token).await;
        assert!(refused.status == 403 && refused.set_cookies().is_empty(), "{site}");
    }
    let left = leave("same-origin", token).await;
    assert_eq!((left.status, left.header("location")), (303, Some("/console/sign-in")));
    assert!(left.set_cookies()[0].contains("Max-Age=0"));
}

#[actix_web::test]
async fn the_pages_show_what_the_environment_holds() {
    let rig = Rig::new().await;
    let cookies = rig.sign_in(&rig.key).await;
    for path in PAGES {
        let page = rig.get_with(path, &cookies).await;
        assert!(page.status == 200 && page.body.contains("class=\"empty\""), "{path}: {}", page.body);
    }
    rig.register(ACME).await;
    rig.register(PLAIN).await;
    let id = rig.connection("c1", true).await;
    for (name, path) in
        [("connections", "/console"), ("apps", PAGES[1]), ("connectors", PAGES[2]), ("customers", PAGES[3])]
    {
        insta::assert_snapshot!(name, rig.get_with(path, &cookies).await.steady_text());
    }
    let detail = rig.get_with(&format!("/console/connections/{id}"), &cookies).await;
    insta::assert_snapshot!("connection", detail.steady_text());
    assert!(!detail.body.contains("canary"));
}

#[actix_web::test]
async fn lists_are_filtered_and_paged() {
    let rig = Rig::new().await;
    rig.register(PLAIN).await;
    let cookies = rig.sign_in(&rig.key).await;
    for number in 0..51 {
        let customer = format!("k{number}");
        rig.customer(&customer, "Kim").await;
        rig.connection(&customer, true).await;
    }
    let first = rig.get_with("/console?state=active&app=plain", &cookies).await;
    assert_eq!(first.body.matches("<th scope=\"row\">").count(), 50);
    let next =
        first.body.split("rel=\"next\"").next().unwrap().rsplit("href=\"").next().unwrap().trim_end_matches("\" ");
    let next = next.replace("&#38;", "&");
    assert!(next.contains("state=active") && next.contains("app=plain") && next.contains("cursor="), "{next}");
    let second = rig.get_with(&next, &cookies).await;
    assert_eq!(second.body.matches("<th scope=\"row\">").count(), 1);
    assert!(second.body.contains("rel=\"first\"") && !second.body.contains("rel=\"next\""));
    for (query, rows) in
        [("state=revoked", 0), ("customer=k7", 1), ("customer=nobody", 0), ("app=nothing", 0), ("customer=", 50)]
    {
        let page = rig.get_with(&format!("/console?{query}"), &cookies).await;
        assert_eq!((page.status, page.body.matches("<th scope=\"row\">").count()), (200, rows), "{query}");
    }
    for query in ["state=never", "cursor=x", "customer=%0A", "app=A%2FB", "state=%3Cscript%3E"] {
        let page = rig.get_with(&format!("/console?{query}"), &cookies).await;
        assert!(page.status == 400 && !page.body.contains("<script>"), "{query}: {}", page.body);
    }
}

#[actix_web::test]
async fn a_page_needs_its_scope_and_says_which() {
    let rig = Rig::new().await;
    rig.register(PLAIN).await;
    let id = rig.connection("c1", true).await;
    let detail = format!("/console/connections/{id}");
    let pages = [
        ("/console", ApiScope::ConnectionsRead),
        (detail.as_str(), ApiScope::ConnectionsRead),
        ("/console/apps", ApiScope::AppsRead),
        ("/console/connectors", ApiScope::ConnectorsRead),
        ("/console/customers", ApiScope::CustomersRead),
    ];
    for (_, scope) in pages {
        let cookies = rig.sign_in(&rig.key_with(&[scope]).await).await;
        for (path, needed) in pages {
            let page = rig.get_with(path, &cookies).await;
            assert_eq!(page.status, if needed == scope { 200 } else { 403 }, "{path} with {scope}");
            assert!(!page.body.contains("class=\"environment\""), "the environment's name has a scope of its own");
            assert!(
                page.status == 200 || page.text().contains(&format!("It lacks the scope {needed}.")),
                "{}",
                page.text()
            );
        }
    }
}

#[actix_web::test]
async fn what_another_environment_holds_looks_like_nothing() {
    let rig = Rig::new().await;
    rig.register(PLAIN).await;
    let id = rig.connection("c1", true).await;
    let new = mortise_broker::NewApiKey { name: "prod".into(), scopes: ApiScope::ALL.to_vec(), expires_at: None };
    let (_, key) = rig.broker().create_api_key_locally(&"prod".parse().unwrap(), new).await.unwrap();
    let cookies = rig.sign_in(key.expose()).await;
    for path in PAGES {
        assert!(rig.get_with(path, &cookies).await.body.contains("class=\"empty\""), "{path}");
    }
    let foreign = rig.get_with(&format!("/console/connections/{id}"), &cookies).await;
    let missing = rig.get_with("/console/connections/con_0190a0b0c0d07000800000000000000a", &cookies).await;
    let odd = rig.get_with("/console/connections/%3Cscript%3E", &cookies).await;
    assert_eq!([foreign.status, missing.status, odd.status], [404; 3]);
    assert_eq!(foreign.text(), missing.text());
    assert_eq!(odd.text(), missing.text());
}

#[actix_web::test]
async fn states_and_held_apps_say_what_to_do() {
    let rig = Rig::new().await;
    rig.register(PLAIN).await;
    let id = rig.connection("c1", true).await;
    let cookies = rig.sign_in(&rig.key).await;
    rig.sql("UPDATE connections SET state = 'needs_reauth', state_reason = 'lost_rotation', failures = 3, last_error = 'invalid_grant'")
        .await;
    rig.sql("UPDATE apps SET state = 'held', held_reason = 'invalid_client', held_since = 1").await;
    let detail = rig.get_with(&format!("/console/connections/{id}"), &cookies).await.text();
    assert!(detail.contains("Needs reconnect") && detail.contains("send the customer its link"), "{detail}");
    assert!(detail.contains("invalid_grant"), "{detail}");
    let apps = rig.get_with("/console/apps", &cookies).await.text();
    assert!(apps.contains("Held") && apps.contains("The provider refuses this client: invalid_client"), "{apps}");
}

#[actix_web::test]
async fn the_timeline_tells_in_words_what_happened() {
    let rig = Rig::new().await;
    rig.register(PLAIN).await;
    let flow = rig.flow(&rig.link(None).await).await;
    rig.provider
        .json(200, &json!({"access_token": "a", "refresh_token": "r", "token_type": "Bearer", "expires_in": 60}));
    assert_eq!(rig.get_with(&flow.back("code=c"), &flow.cookies).await.status, 303);
    let cookies = rig.sign_in(&rig.key).await;
    let overview = rig.get_with("/console", &cookies).await;
    let path = overview.body.split("href=\"/console/connections/").nth(1).unwrap().split('"').next().unwrap();
    let detail = rig.get_with(&format!("/console/connections/{path}"), &cookies).await;
    assert!(detail.body.contains("data-kind=\"connected\""), "{}", detail.body);
    assert!(detail.text().contains("Connected: the customer gave consent"), "{}", detail.text());
}

#[actix_web::test]
async fn an_app_without_a_secret_is_called_public() {
    let rig = Rig::new().await;
    let manifest =
        PLAIN.replace("  issuer: https://plain.example\n", "  client_authentication: none\n").replace("plain", "open");
    rig.register(PLAIN).await;
    let source = mortise_broker::ManifestSource::Text(manifest);
    rig.broker().register_connector(&rig.caller, source).await.unwrap();
    let input = AppInput {
        connector: "open".parse().unwrap(),
        connector_version: None,
        client_id: "public".into(),
        client_secret: None,
        scopes: ScopeSet::default(),
        settings: AppSettings::default(),
    };
    rig.broker().create_app(&rig.caller, "open".parse().unwrap(), input).await.unwrap();
    let cookies = rig.sign_in(&rig.key).await;
    let text = rig.get_with("/console/apps", &cookies).await.text();
    assert!(text.contains("none: a public client") && text.contains("stored sealed, never shown"), "{text}");
}

/// Who uses which version of a connector, and how far a move has come.
#[actix_web::test]
async fn versions_and_moves_are_shown() {
    let rig = Rig::new().await;
    rig.register(PLAIN).await;
    rig.connection("c1", true).await;
    let cookies = rig.sign_in(&rig.key).await;
    let apps = rig.get_with("/console/apps", &cookies).await;
    assert!(!apps.body.contains("<dt>Move</dt>"), "nothing moves: {}", apps.body);
    let second = format!("{PLAIN}description: The same and more\n");
    let id = "plain".parse().unwrap();
    rig.broker().update_connector(&rig.caller, &id, ManifestSource::Text(second)).await.unwrap();
    let input = MoveInput {
        app: "plain".parse().unwrap(),
        to_version: None,
        terms: MoveTerms::default(),
        client_secret: None,
        accept_hosts: std::collections::BTreeSet::new(),
    };
    rig.broker().create_move(&rig.caller, input).await.unwrap();
    let apps = rig.get_with("/console/apps", &cookies).await.text();
    assert!(apps.contains("to version 2, under way: 0 moved, 1 to go"), "{apps}");
    let connectors = rig.get_with("/console/connectors", &cookies).await.text();
    assert!(connectors.contains("1: 1 app, 1 connection"), "{connectors}");
}
