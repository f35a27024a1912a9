//! Callbacks: whatever a browser brings, it is refused or it is what the flow asked for.

use mortise_broker::{Asked, CallbackQuery};
use mortise_connectors::{Manifest, Values, parse};
use mortise_domain::{ClientSecret, Timestamp};
use std::sync::LazyLock;
use url::form_urlencoded;

/// When the callbacks of the corpus that are signed were signed.
const SIGNED_AT: i64 = 1_800_000_000;

static READERS: LazyLock<[Manifest; 4]> = LazyLock::new(|| {
    let of = |more: &str| {
        let text = format!(
            "id: acme\nname: Acme\nauth:\n  type: oauth2\n  grant: authorization_code\n  \
             authorization_url: https://{{shop}}.acme.example/a\n  token_url: https://{{shop}}.acme.example/t\n{more}\
             variables: {{shop: {{type: host_label, title: Shop}}}}\n"
        );
        parse(&text).expect("a manifest")
    };
    [
        of(""),
        of("  issuer: https://acme.example\n  authorization_response_iss_parameter_supported: true\n"),
        of("  callback: {code: auth_code, keep: {realm: realmId}, expect: {shop: '{shop}.acme.example'}}\n"),
        of("  callback: {hmac: {parameter: hmac, except: [signature], timestamp: timestamp}}\n"),
    ]
});

/// The first byte chooses the manifest, the rest is the query.
pub fn callback(bytes: &[u8]) {
    believed(bytes);
}

/// The same; whether the callback was believed.
pub fn believed(bytes: &[u8]) -> bool {
    let (choice, query) = bytes.split_first().map_or((0, bytes), |(choice, query)| (usize::from(*choice), query));
    let manifest = &READERS[choice % READERS.len()];
    let parameters: Vec<(String, String)> = form_urlencoded::parse(query).into_owned().collect();
    let count = |name: &str| parameters.iter().filter(|(key, _)| key == name).count();
    let value = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let query = CallbackQuery {
        context: String::new(),
        parameters: parameters.clone(),
        cookies: Vec::new(),
        fragment: choice >= 128,
    };
    let values = Values::from([("shop".to_owned(), "mine".to_owned())]);
    let secrets = [ClientSecret::new("canary-client-secret")];
    let asked = Asked { manifest, secrets: &secrets, values: &values };
    let now = Timestamp::from_timestamp(SIGNED_AT, 0).expect("an instant");
    let Ok(brought) = mortise_broker::Brought::read(&query, &asked, now) else { return false };
    let code = manifest.oauth2().map_or("code", |auth| auth.callback.code_parameter());
    assert!(!query.fragment, "a fragment is no code");
    assert_eq!((count(code), value(code)), (1, Some(brought.code().expose())), "another code than was brought");
    assert!(count("error") < 2 && value("error").unwrap_or_default().is_empty(), "an error is no success");
    match choice % READERS.len() {
        1 => assert_eq!((count("iss"), value("iss")), (1, Some("https://acme.example")), "somebody else's callback"),
        2 => assert!(value("shop").is_some_and(|shop| shop.eq_ignore_ascii_case("mine.acme.example")), "another shop"),
        3 => assert!(count("hmac") == 1 && count("timestamp") == 1, "believed without a signature"),
        _ => {}
    }
    for (name, kept) in brought.fields() {
        let kept = kept.as_str().unwrap_or_default().to_owned();
        assert!(name == "realm" && !kept.chars().any(char::is_control), "{name} is handed out");
    }
    true
}
