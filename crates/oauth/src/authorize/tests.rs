use super::*;
use crate::fixture::Fixture;
use serde_json::json;

/// The verifier of RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

fn url(auth: serde_json::Value, scopes: &str) -> Result<String, ProtocolError> {
    let fixture = Fixture::new(auth);
    let scopes = ScopeSet::parse(scopes, " ");
    let (state, verifier) = (StateToken::new("state-1"), PkceVerifier::new(VERIFIER));
    authorization_url(&fixture.provider(), &fixture.client(), &scopes, &state, &verifier).map(Into::into)
}

#[test]
fn a_plain_request() {
    insta::assert_snapshot!(url(json!({}), "read write").expect("a URL"), @"https://shop.acme.example/oauth/authorize?response_type=code&client_id=client-1&redirect_uri=https%3A%2F%2Fbroker.example%2Foauth%2Fcallback%2F1&scope=read%20write&state=state-1&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256");
}

#[test]
fn a_request_with_everything() {
    let auth = json!({
        "authorization_url": "https://{subdomain}.acme.example/oauth/authorize?prompt=a+b",
        "default_scopes": ["offline"],
        "scope_separator": ",",
        "authorization_params": {"access_type": "offline", "shop": "{subdomain}", "odd": "a+b &=#"},
    });
    insta::assert_snapshot!(url(auth, "read write").expect("a URL"), @"https://shop.acme.example/oauth/authorize?prompt=a+b&response_type=code&client_id=client-1&redirect_uri=https%3A%2F%2Fbroker.example%2Foauth%2Fcallback%2F1&scope=offline%2Cread%2Cwrite&state=state-1&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&access_type=offline&odd=a%2Bb%20%26%3D%23&shop=shop");
}

#[test]
fn without_pkce_and_without_scopes() {
    insta::assert_snapshot!(url(json!({"pkce_disabled_reason": "refused by the provider"}), "").expect("a URL"), @"https://shop.acme.example/oauth/authorize?response_type=code&client_id=client-1&redirect_uri=https%3A%2F%2Fbroker.example%2Foauth%2Fcallback%2F1&state=state-1");
}

#[test]
fn parameters_stand_behind_a_route_where_the_page_reads_them_there() {
    let auth = json!({
        "authorization_url": "https://{subdomain}.acme.example/?v=2", "pkce_disabled_reason": "r",
        "authorization_request": {"route": "/oauth/authorize"},
    });
    let expected = "https://shop.acme.example/?v=2#/oauth/authorize?response_type=code&client_id=client-1\
                    &redirect_uri=https%3A%2F%2Fbroker.example%2Foauth%2Fcallback%2F1&scope=read%20write&state=state-1";
    assert_eq!(url(auth, "read write").expect("a URL"), expected);
}

#[test]
fn a_manifest_cannot_set_what_the_protocol_sets() {
    for name in RESERVED {
        let in_params = url(json!({"authorization_params": {*name: "x"}}), "read");
        assert!(
            matches!(in_params, Err(ProtocolError::ReservedParameter { name: ref found }) if found == name),
            "{name}"
        );
        let template = format!("https://acme.example/authorize?{name}=x");
        let in_url = url(json!({"authorization_url": template}), "read");
        assert!(matches!(in_url, Err(ProtocolError::ReservedParameter { name: ref found }) if found == name), "{name}");
    }
}

#[test]
fn a_manifest_without_an_authorization_url_has_none_to_give() {
    assert!(matches!(url(json!({"authorization_url": null}), ""), Err(ProtocolError::NoAuthorizationUrl)));
}
