//! The grants in which nobody consents, as a client sees them: each check refuses what it is there for.

use crate::kit::{Kit, error, start, tokens};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use mortise_sandbox::RecoveryClass;
use serde_json::{Value, json};

const CLASS: RecoveryClass = RecoveryClass::F;
const NOW: i64 = 1_700_000_000;
const JWT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const SAML: &str = "urn:ietf:params:oauth:grant-type:saml2-bearer";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";

/// A key on P-256, and its public half as the control endpoint takes it.
struct Signer {
    key: EncodingKey,
    public: Value,
}

impl Signer {
    fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let point = pair.public_key().as_ref();
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let jwk = json!({"kty": "EC", "crv": "P-256", "x": part(&point[1..33]), "y": part(&point[33..])});
        let der = pair.to_pkcs8v1().unwrap();
        Self {
            key: EncodingKey::from_ec_der(der.as_ref()),
            public: json!({"algorithm": "ES256", "key": jwk.to_string()}),
        }
    }

    fn sign(&self, claims: &Value) -> String {
        encode(&Header::new(Algorithm::ES256), claims, &self.key).unwrap()
    }
}

fn claims(kit: &Kit, jti: &str) -> Value {
    let aud = format!("http://{}/f/token", kit.sandbox.addr());
    json!({"iss": "robot", "sub": "ada", "aud": aud, "iat": NOW, "exp": NOW + 300, "jti": jti})
}

async fn bearer(kit: &Kit, assertion: &str) -> (u16, String) {
    error(&kit.post("/f/token", &[("grant_type", JWT), ("assertion", assertion)]).await)
}

async fn trust(kit: &Kit, signer: &Signer) {
    let reply = kit.control("issuers", json!({"issuer": "robot", "key": signer.public, "subjects": ["ada"]})).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[tokio::test]
async fn a_password_counts_until_it_is_changed() {
    let kit = start().await;
    let put = |password: Option<&str>| json!({"username": "ada", "password": password});
    assert_eq!(kit.control("users", put(Some("right"))).await.status, 200);
    let form = |password| [("grant_type", "password"), ("username", "ada"), ("password", password)];
    let (access, refresh) = tokens(&kit.as_client("/f/token", &form("right")).await.unwrap());
    assert!(kit.alive(&access) && kit.alive(&refresh));
    assert_eq!(kit.userinfo(CLASS, &access).await.json()["sub"], "ada");
    for wrong in ["wrong", "right ", "Right"] {
        assert_eq!(error(&kit.as_client("/f/token", &form(wrong)).await.unwrap()), (400, "invalid_grant".to_owned()));
    }
    let unproven = kit.post("/f/token", &form("right")).await;
    assert_eq!(error(&unproven), (401, "invalid_client".to_owned()), "the client proves itself too");
    assert_eq!(kit.control("users", put(Some("other"))).await.status, 200);
    assert_eq!(kit.as_client("/f/token", &form("right")).await.unwrap().status, 400);
    tokens(&kit.as_client("/f/token", &form("other")).await.unwrap());
    assert_eq!(kit.control("users", put(Some(""))).await.status, 400);
    assert_eq!(kit.control("users", put(None)).await.status, 200);
    assert_eq!(kit.as_client("/f/token", &form("other")).await.unwrap().status, 400);
    kit.stop().await;
}

#[tokio::test]
async fn an_assertion_counts_once_and_only_as_it_was_signed() {
    let kit = start().await;
    let (signer, stranger) = (Signer::new(), Signer::new());
    let refused = (400, "invalid_grant".to_owned());
    assert_eq!(bearer(&kit, &signer.sign(&claims(&kit, "0"))).await, refused, "nobody trusts it yet");
    trust(&kit, &signer).await;
    let assertion = signer.sign(&claims(&kit, "1"));
    let reply = kit.post("/f/token", &[("grant_type", JWT), ("assertion", &assertion), ("scope", "a b")]).await;
    let (access, refresh) = tokens(&reply);
    assert!(kit.alive(&access) && refresh.is_empty(), "{}", reply.text());
    assert_eq!(
        kit.userinfo(CLASS, &access).await.json(),
        json!({"sub": "ada", "client_id": "sandbox-client", "scope": "a b"})
    );
    assert_eq!(bearer(&kit, &assertion).await, refused, "replayed");
    let changed = |member: &str, value: Value| {
        let mut changed = claims(&kit, member);
        changed[member] = value;
        changed
    };
    let table = [
        changed("aud", json!("https://elsewhere.example/token")),
        changed("aud", json!([claims(&kit, "x")["aud"], "https://elsewhere.example"])),
        changed("exp", json!(NOW)),
        changed("exp", json!(NOW + 3_700)),
        changed("iat", json!(NOW + 120)),
        changed("nbf", json!(NOW + 120)),
        changed("sub", json!("robin")),
        changed("jti", Value::Null),
        changed("exp", Value::Null),
    ];
    for (number, mut claims) in table.into_iter().enumerate() {
        if claims["jti"].is_string() {
            claims["jti"] = json!(format!("table-{number}"));
        }
        assert_eq!(bearer(&kit, &signer.sign(&claims)).await, refused, "{claims}");
    }
    assert_eq!(bearer(&kit, &stranger.sign(&claims(&kit, "2"))).await, refused, "another's key");
    let symmetric =
        encode(&Header::new(Algorithm::HS256), &claims(&kit, "3"), &EncodingKey::from_secret(b"k")).unwrap();
    assert_eq!(bearer(&kit, &symmetric).await, refused, "another algorithm");
    let (head, signature) =
        signer.sign(&claims(&kit, "4")).rsplit_once('.').map(|(h, s)| (h.to_owned(), s.to_owned())).unwrap();
    assert_eq!(bearer(&kit, &format!("{head}x.{signature}")).await, refused, "changed on the way");
    assert_eq!(bearer(&kit, &format!("{head}.")).await, refused, "unsigned");
    let wrong_client = [("grant_type", JWT), ("assertion", &*signer.sign(&claims(&kit, "5"))), ("client_id", "nobody")];
    assert_eq!(
        error(&kit.post("/f/token", &wrong_client).await).1,
        "invalid_client",
        "a client that is named proves itself"
    );
    tokens(&kit.post("/f/token", &[("grant_type", JWT), ("assertion", &signer.sign(&claims(&kit, "6")))]).await);
    assert_eq!(kit.control("issuers", json!({"issuer": "robot"})).await.status, 200);
    assert_eq!(bearer(&kit, &signer.sign(&claims(&kit, "7"))).await, refused, "trusted no more");
    kit.stop().await;
}

#[tokio::test]
async fn a_saml_assertion_is_one_that_was_made_here() {
    let kit = start().await;
    let made = kit.control("saml", json!({"class": CLASS, "subject": "ada"})).await.json();
    let assertion = made["assertion"].as_str().unwrap().to_owned();
    assert!(made["xml"].as_str().unwrap().contains("<saml:Audience>http://"), "{made}");
    let form = |assertion| [("grant_type", SAML), ("assertion", assertion)];
    let (access, refresh) = tokens(&kit.as_client("/f/token", &form(&assertion)).await.unwrap());
    assert!(kit.alive(&access) && kit.alive(&refresh));
    assert_eq!(kit.userinfo(CLASS, &access).await.json()["sub"], "ada");
    let refused = (400, "invalid_grant".to_owned());
    let forged = URL_SAFE_NO_PAD.encode(made["xml"].as_str().unwrap().replace("ada", "eve"));
    assert_eq!(error(&kit.as_client("/f/token", &form(&forged)).await.unwrap()), refused, "changed");
    assert_eq!(error(&kit.as_client("/s/token", &form(&assertion)).await.unwrap()), refused, "for another provider");
    kit.clock.advance_seconds(300);
    assert_eq!(error(&kit.as_client("/f/token", &form(&assertion)).await.unwrap()), refused, "expired");
    kit.stop().await;
}

#[tokio::test]
async fn a_living_token_is_exchanged_for_another() {
    let kit = start().await;
    let (subject, refresh) = kit.connect(RecoveryClass::S).await;
    let form = |token, kind| [("grant_type", EXCHANGE), ("subject_token", token), ("subject_token_type", kind)];
    let reply = kit.as_client("/f/token", &form(&subject, ACCESS)).await.unwrap();
    assert_eq!(reply.json()["issued_token_type"], ACCESS);
    let (access, _) = tokens(&reply);
    assert_eq!(kit.userinfo(CLASS, &access).await.json()["sub"], "alex");
    let refused = (400, "invalid_request".to_owned());
    assert_eq!(error(&kit.as_client("/f/token", &form(&refresh, ACCESS)).await.unwrap()), refused, "no access token");
    assert_eq!(error(&kit.as_client("/f/token", &form(&subject, JWT)).await.unwrap()), refused, "another type");
    let mut elsewhere = form(&subject, ACCESS).to_vec();
    elsewhere.push(("audience", "https://elsewhere.example"));
    assert_eq!(error(&kit.as_client("/f/token", &elsewhere).await.unwrap()).1, "invalid_target");
    kit.clock.advance_seconds(90_000);
    assert_eq!(error(&kit.as_client("/f/token", &form(&subject, ACCESS)).await.unwrap()), refused, "expired");
    kit.stop().await;
}
