use super::*;
use crate::fixture::{CLIENT_SECRET, Fixture, REFRESH_TOKEN, header};
use crate::testing::body_params;
use crate::{Method, RevocationToken, client_credentials, code_exchange, refresh, revocation};
use mortise_domain::{AccessToken, AuthorizationCode, PkceVerifier, RefreshToken, ScopeSet};
use serde_json::{Value, json};

fn refreshed(auth: Value) -> Result<Outbound, ProtocolError> {
    let fixture = Fixture::new(auth);
    refresh(&fixture.provider(), &fixture.client(), &RefreshToken::new(REFRESH_TOKEN))
}

fn exchanged(fixture: &Fixture) -> Outbound {
    let (code, verifier) = (AuthorizationCode::new("code-1"), PkceVerifier::new("verifier-1"));
    code_exchange(&fixture.provider(), &fixture.client(), &code, &verifier).expect("a request")
}

fn text(request: &Outbound) -> &str {
    std::str::from_utf8(&request.body).expect("text")
}

#[test]
fn a_code_exchange_by_form_with_the_secret_in_the_body() {
    let request = exchanged(&Fixture::new(json!({"token_params": {"audience": "api {subdomain}"}})));
    assert_eq!(request.url.as_str(), "https://shop.acme.example/oauth/token");
    assert_eq!((request.method, request.deadline, request.fresh_connection), (Method::Post, DEADLINE, true));
    assert_eq!(header(&request, "content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(header(&request, "accept"), Some("application/json"));
    assert_eq!(header(&request, "authorization"), None);
    insta::assert_snapshot!(text(&request), @"grant_type=authorization_code&code=code-1&redirect_uri=https%3A%2F%2Fbroker.example%2Foauth%2Fcallback%2F1&code_verifier=verifier-1&audience=api+shop&client_id=client-1&client_secret=canary-client-secret");
}

#[test]
fn a_code_exchange_by_json_with_basic_authentication() {
    let request = exchanged(&Fixture::new(json!({
        "token_body": "json",
        "client_authentication": "client_secret_basic",
        "pkce_disabled_reason": "refused by the provider",
        "token_headers": {"Accept": "application/vnd.acme+json", "X-Shop": "{subdomain}"},
    })));
    assert_eq!(header(&request, "content-type"), Some("application/json"));
    assert_eq!(header(&request, "accept"), Some("application/vnd.acme+json"));
    assert_eq!(header(&request, "x-shop"), Some("shop"));
    assert_eq!(header(&request, "authorization"), Some("Basic Y2xpZW50LTE6Y2FuYXJ5LWNsaWVudC1zZWNyZXQ="));
    insta::assert_snapshot!(text(&request), @r#"{"grant_type":"authorization_code","code":"code-1","redirect_uri":"https://broker.example/oauth/callback/1"}"#);
}

#[test]
fn a_public_client_names_itself_only() {
    let fixture = Fixture::new(json!({"client_authentication": "none"}));
    let token = RefreshToken::new(REFRESH_TOKEN);
    let request = refresh(&fixture.provider(), &fixture.public_client(), &token).expect("a request");
    let names = body_params(&request).into_keys().collect::<Vec<_>>();
    assert_eq!(names, ["client_id", "grant_type", "refresh_token"]);
}

#[test]
fn a_client_without_the_secret_it_needs_is_told() {
    for method in ["client_secret_basic", "client_secret_post"] {
        let fixture = Fixture::new(json!({"client_authentication": method}));
        let token = RefreshToken::new(REFRESH_TOKEN);
        let refused = refresh(&fixture.provider(), &fixture.public_client(), &token);
        assert!(matches!(refused, Err(ProtocolError::NoClientSecret)), "{method}");
    }
}

#[test]
fn patience_and_a_fresh_connection_where_a_refresh_token_is_spent() {
    let table =
        [("N", 30, false), ("M", 30, false), ("G", 30, false), ("U", 30, false), ("S", 120, true), ("F", 120, true)];
    for (class, seconds, fresh) in table {
        let request = refreshed(json!({"recovery_class": class})).expect("a request");
        assert_eq!((request.deadline.as_secs(), request.fresh_connection), (seconds, fresh), "{class}");
    }
}

#[test]
fn a_refresh_goes_to_its_own_url_with_its_own_parameters() {
    let request = refreshed(json!({
        "refresh_url": "https://{subdomain}.acme.example/oauth/renew",
        "refresh_params": {"shop": "{subdomain}"},
        "token_params": {"not": "here"},
    }))
    .expect("a request");
    assert_eq!(request.url.path(), "/oauth/renew");
    insta::assert_snapshot!(text(&request), @"grant_type=refresh_token&refresh_token=canary-refresh-token&shop=shop&client_id=client-1&client_secret=canary-client-secret");
}

#[test]
fn client_credentials_ask_for_scopes_with_the_separator() {
    let fixture = Fixture::new(json!({"default_scopes": ["base"], "scope_separator": ","}));
    let scopes = ScopeSet::parse("read write", " ");
    let request = client_credentials(&fixture.provider(), &fixture.client(), &scopes).expect("a request");
    insta::assert_snapshot!(text(&request), @"grant_type=client_credentials&scope=base%2Cread%2Cwrite&client_id=client-1&client_secret=canary-client-secret");
}

#[test]
fn a_revocation_is_a_form_with_a_hint() {
    let none = Fixture::new(json!({}));
    let token = AccessToken::new("access-1");
    let nothing = revocation(&none.provider(), &none.client(), RevocationToken::Access(&token)).expect("no fault");
    assert!(nothing.is_none());
    let some = Fixture::new(json!({"revocation_url": "https://{subdomain}.acme.example/revoke", "token_body": "json"}));
    let request = revocation(&some.provider(), &some.client(), RevocationToken::Access(&token)).expect("no fault");
    let request = request.expect("a request");
    insta::assert_snapshot!(text(&request), @"token=access-1&token_type_hint=access_token&client_id=client-1&client_secret=canary-client-secret");
}

#[test]
fn a_manifest_cannot_set_what_the_request_sets() {
    for name in RESERVED.iter().chain(&["refresh_token", "grant_type"]) {
        let refused = refreshed(json!({"refresh_params": {*name: "x"}}));
        assert!(matches!(refused, Err(ProtocolError::ReservedParameter { .. })), "{name}");
    }
    for name in RESERVED_HEADERS.iter().chain(&["Authorization", "a b", "", "x\r\ny"]) {
        let refused = refreshed(json!({"token_headers": {*name: "x"}}));
        assert!(matches!(refused, Err(ProtocolError::Header { .. })), "{name:?}");
    }
}

#[test]
fn e07_line_breaks_do_not_get_into_a_request() {
    for value in ["a\r\nb", "a\nb", "a\0b"] {
        assert!(refreshed(json!({"token_headers": {"x-a": value}})).is_err(), "{value:?}");
        assert!(refreshed(json!({"refresh_params": {"a": value}})).is_err(), "{value:?}");
    }
}

#[test]
fn t01_secrets_with_every_awkward_character_arrive_as_they_are() {
    for secret in [":%+ ", "a&b=c", "größe", "\"\\", "пароль", "\u{1f511}"] {
        for body in ["form", "json"] {
            let fixture = Fixture::new(json!({"token_body": body}));
            let secret = mortise_domain::ClientSecret::new(secret);
            let client = ClientRegistration { secret: Some(&secret), ..fixture.public_client() };
            let request = refresh(&fixture.provider(), &client, &RefreshToken::new(REFRESH_TOKEN)).expect("a request");
            assert_eq!(body_params(&request).get("client_secret").map(String::as_str), Some(secret.expose()), "{body}");
        }
    }
}

#[test]
fn debug_shows_method_and_host_and_no_canary() {
    let request = refreshed(json!({"client_authentication": "client_secret_basic"})).expect("a request");
    assert_eq!(format!("{request:?}"), "Outbound(Post shop.acme.example)");
    let headers = format!("{:?}", request.headers);
    assert!(!headers.contains("Basic") && !headers.contains(CLIENT_SECRET), "{headers}");
}
