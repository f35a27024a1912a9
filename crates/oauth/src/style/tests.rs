//! The bytes of requests to providers that do not write as RFC 6749 does, by the member that says so.

use crate::fixture::{Fixture, REFRESH_TOKEN};
use crate::{Outbound, PresentedToken, ProtocolError, authorization_url, client_credentials, code_exchange};
use crate::{long_lived_exchange, refresh, revocation};
use mortise_domain::{AccessToken, AuthorizationCode, PkceVerifier, RefreshToken, ScopeSet, StateToken};
use serde_json::{Value, json};

/// Method, URL, headers but `accept`, and body, a line each.
fn bytes(request: Result<Outbound, ProtocolError>) -> String {
    let request = match request {
        Ok(request) => request,
        Err(error) => return error.to_string(),
    };
    let headers = request.headers.iter().filter(|header| header.name != "accept");
    let headers = headers.map(|header| format!("{}: {}\n", header.name, *header.value)).collect::<String>();
    let body = String::from_utf8_lossy(&request.body).into_owned();
    format!("{:?} {}\n{headers}{body}", request.method, request.url).trim_end().to_owned()
}

/// A code exchange without PKCE.
fn exchanged(changes: Value) -> String {
    let mut auth = json!({"pkce_disabled_reason": "x"});
    auth.as_object_mut().expect("an object").extend(changes.as_object().expect("an object").clone());
    let fixture = Fixture::new(auth);
    let (code, verifier) = (AuthorizationCode::new("code 1+"), PkceVerifier::new("verifier"));
    bytes(code_exchange(&fixture.provider(), &fixture.client(), &code, &verifier))
}

fn refreshed(auth: Value) -> String {
    let fixture = Fixture::new(auth);
    bytes(refresh(&fixture.provider(), &fixture.client(), &RefreshToken::new(REFRESH_TOKEN)))
}

fn authorized(auth: Value) -> String {
    let fixture = Fixture::new(auth);
    let (scopes, state) = (ScopeSet::parse("read", " "), StateToken::new("state-1"));
    let url =
        authorization_url(&fixture.provider(), &fixture.client(), &scopes, &state, &PkceVerifier::new("verifier"));
    url.map_or_else(|error| error.to_string(), String::from)
}

#[test]
fn an_authorization_request_in_a_providers_own_words() {
    let names = authorized(json!({
        "pkce_disabled_reason": "x",
        "authorization_request": {
            "names": {"client_id": "client_key", "redirect_uri": "redirectUri", "scope": "scopes", "response_type": "type"},
            "response_type": "auth_code", "fragment": "wechat_redirect",
        },
    }));
    insta::assert_snapshot!(names, @"https://shop.acme.example/oauth/authorize?type=auth_code&client_key=client-1&redirectUri=https%3A%2F%2Fbroker.example%2Foauth%2Fcallback%2F1&scopes=read&state=state-1#wechat_redirect");
    let less = authorized(json!({
        "pkce_disabled_reason": "x", "authorization_request": {"omit": ["response_type", "redirect_uri"]},
    }));
    insta::assert_snapshot!(less, @"https://shop.acme.example/oauth/authorize?client_id=client-1&scope=read&state=state-1");
    let twice = authorized(json!({
        "authorization_request": {"names": {"client_id": "app"}}, "authorization_params": {"app": "x"},
    }));
    insta::assert_snapshot!(twice, @"the extra parameter `app` is set by the protocol and cannot come from the manifest");
}

#[test]
fn a_token_request_with_other_names_by_get_by_query_and_by_json() {
    let names =
        json!({"client_id": "appid", "client_secret": "secret", "code": "auth_code", "grant_type": "grantType"});
    let get = exchanged(json!({
        "token_request": {"method": "GET", "names": names, "omit": ["redirect_uri"]},
        "token_url": "https://{subdomain}.acme.example/token?fmt=json",
    }));
    insta::assert_snapshot!(get, @"Get https://shop.acme.example/token?fmt=json&grantType=authorization_code&auth_code=code%201%2B&appid=client-1&secret=canary-client-secret");
    let query = exchanged(json!({"token_body": "query", "token_params": {"op": "a b"}}));
    insta::assert_snapshot!(query, @"Post https://shop.acme.example/oauth/token?grant_type=authorization_code&code=code%201%2B&redirect_uri=https%3A%2F%2Fbroker.example%2Foauth%2Fcallback%2F1&op=a%20b&client_id=client-1&client_secret=canary-client-secret");
    let body = exchanged(json!({"token_body": "json", "token_request": {"names": names, "omit": ["redirect_uri"]}}));
    insta::assert_snapshot!(body, @r#"
    Post https://shop.acme.example/oauth/token
    content-type: application/json
    {"grantType":"authorization_code","auth_code":"code 1+","appid":"client-1","secret":"canary-client-secret"}
    "#);
}

#[test]
fn what_a_query_has_already_is_not_said_again() {
    let twice = exchanged(json!({"token_body": "query", "token_url": "https://acme.example/token?client_id=x"}));
    insta::assert_snapshot!(twice, @"the extra parameter `client_id` is set by the protocol and cannot come from the manifest");
    let renamed = exchanged(json!({
        "token_request": {"names": {"client_id": "app"}}, "token_params": {"app": "x"},
    }));
    insta::assert_snapshot!(renamed, @"the extra parameter `app` is set by the protocol and cannot come from the manifest");
}

#[test]
fn a_refresh_inherits_method_and_names_and_omits_by_itself() {
    let inherited = refreshed(json!({
        "token_request": {"method": "GET", "names": {"client_id": "appid", "client_secret": "secret"}, "grant_type": "x"},
        "refresh_request": {"omit": ["client_secret"]},
    }));
    insta::assert_snapshot!(inherited, @"Get https://shop.acme.example/oauth/token?grant_type=refresh_token&refresh_token=canary-refresh-token&appid=client-1");
    let own = refreshed(json!({
        "token_request": {"method": "GET", "names": {"client_id": "appid"}},
        "refresh_request": {"method": "POST", "names": {"client_id": "clientId"}, "omit": ["grant_type", "client_secret"]},
    }));
    insta::assert_snapshot!(own, @"
    Post https://shop.acme.example/oauth/token
    content-type: application/x-www-form-urlencoded
    refresh_token=canary-refresh-token&clientId=client-1
    ");
    let by_access_token = refreshed(json!({
        "refresh_url": "https://graph.acme.example/refresh_access_token",
        "refresh_request": {
            "method": "GET", "grant_type": "ig_refresh_token", "names": {"refresh_token": "access_token"},
            "omit": ["client_id", "client_secret"],
        },
    }));
    insta::assert_snapshot!(by_access_token, @"Get https://graph.acme.example/refresh_access_token?grant_type=ig_refresh_token&access_token=canary-refresh-token");
}

#[test]
fn a_client_that_proves_itself_in_unusual_places() {
    let as_user = refreshed(json!({"client_authentication": "client_secret_as_user"}));
    insta::assert_snapshot!(as_user, @"
    Post https://shop.acme.example/oauth/token
    content-type: application/x-www-form-urlencoded
    authorization: Basic Y2FuYXJ5LWNsaWVudC1zZWNyZXQ6
    grant_type=refresh_token&refresh_token=canary-refresh-token
    ");
    let in_headers = refreshed(json!({
        "client_authentication": "client_secret_header", "client_secret_header": "Secret_Key",
        "client_id_header": "client-id", "token_request": {"names": {"client_id": "app_id"}},
    }));
    insta::assert_snapshot!(in_headers, @"
    Post https://shop.acme.example/oauth/token
    content-type: application/x-www-form-urlencoded
    secret_key: canary-client-secret
    client-id: client-1
    grant_type=refresh_token&refresh_token=canary-refresh-token&app_id=client-1
    ");
    let nowhere = refreshed(json!({"client_authentication": "client_secret_header"}));
    insta::assert_snapshot!(nowhere, @"the manifest has no `client_secret_header`, which its client authentication needs");
}

#[test]
fn a_secret_that_no_header_can_carry_is_not_sent() {
    let fixture =
        Fixture::new(json!({"client_authentication": "client_secret_header", "client_secret_header": "x-key"}));
    for secret in ["a\r\nb", "größe", "a\0", ""] {
        let secret = mortise_domain::ClientSecret::new(secret);
        let client = crate::ClientRegistration { secret: Some(&secret), ..fixture.public_client() };
        let refused = refresh(&fixture.provider(), &client, &RefreshToken::new(REFRESH_TOKEN));
        assert!(matches!(refused, Err(ProtocolError::Header { .. })), "{:?}", secret.expose());
    }
}

#[test]
fn a_grant_type_of_the_providers_own() {
    let fixture = Fixture::new(json!({
        "grant": "client_credentials", "token_request": {"grant_type": "account_credentials", "names": {"scope": "scopes"}},
        "token_params": {"account_id": "{subdomain}"},
    }));
    let scopes = ScopeSet::parse("read", " ");
    let request = client_credentials(&fixture.provider(), &fixture.client(), &scopes);
    insta::assert_snapshot!(bytes(request), @"
    Post https://shop.acme.example/oauth/token
    content-type: application/x-www-form-urlencoded
    grant_type=account_credentials&scopes=read&account_id=shop&client_id=client-1&client_secret=canary-client-secret
    ");
}

#[test]
fn a_short_lived_token_is_changed_at_once() {
    let token = AccessToken::new("short-1");
    let plain = Fixture::new(json!({}));
    assert!(long_lived_exchange(&plain.provider(), &plain.client(), &token).expect("no fault").is_none());
    let fixture = Fixture::new(json!({
        "long_lived_exchange": {
            "url": "https://graph.acme.example/access_token", "grant_type": "fb_exchange_token",
            "token_parameter": "fb_exchange_token", "method": "GET",
        },
    }));
    let request = long_lived_exchange(&fixture.provider(), &fixture.client(), &token).map(|some| some.expect("one"));
    insta::assert_snapshot!(bytes(request), @"Get https://graph.acme.example/access_token?grant_type=fb_exchange_token&fb_exchange_token=short-1&client_id=client-1&client_secret=canary-client-secret");
}

#[test]
fn a_revocation_stays_a_form_and_knows_the_client_by_its_name_here() {
    let fixture = Fixture::new(json!({
        "revocation_url": "https://acme.example/revoke", "token_body": "query",
        "token_request": {"method": "GET", "names": {"client_id": "appid"}, "omit": ["client_id"]},
    }));
    let token = AccessToken::new("access-1");
    let request = revocation(&fixture.provider(), &fixture.client(), PresentedToken::Access(&token));
    insta::assert_snapshot!(bytes(request.map(|some| some.expect("one"))), @"
    Post https://acme.example/revoke
    content-type: application/x-www-form-urlencoded
    token=access-1&token_type_hint=access_token&appid=client-1&client_secret=canary-client-secret
    ");
}

#[test]
fn secrets_in_a_query_are_shown_by_nobody() {
    let fixture = Fixture::new(json!({"token_body": "query"}));
    let request = refresh(&fixture.provider(), &fixture.client(), &RefreshToken::new(REFRESH_TOKEN)).expect("one");
    assert_eq!(format!("{request:?}"), "Outbound(Post shop.acme.example)");
}
