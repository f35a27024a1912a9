//! The consent page where customers paste credentials.

use super::rig::{BASE, Rig};
use mortise_broker::{
    AppInput, AppSettings, Completion, ConnectionQuery, EnvironmentInput, ManifestSource, PageRequest,
};
use mortise_domain::{CompletionCode, FinisherCheck, ScopeSet};
use mortise_oauth::testing::ScriptedTransport;
use mortise_oauth::{Egress, EgressPolicy, Reply};
use mortise_sandbox::{DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, Sandbox, SandboxConfig};
use mortise_testkit::Http;
use reqwest::Method;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::api::pasted::MAIL;

async fn rig() -> Rig {
    let rig = Rig::new().await;
    register(&rig, MAIL).await;
    rig
}

/// A connector without OAuth with an app of the same name, and a customer.
pub(super) async fn register(rig: &Rig, manifest: &str) {
    let source = ManifestSource::Text(manifest.to_owned());
    let connector = rig.broker().register_connector(&rig.caller, source).await.unwrap().id;
    let id = connector.as_str().parse().unwrap();
    let input = AppInput {
        connector,
        connector_version: None,
        client_id: String::new(),
        client_secret: None,
        scopes: ScopeSet::default(),
        settings: AppSettings { return_urls: vec!["https://app.example/done".into()], ..AppSettings::default() },
    };
    rig.broker().create_app(&rig.caller, id, input).await.unwrap();
    rig.customer("c1", "Ann").await;
}

const FIELDS: [(&str, &str); 4] =
    [("app", "mail"), ("field.region", "us"), ("paste.api_key", " canary-1 "), ("paste.account", "canary-account")];

async fn states(rig: &Rig) -> Vec<String> {
    let page = PageRequest { limit: None, cursor: None };
    let all = rig.broker().list_connections(&rig.caller, &ConnectionQuery::default(), &page).await.unwrap();
    all.items.into_iter().map(|view| view.state.to_string()).collect()
}

#[actix_web::test]
async fn the_form_hides_secrets_and_says_where_they_go() {
    let rig = rig().await;
    let page = rig.get(&rig.link(None).await).await;
    insta::assert_snapshot!(page.steady_text());
    let field =
        |name: &str| page.body.split("<input").find(|tag| tag.contains(name)).unwrap().split('>').next().unwrap();
    assert!(
        field("paste.api_key").contains("type=\"password\"") && field("paste.api_key").contains("autocomplete=\"off\"")
    );
    assert!(field("paste.api_key").contains("placeholder=\"canary-000\""));
    assert!(!field("paste.account").contains("type=\"password\""));
}

#[actix_web::test]
async fn what_is_good_is_stored_and_the_browser_goes_back() {
    let rig = rig().await;
    rig.provider.reply(Reply::new(204, None, ""));
    let done = rig.submit(&rig.link(Some("https://app.example/done")).await, &FIELDS).await;
    assert_eq!(done.status, 303, "{}", done.body);
    assert!(done.header("location").unwrap().starts_with("https://app.example/done?"), "{done:?}");
    assert!(done.set_cookies().is_empty(), "there is no flow to tie to the browser");
    let [request] = &rig.provider.take_requests()[..] else { panic!("one call") };
    assert_eq!(request.url.as_str(), "https://us.mail.example/me?account=canary-account");
    assert_eq!(states(&rig).await, ["active"]);
    assert!(!rig.rows().await.join("\n").contains("canary"), "sealed");
}

#[actix_web::test]
async fn what_is_wrong_comes_back_with_a_word_and_without_the_secret() {
    let rig = rig().await;
    let link = rig.link(None).await;
    let wrong = rig.submit(&link, &[FIELDS[0], FIELDS[1], ("paste.api_key", "secret-of-mine"), FIELDS[3]]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.body.contains("check that it was copied whole, such as canary-000"), "{}", wrong.body);
    let missing = rig.submit(&link, &FIELDS[..3]).await;
    assert_eq!(missing.status, 422);
    assert!(rig.provider.take_requests().is_empty(), "the server checks before it calls");
    rig.provider.reply(Reply::new(401, None, "no"));
    let refused = rig.submit(&link, &FIELDS).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("Mail does not accept this (status 401)"), "{}", refused.body);
    for page in [wrong, missing, refused] {
        for secret in ["secret-of-mine", "canary-1", "canary-account"] {
            assert!(!page.body.contains(secret), "{}", page.body);
        }
        assert!(page.body.contains("<option selected>us"), "what was chosen is kept");
    }
    assert_eq!(states(&rig).await, Vec::<String>::new());
    rig.provider.reply(Reply::new(204, None, ""));
    assert_eq!(rig.submit(&link, &FIELDS).await.status, 303, "the link still works");
}

/// The sandbox as the provider, over the real way out: it knows its own tokens and refuses others.
#[actix_web::test]
async fn a_provider_that_is_really_there_decides() {
    let (sandbox, provider) = Sandbox::bind(SandboxConfig::default()).unwrap();
    actix_web::rt::spawn(provider);
    let at = format!("{}/f", sandbox.base_url().trim_end_matches('/'));
    let (http, grant) = (Http::new(), [("grant_type", "client_credentials")]);
    let ask = http.request(Method::POST, &format!("{at}/token")).form(&grant);
    let token = http.send(ask.basic_auth(DEFAULT_CLIENT_ID, Some(DEFAULT_CLIENT_SECRET))).await.expect(200).json();
    let token = token["access_token"].as_str().unwrap();

    let policy = EgressPolicy { allow: vec!["127.0.0.0/8".parse().unwrap()] };
    let egress = Arc::new(Egress::new(policy.clone()).unwrap());
    let rig = Rig::with(BASE, policy, egress, Arc::new(ScriptedTransport::new())).await;
    let manifest = format!(
        "id: mail\nname: Mail\nauth:\n  type: api_key\n  credentials: {{key: {{type: secret, title: Key}}}}\n  \
         verification: {{url: '{at}/userinfo'}}\napi: {{base_url: '{at}', headers: {{Authorization: 'Bearer {{key}}'}}}}\n"
    );
    register(&rig, &manifest).await;
    let link = rig.link(None).await;
    let refused = rig.submit(&link, &[("app", "mail"), ("paste.key", "not-a-token")]).await;
    assert!(refused.status == 422 && refused.body.contains("status 401"), "{}", refused.body);
    assert_eq!(states(&rig).await, Vec::<String>::new());
    assert_eq!(rig.submit(&link, &[("app", "mail"), ("paste.key", token)]).await.status, 303);
    assert_eq!(states(&rig).await, ["active"]);
    sandbox.stop().await;
}

/// Who only lures somebody into a link does not get their key: the backend has to say that its own customer came back.
#[actix_web::test]
async fn where_the_finisher_is_checked_nothing_is_stored_before_the_backend_confirms() {
    let rig = rig().await;
    let required = EnvironmentInput { finisher_check: Some(FinisherCheck::Required), ..EnvironmentInput::default() };
    rig.broker().update_environment(&"dev".parse().unwrap(), required).await.unwrap();
    for (customer, stored) in [("c2", None), ("c1", Some("active"))] {
        rig.provider.reply(Reply::new(204, None, ""));
        let back = rig.submit(&rig.link(Some("https://app.example/done")).await, &FIELDS).await;
        let location = url::Url::parse(back.header("location").unwrap()).unwrap();
        let query: BTreeMap<_, _> = location.query_pairs().into_owned().collect();
        assert_eq!(query["status"], "awaiting_completion");
        assert_eq!(states(&rig).await, Vec::<String>::new(), "held, not stored");
        assert!(!rig.rows().await.join("\n").contains("canary"), "sealed while it waits");
        let (code, customer) = (CompletionCode::new(query["code"].as_str()), customer.parse().unwrap());
        let session = query["session"].parse().unwrap();
        let done = rig.broker().complete_session(&rig.caller, session, Completion { code, customer }).await;
        assert_eq!(done.is_ok(), stored.is_some());
        assert_eq!(states(&rig).await, stored.into_iter().collect::<Vec<_>>());
    }
}
