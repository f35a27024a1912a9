//! The sandbox's class F beside the provider that it is a model of: one script of rotations, reuse, revocations, refusals and
//! lost replies is played at both, and what each says and leaves alive has to be the same, step by step.

use crate::world::provider::{CLIENT_ID, Provider};
use crate::world::visitor::Visitor;
use crate::world::{CLIENT_SECRET, PATIENCE};
use mortise_sandbox::RecoveryClass;
use mortise_testkit::{Answer, Http, OidcConfig, OidcProvider, wait};
use reqwest::{Method, RequestBuilder};
use std::collections::BTreeMap;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use url::Url;

// RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const REDIRECT: &str = "http://127.0.0.1:9/callback";

/// Who is asked: the endpoints, and how somebody consents there.
struct Peer {
    http: Http,
    issuer: String,
    endpoints: [&'static str; 4],
    scope: &'static str,
    at_oidc: bool,
    /// What was said, step by step.
    told: Vec<String>,
    /// By the names that the script gives them.
    tokens: BTreeMap<String, String>,
}

impl Peer {
    fn new(issuer: String, endpoints: [&'static str; 4], scope: &'static str, at_oidc: bool) -> Self {
        let (told, tokens) = (Vec::new(), BTreeMap::new());
        Self { http: Http::new(), issuer, endpoints, scope, at_oidc, told, tokens }
    }

    fn request(&self, endpoint: usize, secret: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        let url = format!("{}{}", self.issuer, self.endpoints[endpoint]);
        self.http.request(Method::POST, &url).form(fields).basic_auth(CLIENT_ID, Some(secret))
    }

    async fn post(&self, endpoint: usize, fields: &[(&str, &str)]) -> Answer {
        self.http.send(self.request(endpoint, CLIENT_SECRET, fields)).await
    }

    fn token(&self, name: &str) -> String {
        self.tokens.get(name).cloned().unwrap_or_else(|| name.to_owned())
    }

    /// Somebody consents, and the pair of the code is called by this name and 0.
    async fn grant(&mut self, name: &str) {
        let parameters = [
            ("client_id", CLIENT_ID),
            ("response_type", "code"),
            ("redirect_uri", REDIRECT),
            ("scope", self.scope),
            ("prompt", "consent"),
            ("state", "some-state"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let url = Url::parse_with_params(&format!("{}{}", self.issuer, self.endpoints[0]), parameters).unwrap();
        let mut visitor = Visitor::new();
        let back = match self.at_oidc {
            true => visitor.decide_at_oidc(url.as_str(), name).await,
            false => visitor.decide(url.as_str(), "allow").await,
        };
        let back = Url::parse(&back).unwrap();
        let code = back.query_pairs().find(|(key, _)| key == "code").unwrap().1.into_owned();
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        let answer = self.post(1, &fields).await;
        self.note(&format!("code of {name}"), &answer);
        self.keep(&answer, &format!("{name}0"));
    }

    fn keep(&mut self, answer: &Answer, name: &str) {
        for kind in ["access", "refresh"] {
            if let Some(token) = answer.json()[format!("{kind}_token")].as_str() {
                self.tokens.insert(format!("{kind} {name}"), token.to_owned());
            }
        }
    }

    fn note(&mut self, what: &str, answer: &Answer) {
        let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let error = body["error"].as_str().unwrap_or("no error");
        self.told.push(format!("{what}: {} {error}", answer.status));
    }

    /// Presents a refresh token; a pair that comes of it gets this name.
    async fn refresh(&mut self, old: &str, new: &str) {
        let token = self.token(&format!("refresh {old}"));
        let answer = self.post(1, &[("grant_type", "refresh_token"), ("refresh_token", &token)]).await;
        self.note(&format!("refresh {old}"), &answer);
        self.keep(&answer, new);
        let fresh = self.tokens.get(&format!("refresh {new}")).is_some_and(|new| *new != token);
        self.told.push(format!("another refresh token: {fresh}"));
    }

    /// The same by somebody who does not know the client's secret.
    async fn impersonate(&mut self, old: &str) {
        let token = self.token(&format!("refresh {old}"));
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
        let answer = self.http.send(self.request(1, "a guess", &fields)).await;
        self.note(&format!("refresh {old} with another secret"), &answer);
    }

    async fn revoke(&mut self, name: &str) {
        let answer = self.post(2, &[("token", &self.token(name))]).await;
        self.note(&format!("revoke {name}"), &answer);
    }

    /// Presents a refresh token and leaves without the reply; comes back when it has been used up.
    async fn leave(&mut self, old: &str) {
        let token = self.token(&format!("refresh {old}"));
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
        let request = self.request(1, CLIENT_SECRET, &fields).build().unwrap();
        let (url, body) = (request.url(), request.body().unwrap().as_bytes().unwrap());
        let header = |name| request.headers().get(name).unwrap().to_str().unwrap();
        let head = format!(
            "POST {} HTTP/1.1\r\nhost: {}\r\nauthorization: {}\r\ncontent-type: {}\r\ncontent-length: {}\r\n\r\n",
            url.path(),
            url.authority(),
            header("authorization"),
            header("content-type"),
            body.len()
        );
        let mut stream = TcpStream::connect(url.authority()).await.unwrap();
        stream.write_all(&[head.as_bytes(), body].concat()).await.unwrap();
        drop(stream);
        wait::until(PATIENCE, async || Ok((!self.active(&token).await).then_some(()))).await.unwrap();
        self.told.push(format!("left while refreshing {old}"));
    }

    async fn active(&self, token: &str) -> bool {
        self.post(3, &[("token", token)]).await.expect(200).json()["active"] == true
    }

    /// Looks at an access token alone, and no more at its pair: whether the refresh token ends with the access token is the
    /// provider's choice (RFC 7009 section 2.1), which these two make differently.
    async fn leave_behind(&mut self, pair: &str) {
        let (access, _) =
            (self.tokens.remove(&format!("access {pair}")), self.tokens.remove(&format!("refresh {pair}")));
        let told = format!("access {pair} is alive: {}", self.active(&access.unwrap()).await);
        self.told.push(told);
    }

    /// Which of all tokens are good now.
    async fn look(&mut self) {
        let mut alive = Vec::new();
        for (name, token) in &self.tokens {
            if self.active(token).await {
                alive.push(name.as_str());
            }
        }
        let told = format!("alive: {}", alive.join(", "));
        self.told.push(told);
    }
}

/// The script.
async fn played(mut peer: Peer) -> Vec<String> {
    peer.grant("bystander").await;
    // Rotation, and reuse of what it used up.
    peer.grant("a").await;
    peer.refresh("a0", "a1").await;
    peer.look().await;
    peer.refresh("a1", "a2").await;
    peer.look().await;
    peer.refresh("a0", "a3").await;
    peer.look().await;
    peer.refresh("a2", "a4").await;
    // Revocation, of either token, twice, and of nothing.
    peer.grant("d").await;
    peer.revoke("access d0").await;
    peer.leave_behind("d0").await;
    peer.grant("b").await;
    peer.refresh("b0", "b1").await;
    peer.revoke("refresh b1").await;
    peer.look().await;
    peer.revoke("refresh b1").await;
    peer.revoke("never issued").await;
    peer.refresh("b1", "b2").await;
    // Refusals that change nothing.
    peer.grant("c").await;
    peer.impersonate("c0").await;
    peer.refresh("never issued", "c9").await;
    peer.look().await;
    // A reply that nobody received: the retry is a reuse, as the provider sees it.
    peer.leave("c0").await;
    peer.refresh("c0", "c1").await;
    peer.look().await;
    peer.refresh("bystander0", "bystander1").await;
    peer.look().await;
    peer.told
}

#[tokio::test]
async fn the_sandbox_does_in_class_f_what_the_real_provider_does() {
    let client = (CLIENT_ID.to_owned(), CLIENT_SECRET.to_owned());
    let config = OidcConfig { client_id: client.0, client_secret: client.1, ..OidcConfig::new(REDIRECT) };
    let real = OidcProvider::start(config).await;
    let endpoints = ["/auth", "/token", "/token/revocation", "/token/introspection"];
    let at_real = played(Peer::new(real.issuer().to_owned(), endpoints, "openid offline_access", true)).await;

    let model = Provider::start();
    let (issuer, endpoints) =
        (model.sandbox.issuer(RecoveryClass::F), ["/authorize", "/token", "/revoke", "/introspect"]);
    let at_model = played(Peer::new(issuer, endpoints, "profile", false)).await;
    assert!(at_real.len() > 30, "{at_real:#?}");
    assert_eq!(at_real, at_model);
    // Both saw the same misuse: of what was rotated, and of what was lost.
    assert_eq!((real.events().await.reuses, model.sandbox.totals().reuse_events), (2, 2));
    model.stop().await;
}
