//! The OpenID provider: a person logs in and consents, tokens rotate, and its reuse detector does fire.

use mortise_testkit::{Answer, Chromium, Http, OidcConfig, OidcProvider, wait};
use std::time::Duration;
use thirtyfour::By;
use thirtyfour::prelude::ElementQueryable as _;
use url::Url;

// RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const REDIRECT: &str = "http://127.0.0.1:9/callback";

struct Client {
    http: Http,
    config: OidcConfig,
    issuer: String,
}

impl Client {
    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let url = format!("{}{path}", self.issuer);
        let request = self.http.request(reqwest::Method::POST, &url).form(fields);
        self.http.send(request.basic_auth(&self.config.client_id, Some(&self.config.client_secret))).await
    }

    async fn refresh(&self, token: &str) -> Answer {
        self.post("/token", &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    async fn active(&self, token: &str) -> bool {
        self.post("/token/introspection", &[("token", token)]).await.expect(200).json()["active"] == true
    }
}

async fn started() -> (OidcProvider, Client) {
    let config = OidcConfig { client_id: "a client".to_owned(), ..OidcConfig::new(REDIRECT) };
    let provider = OidcProvider::start(config.clone()).await;
    let client = Client { http: Http::new(), config, issuer: provider.issuer().to_owned() };
    (provider, client)
}

/// What a person does, down to the redirect that nobody answers here.
async fn consent(client: &Client) -> String {
    let parameters = [
        ("client_id", client.config.client_id.as_str()),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT),
        ("scope", "openid offline_access"),
        ("prompt", "consent"),
        ("state", "some-state"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let url = Url::parse_with_params(&format!("{}/auth", client.issuer), parameters).unwrap();
    let browser = Chromium::start().await;
    let driver = browser.driver();
    driver.goto(url.as_str()).await.unwrap();
    driver.query(By::Name("login")).first().await.unwrap().send_keys("someone").await.unwrap();
    driver.find(By::Name("password")).await.unwrap().send_keys("anything").await.unwrap();
    driver.find(By::Css("button[type=submit]")).await.unwrap().click().await.unwrap();
    driver.query(By::XPath("//button[contains(., 'Continue')]")).first().await.unwrap().click().await.unwrap();
    let back = wait::until(Duration::from_secs(20), async || {
        let url = driver.current_url().await?;
        Ok(url.as_str().starts_with(REDIRECT).then_some(url))
    });
    let back = back.await.unwrap();
    browser.stop().await;
    let value = |name| back.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap();
    assert_eq!((value("state"), value("iss")), ("some-state".to_owned(), client.issuer.clone()));
    value("code")
}

#[tokio::test]
async fn tells_its_endpoints() {
    let (provider, client) = started().await;
    let answer = client.http.get(&format!("{}/.well-known/openid-configuration", provider.issuer())).await;
    let document = answer.expect(200).json();
    assert_eq!(document["issuer"], provider.issuer());
    assert_eq!(document["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    assert_eq!(document["revocation_endpoint"], format!("{}/token/revocation", provider.issuer()));
    let answer = client.post("/token", &[("grant_type", "client_credentials")]).await.expect(200).json();
    assert_eq!(answer["expires_in"], 60);
    assert!(client.active(answer["access_token"].as_str().unwrap()).await);
}

#[tokio::test]
async fn rotates_refresh_tokens_and_notices_reuse() {
    let (provider, client) = started().await;
    let code = consent(&client).await;
    let exchange = |verifier: &'static str| {
        let (code, client) = (code.clone(), &client);
        async move {
            let fields = [
                ("grant_type", "authorization_code"),
                ("code", code.as_str()),
                ("redirect_uri", REDIRECT),
                ("code_verifier", verifier),
            ];
            client.post("/token", &fields).await
        }
    };
    exchange(CHALLENGE).await.expect(400);
    let first = exchange(VERIFIER).await.expect(200).json();
    let old = first["refresh_token"].as_str().unwrap();
    let me = client.http.with_bearer(first["access_token"].as_str().unwrap());
    assert_eq!(me.get(&format!("{}/me", client.issuer)).await.expect(200).json()["sub"], "someone");

    let second = client.refresh(old).await.expect(200).json();
    let new = second["refresh_token"].as_str().unwrap();
    assert_ne!(new, old);
    let events = provider.events().await;
    assert_eq!((events.refresh_tokens_consumed, events.grants_succeeded, events.reuses), (1, 2, 0));

    let refused = client.refresh(old).await.expect(400).json();
    assert_eq!(refused["error"], "invalid_grant");
    let events = provider.events().await;
    assert_eq!((events.reuses, events.grants_revoked), (1, 1), "{events:?}");
    assert!(!client.active(new).await, "the reuse did not end the grant");
}

#[tokio::test]
async fn revocation_ends_both_tokens() {
    let (provider, client) = started().await;
    let code = consent(&client).await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let tokens = client.post("/token", &fields).await.expect(200).json();
    let (access, refresh) = (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
    assert!(client.active(access).await && client.active(refresh).await);
    client.post("/token/revocation", &[("token", refresh)]).await.expect(200);
    assert!(!client.active(access).await && !client.active(refresh).await);
    assert_eq!(provider.events().await.reuses, 0);
}
