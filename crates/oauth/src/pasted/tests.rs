use super::*;
use crate::Reply;
use crate::fixture::header;
use crate::testing::ScriptedTransport;
use mortise_connectors::{Manifest, Values, parse};

fn manifest(auth: &str, api: &str) -> Manifest {
    let text = format!(
        "id: acme\nname: Acme\nauth: {auth}\nvariables: {{shop: {{type: host_label, title: Shop}}}}\n\
         api: {{base_url: 'https://{{shop}}.acme.example', {api}}}\n"
    );
    parse(&text).unwrap_or_else(|found| panic!("{found:#?}"))
}

fn values() -> Values {
    Values::from([("shop".to_owned(), "demo".to_owned())])
}

fn pasted(pairs: &[(&str, &str)]) -> Credentials {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), PastedSecret::new(*value))).collect()
}

fn shown(all: &BTreeMap<String, PastedSecret>) -> Vec<(&str, &str)> {
    all.iter().map(|(name, value)| (name.as_str(), value.expose())).collect()
}

const KEY: &str = "{type: api_key, credentials: {k: {type: secret, title: K}}, \
                   verification: {url: 'https://{shop}.acme.example/me?full=1'}}";
const USER: &str =
    "{type: basic, verification: {method: POST, url: 'https://{shop}.acme.example/login', status: [204]}}";

#[test]
fn a_key_goes_where_the_manifest_says() {
    for (api, key, headers, query) in [
        ("headers: {Authorization: 'Bearer {k}'}", "s3", vec![("authorization", "Bearer s3")], vec![]),
        ("headers: {X-Key: '{k}', x-shop: '{shop}'}", "s3", vec![("x-key", "s3"), ("x-shop", "demo")], vec![]),
        ("query: {api_key: '{k}', v: '2'}", "a&b=c", vec![], vec![("api_key", "a&b=c"), ("v", "2")]),
    ] {
        let (manifest, values) = (manifest(KEY, api), values());
        let provider = Provider { manifest: &manifest, values: &values };
        let carried = carried(&provider, &pasted(&[("k", key)])).expect("filled in").expect("pasted");
        assert_eq!((shown(&carried.headers), shown(&carried.query)), (headers, query), "{api}");
        assert_eq!(carried.token.expose(), key);
    }
}

#[test]
fn basic_joins_user_and_password_as_they_are() {
    for (user, password, joined) in [("u", "p", "u:p"), ("a b", "c:d%+", "a b:c:d%+"), ("u", "", "u:")] {
        let (manifest, values) = (manifest(USER, "headers: {x-shop: '{shop}'}"), values());
        let provider = Provider { manifest: &manifest, values: &values };
        let given = pasted(&[("username", user), ("password", password)]);
        let carried = carried(&provider, &given).expect("filled in").expect("pasted");
        let basic = STANDARD.encode(joined);
        assert_eq!(carried.token.expose(), basic);
        assert_eq!(shown(&carried.headers), [("authorization", format!("Basic {basic}").as_str()), ("x-shop", "demo")]);
    }
}

#[test]
fn a_verification_is_the_call_of_the_manifest_with_the_credentials_escaped() {
    let values = values();
    let by_query = manifest(KEY, "query: {api_key: '{k}'}");
    let provider = Provider { manifest: &by_query, values: &values };
    let request = verification(&provider, &pasted(&[("k", "a&b=c #")])).expect("built").expect("a call");
    assert_eq!(request.method, Method::Get);
    assert_eq!(request.url.as_str(), "https://demo.acme.example/me?full=1&api_key=a%26b%3Dc+%23");
    assert_eq!(header(&request, "accept"), Some("application/json"));
    assert!(!format!("{request:?}").contains("a%26b"), "the key is printed");
    let by_user = manifest(USER, "");
    let provider = Provider { manifest: &by_user, values: &values };
    let given = pasted(&[("username", "u"), ("password", "p")]);
    let request = verification(&provider, &given).expect("built").expect("a call");
    assert_eq!((request.method, request.body.is_empty()), (Method::Post, true));
    assert_eq!(header(&request, "authorization"), Some("Basic dTpw"));
    let silent = manifest("{type: basic}", "");
    let provider = Provider { manifest: &silent, values: &values };
    assert!(verification(&provider, &given).expect("built").is_none());
}

#[test]
fn what_does_not_fit_or_is_missing_is_refused() {
    let values = values();
    let manifest = manifest(KEY, "headers: {x-key: '{k}'}");
    let provider = Provider { manifest: &manifest, values: &values };
    for bad in ["a\r\nx-evil: 1", "a\0", "\u{7f}"] {
        assert!(carried(&provider, &pasted(&[("k", bad)])).is_err(), "{bad:?}");
    }
    assert!(carried(&provider, &Credentials::new()).is_err());
}

#[tokio::test]
async fn the_status_decides_and_only_a_refusal_is_one() {
    let call = |status: &str| -> Verification {
        serde_json::from_str(&format!(r#"{{"url": "https://a.example", "status": {status}}}"#)).expect("a verification")
    };
    for (listed, status, class) in [
        ("[]", 200, None),
        ("[]", 204, None),
        ("[404]", 404, None),
        ("[204]", 200, Some(FailureClass::GrantRejected)),
        ("[]", 401, Some(FailureClass::GrantRejected)),
        ("[]", 403, Some(FailureClass::GrantRejected)),
        ("[]", 404, Some(FailureClass::GrantRejected)),
        ("[]", 302, Some(FailureClass::Ambiguous)),
        ("[]", 408, Some(FailureClass::Ambiguous)),
        ("[]", 429, Some(FailureClass::Throttled)),
        ("[]", 500, Some(FailureClass::Ambiguous)),
    ] {
        let transport = ScriptedTransport::new();
        transport.reply(Reply::new(status, None, "a body that nobody reads"));
        let url = "https://a.example".parse().expect("a URL");
        let request = Outbound::new(Method::Get, url, DEADLINE);
        let answer = request_verification(&transport, request, &call(listed)).await;
        assert_eq!(answer.err().map(|failure| failure.class), class, "{listed} {status}");
    }
}
