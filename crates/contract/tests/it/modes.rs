//! A life in every mode, and in every way in which a client proves itself.

use crate::{faults, stage};
use mortise_connectors::{Values, parse};
use mortise_contract::{Step, live};
use std::collections::BTreeSet;

/// A code flow with `more`.
fn code(more: &str) -> String {
    format!(
        "id: acme\nname: Acme\nauth:\n  type: oauth2\n  grant: authorization_code\n  \
         authorization_url: https://acme.example/authorize\n  token_url: https://acme.example/token\n  \
         revocation_url: https://acme.example/revoke\n{more}"
    )
}

/// A grant without a browser, with `more`.
fn own(grant: &str, more: &str) -> String {
    format!(
        "id: acme\nname: Acme\nauth:\n  type: oauth2\n  grant: {grant}\n  token_url: https://acme.example/token\n{more}"
    )
}

/// Lives that have to be whole.
async fn whole(manifests: &[String]) {
    let stage = stage();
    for text in manifests {
        let manifest = parse(text).unwrap_or_else(|found| panic!("{text}\n{found:#?}"));
        let report = live(&manifest, &Values::new(), &stage).await;
        assert_eq!(faults(&report), Vec::<String>::new(), "{text}");
        let steps: BTreeSet<_> = report.checks.iter().map(|check| check.step).collect();
        for step in [Step::Connect, Step::Fetch, Step::Refresh, Step::Errors] {
            assert!(steps.contains(&step), "{text}: nothing is looked at under {step}: {:?}", report.checks);
        }
    }
    stage.close().await;
}

#[tokio::test]
async fn clients_that_prove_themselves_in_every_way() {
    let assertion = "  client_assertion: {audience: 'https://acme.example/aud', algorithm: RS256, key_id: k1}\n";
    let by_a_secrets_name = "  token_request: {names: {client_assertion: client_secret}, omit: [client_assertion_type]}\n  \
                             refresh_request: {omit: [client_assertion_type]}\n";
    let mut all = Vec::new();
    for (method, more) in [
        ("client_secret_basic", ""),
        ("client_secret_post", ""),
        ("none", ""),
        ("client_secret_as_user", ""),
        ("client_secret_header", "  client_secret_header: x-secret\n"),
        ("client_secret_post", "  client_id_header: x-client\n"),
        ("client_secret_jwt", ""),
        ("client_secret_jwt", "  client_assertion: {algorithm: HS512}\n"),
        ("private_key_jwt", ""),
        ("private_key_jwt", "  issuer: https://acme.example\n"),
        ("private_key_jwt", assertion),
        ("private_key_jwt", "  client_assertion: {algorithm: EdDSA}\n"),
        ("private_key_jwt", "  client_assertion: {algorithm: ES384}\n"),
        ("private_key_jwt", by_a_secrets_name),
    ] {
        all.push(code(&format!("  client_authentication: {method}\n{more}")));
    }
    whole(&all).await;
}

#[tokio::test]
async fn pushed_requests_resources_and_bound_tokens() {
    let pushed = "  pushed_authorization_request_url: https://acme.example/par\n";
    let bound = "  dpop: true\n  identity: {url: 'https://api.acme.example/me', fields: {account: /sub}}\n";
    let resource = "  resource: https://api.acme.example/v1\n";
    let key = "  client_authentication: private_key_jwt\n";
    whole(&[
        code(pushed),
        code(resource),
        code(bound),
        code(&format!("{pushed}{resource}{bound}{key}  recovery_class: S\n")),
        own("client_credentials", &format!("{resource}  dpop: true\n")),
        // A page that reads its parameters behind a route.
        code("  authorization_request: {route: /oauth/authorize}\n  authorization_params: {prompt: 'a b'}\n"),
        code(&format!("{pushed}  authorization_request: {{route: consent}}\n")),
        // The consent page and the token endpoint have a name each for the client.
        code(&format!("{pushed}  authorization_request: {{names: {{client_id: app}}}}\n")),
    ])
    .await;
}

#[tokio::test]
async fn tokens_for_what_a_customer_gave() {
    let service = "  client_authentication: none\n  credentials:\n    email: {type: text, title: Email}\n    \
                   private_key: {type: document, title: Key}\n  assertion:\n    issuer: '{email}'\n    subject: '{email}'\n    \
                   key: private_key\n    claims: {team: 'of {email}'}\n    scope_claim: scope\n    algorithm: RS256\n";
    whole(&[
        own("password", ""),
        own("password", "  client_authentication: client_secret_basic\n  token_body: json\n  default_scopes: [more]\n"),
        own("saml2_bearer", ""),
        own("token_exchange", ""),
        own(
            "token_exchange",
            "  token_exchange: {audience: 'https://other.example', requested_token_type: 'urn:x:y'}\n",
        ),
        own("jwt_bearer", service),
        own(
            "jwt_bearer",
            "  client_authentication: none\n  assertion: {issuer: '{client_id}', audience: 'https://a.example'}\n",
        ),
    ])
    .await;
}

#[tokio::test]
async fn logins() {
    let login = |rest: &str| {
        format!(
            "id: acme\nname: Acme\nauth:\n  type: two_step\n  credentials:\n    user: {{type: text, title: User}}\n    \
             password: {{type: secret, title: Password}}\n{rest}"
        )
    };
    whole(&[
        login(
            "  steps:\n    - {url: 'https://acme.example/login', params: {u: '{user}', p: '{password}'}}\n\
             api:\n  base_url: https://acme.example\n  headers: {Authorization: 'Session {access_token}'}\n",
        ),
        login(
            "  steps:\n    - {url: 'https://acme.example/login', body: json, params: {/auth/u: '{user}', /auth/p: '{password}'}, \
             literals: {remember: 'true'}, take: {session: /data/session}}\n    - {method: GET, url: 'https://acme.example/token', \
             headers: {X-Session: '{session}'}}\n  refresh:\n    - {url: 'https://acme.example/renew', params: {t: '{refresh_token}'}}\n  \
             revocation: {url: 'https://acme.example/logout', headers: {Authorization: 'Bearer {access_token}'}}\n  \
             token_response: {access_token: /data/token, refresh_token: /data/renewal, expires_in: /data/ttl}\n\
             api:\n  base_url: https://acme.example\n  headers: {Authorization: 'Bearer {access_token}', X-Session: '{session}'}\n",
        ),
        login(
            "  steps:\n    - {url: 'https://acme.example/login', basic: {username: '{user}', password: '{password}'}}\n  \
             token_response: {access_token: /jwt}\n\
             api:\n  base_url: https://acme.example\n  headers: {Authorization: 'Bearer {access_token}'}\n",
        ),
        login(
            "  steps:\n    - {url: 'https://acme.example/login', body: xml, xml: '<in><u>{user}</u><p a=\"{password}\"/></in>'}\n\
             api:\n  base_url: https://acme.example\n  headers: {Authorization: 'Bearer {access_token}'}\n",
        ),
    ])
    .await;
}

#[tokio::test]
async fn tokens_that_a_customers_key_signs() {
    let signed = |credentials: &str, jwt: &str, api: &str| {
        format!(
            "id: acme\nname: Acme\nauth:\n  type: signed_jwt\n  credentials:\n    {credentials}\n  jwt: {jwt}\n  \
             verification: {{url: 'https://acme.example/me?limit=1'}}\napi:\n  base_url: https://acme.example\n  {api}\n"
        )
    };
    let bearer = "headers: {Authorization: 'Bearer {access_token}'}";
    let pair = "id: {type: text, title: Id}\n    key: {type: document, title: Key}";
    let shared = "id: {type: text, title: Id}\n    key: {type: secret, title: Key}";
    let mut all = vec![
        signed(pair, "{algorithm: ES256, key_id: '{id}', issuer: '{id}', audience: acme-v1, lifetime: 1200}", bearer),
        signed(shared, "{algorithm: HS256, key: '{id}||{key}', issuer: '{id}'}", bearer),
        signed(
            shared,
            "{algorithm: HS512, key_encoding: hex, key_id: '{id}', audience: /admin/, claims: {team: 'of {id}'}}",
            "headers: {Authorization: 'Ghost {access_token}', x-version: v5}",
        ),
        signed(
            &format!("{shared}\n    pin: {{type: secret, title: PIN}}"),
            "{algorithm: HS256, key: '{key}', key_encoding: base64, subject: '{id}'}",
            "query: {jwt: '{access_token}'}\n  headers: {x-pin: '{pin}'}",
        ),
    ];
    for algorithm in ["RS256", "PS384", "ES384", "EdDSA"] {
        all.push(signed(pair, &format!("{{algorithm: {algorithm}, issuer: '{{id}}'}}"), bearer));
    }
    whole(&all).await;
}

#[tokio::test]
async fn devices() {
    let device =
        |more: &str| own("device_code", &format!("  device_authorization_url: https://acme.example/device\n{more}"));
    whole(&[
        device(""),
        device("  client_authentication: none\n  recovery_class: S\n"),
        device("  client_authentication: client_secret_basic\n  authorization_params: {audience: x}\n"),
    ])
    .await;
}

/// What nothing renews.
#[tokio::test]
async fn fragments_and_oauth_1() {
    let stage = stage();
    let implicit = "id: acme\nname: Acme\nauth:\n  type: oauth2\n  grant: implicit\n  \
                    authorization_url: https://acme.example/authorize\n";
    let signed = |more: &str| {
        format!(
            "id: acme\nname: Acme\nauth:\n  type: oauth1\n  request_token_url: https://acme.example/r?x=1\n  \
             authorization_url: https://acme.example/a\n  token_url: https://acme.example/t\n{more}"
        )
    };
    let all = [
        implicit.to_owned(),
        signed(""),
        signed("  signature_method: PLAINTEXT\n  realm: acme\n"),
        signed(
            "  signature_method: HMAC-SHA256\n  request_token_params: {perms: 'a b'}\n  \
             authorization_params: {expiration: never}\n  token_response: {extra: {user: /user_id}}\n",
        ),
    ];
    for text in all {
        let manifest = parse(&text).unwrap_or_else(|found| panic!("{text}\n{found:#?}"));
        let report = live(&manifest, &Values::new(), &stage).await;
        assert_eq!(faults(&report), Vec::<String>::new(), "{text}");
        assert!(report.checks.len() > 6, "{text}: {:?}", report.checks);
    }
    stage.close().await;
}
