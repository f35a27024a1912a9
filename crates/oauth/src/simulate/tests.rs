use super::*;
use crate::fixture::Fixture;
use serde_json::json;

fn simulated(changes: serde_json::Value) -> Vec<SimulatedRequest> {
    let fixture = Fixture::new(changes);
    let scopes = ScopeSet::parse("write read", " ");
    let client = SimulatedClient {
        client_id: "CLIENT_ID",
        redirect_uri: "https://broker.example/oauth/callback/1",
        scopes: &scopes,
    };
    simulate(&fixture.provider(), &client).expect("requests")
}

fn text(requests: &[SimulatedRequest]) -> String {
    requests.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_life_is_shown_to_the_byte() {
    let requests = simulated(json!({
        "client_authentication": "client_secret_basic",
        "revocation_url": "https://{subdomain}.acme.example/oauth/revoke",
        "token_headers": {"acme-version": "2026-01"},
    }));
    insta::assert_snapshot!(text(&requests));
}

#[test]
fn steps_are_those_that_the_manifest_leads_to() {
    let steps = |changes| simulated(changes).into_iter().map(|request| request.step).collect::<Vec<_>>();
    assert_eq!(steps(json!({})), [Step::Authorize, Step::Token, Step::Refresh]);
    let machine = json!({"grant": "client_credentials", "introspection_url": "https://acme.example/introspect"});
    assert_eq!(steps(machine), [Step::Token, Step::Introspect]);
    let revoked = json!({"revocation_url": "https://acme.example/revoke"});
    assert_eq!(steps(revoked), [Step::Authorize, Step::Token, Step::Refresh, Step::Revoke]);
    let exchange = json!({"url": "https://acme.example/long", "grant_type": "x", "token_parameter": "t"});
    let identity = json!({"identity": {"url": "https://acme.example/me", "fields": {"account": "/id"}}});
    assert_eq!(steps(identity), [Step::Authorize, Step::Token, Step::Identity, Step::Refresh]);
    let long_lived = json!({"long_lived_exchange": exchange});
    assert_eq!(steps(long_lived), [Step::Authorize, Step::Token, Step::LongLived, Step::Refresh]);
}

#[test]
fn pasted_credentials_are_tried_out_where_the_manifest_says() {
    let text = "id: a\nname: A\nauth:\n  type: api_key\n  credentials: {api_key: {type: secret, title: Key}}\n  \
                verification: {url: https://a.example/me}\n\
                api: {base_url: https://a.example, headers: {authorization: 'Bearer {api_key}'}}\n";
    let manifest = mortise_connectors::parse(text).unwrap_or_else(|found| panic!("{found:#?}"));
    let values = mortise_connectors::Values::new();
    let scopes = ScopeSet::default();
    let client = SimulatedClient { client_id: "CLIENT_ID", redirect_uri: "https://broker.example/", scopes: &scopes };
    let requests = simulate(&Provider { manifest: &manifest, values: &values }, &client).expect("requests");
    let expected = "# verify: what the customer pasted is tried out\nGET https://a.example/me\n\
                    authorization: Bearer API_KEY\naccept: application/json\n";
    assert_eq!(self::text(&requests), expected);
}

#[test]
fn what_is_signed_here_is_shown_in_the_call_that_carries_it() {
    let text = "id: a\nname: A\nauth:\n  type: signed_jwt\n  credentials: {id: {type: text, title: Id}, key: {type: secret, title: Key}}\n  \
                jwt: {algorithm: HS256, key_id: '{id}', audience: /admin/, key_encoding: hex}\n  \
                verification: {url: https://a.example/me}\n\
                api: {base_url: https://a.example/v1, headers: {authorization: 'Ghost {access_token}'}}\n";
    let call = "authorization: Ghost ACCESS_TOKEN\naccept: application/json\n\
                (ACCESS_TOKEN is signed: {\"aud\":\"/admin/\",\"iat\":\"NOW\",\"exp\":\"NOW+300\"})\n\
                (the header of ACCESS_TOKEN is signed: {\"typ\":\"JWT\",\"alg\":\"HS256\",\"kid\":\"ID\"})\n";
    let silent = text.replace("  verification: {url: https://a.example/me}\n", "");
    for (text, expected) in [
        (text, format!("# verify: what the customer pasted is tried out\nGET https://a.example/me\n{call}")),
        (&silent, format!("# call: what calls of the API carry\nGET https://a.example/v1\n{call}")),
    ] {
        let manifest = mortise_connectors::parse(text).unwrap_or_else(|found| panic!("{found:#?}"));
        let (values, scopes) = (mortise_connectors::Values::new(), ScopeSet::default());
        let client = SimulatedClient { client_id: "CLIENT_ID", redirect_uri: "https://b.example/", scopes: &scopes };
        let requests = simulate(&Provider { manifest: &manifest, values: &values }, &client).expect("requests");
        assert_eq!(self::text(&requests), expected);
    }
}

#[test]
fn what_customers_give_is_shown_by_its_names() {
    let own_key =
        json!({"grant": "jwt_bearer", "client_authentication": "none", "assertion": {"issuer": "{client_id}"}});
    let table = [
        (json!({"grant": "password"}), "grant_type=password&username=USERNAME&password=PASSWORD&scope=read+write"),
        (json!({"grant": "saml2_bearer"}), "saml2-bearer&assertion=ASSERTION&scope=read+write"),
        (json!({"grant": "token_exchange"}), "token-exchange&subject_token=SUBJECT_TOKEN&subject_token_type=urn"),
        (own_key, "jwt-bearer&scope=read+write&client_id=CLIENT_ID&assertion=ASSERTION"),
    ];
    for (changes, body) in table {
        let requests = simulated(changes.clone());
        let (token, shown) = (&requests[0], text(&requests));
        assert_eq!(token.step, Step::Token, "{shown}");
        assert!(token.body.as_deref().is_some_and(|sent| sent.replace("%3A", ":").contains(body)), "{shown}");
        assert_eq!(token.signed.contains_key("ASSERTION"), changes["grant"] == "jwt_bearer", "{shown}");
    }
}

#[test]
fn nothing_of_a_real_client_is_in_it() {
    for method in ["client_secret_basic", "client_secret_post", "none"] {
        let shown = text(&simulated(json!({"client_authentication": method})));
        // The fixture's own client has this secret, and the simulation does not ask for it.
        assert!(!shown.contains("canary"), "{shown}");
        assert_eq!(shown.contains("CLIENT_SECRET"), method != "none", "{shown}");
    }
}

#[test]
fn basic_credentials_are_shown_beside_their_encoding() {
    let requests = simulated(json!({"client_authentication": "client_secret_basic"}));
    let token = requests.iter().find(|request| request.step == Step::Token).expect("a token request");
    let proof = token.headers.iter().find(|header| header.name == "authorization").expect("a proof");
    assert_eq!(proof.decoded.as_deref(), Some("CLIENT_ID:CLIENT_SECRET"));
    assert!(
        text(&requests).contains("authorization: Basic Q0xJRU5UX0lEOkNMSUVOVF9TRUNSRVQ=  (CLIENT_ID:CLIENT_SECRET)")
    );
}

#[test]
fn a_refresh_with_the_access_token_shows_that_one() {
    let reply = json!({"access_token": "/access_token", "refresh_token": "/access_token"});
    let requests = simulated(json!({"token_response": reply}));
    let refresh = requests.last().expect("a refresh");
    assert!(refresh.body.as_deref().is_some_and(|body| body.contains("refresh_token=ACCESS_TOKEN")), "{refresh}");
}

#[test]
fn what_is_signed_is_shown_beside_the_word_that_stands_for_it() {
    let requests = simulated(json!({
        "client_authentication": "private_key_jwt", "dpop": true, "resource": "https://api.acme.example/",
        "pushed_authorization_request_url": "https://{subdomain}.acme.example/par",
        "revocation_url": "https://{subdomain}.acme.example/revoke", "client_assertion": {"lifetime": 30},
    }));
    let steps: Vec<_> = requests.iter().map(|request| request.step).collect();
    assert_eq!(steps, [Step::Push, Step::Authorize, Step::Token, Step::Refresh, Step::Revoke]);
    assert_eq!(
        requests[1].url,
        "https://shop.acme.example/oauth/authorize?client_id=CLIENT_ID&request_uri=REQUEST_URI"
    );
    let assertion = json!({
        "iss": "CLIENT_ID", "sub": "CLIENT_ID", "aud": "https://shop.acme.example/oauth/token",
        "iat": "NOW", "exp": "NOW+30", "jti": "RANDOM",
    });
    for request in requests.iter().filter(|request| request.step != Step::Authorize) {
        assert_eq!(Value::Object(request.signed["CLIENT_ASSERTION"].clone()), assertion, "{request}");
        assert!(
            request.body.as_deref().is_some_and(|body| body.ends_with("&client_assertion=CLIENT_ASSERTION")),
            "{request}"
        );
        let bound = [Step::Token, Step::Refresh].contains(&request.step);
        assert_eq!(request.signed.contains_key("DPOP_PROOF"), bound, "{request}");
        let resource = request.body.as_deref().is_some_and(|body| body.contains("resource=https"));
        assert_eq!(resource, bound || request.step == Step::Push, "{request}");
    }
    let proof = json!({"htm": "POST", "htu": "https://shop.acme.example/oauth/token", "iat": "NOW", "jti": "RANDOM"});
    assert_eq!(Value::Object(requests[2].signed["DPOP_PROOF"].clone()), proof);
    assert!(text(&requests).contains("dpop: DPOP_PROOF\n") && text(&requests).contains("(DPOP_PROOF is signed: {"));
}

#[test]
fn a_certificate_is_said_to_be_shown() {
    let requests = simulated(json!({"client_authentication": "tls_client_auth"}));
    let shown: Vec<_> = requests.iter().map(|request| request.client_certificate).collect();
    assert_eq!(shown, [false, true, true]);
    assert!(requests[1].to_string().contains("(with the client's certificate)"), "{}", requests[1]);
    assert!(!text(&requests).contains("CLIENT_SECRET"));
}
