//! The examples of RFC 5849 themselves.

use super::*;

const CONSUMER_KEY: &str = "dpf43f3p2l4k3l03";
const CONSUMER_SECRET: &str = "kd94hf93k423kf44";

fn signer<'a>(token: Option<(&'a str, &'a str)>) -> Signer<'a> {
    Signer {
        method: SignatureMethod::HmacSha1,
        realm: Some("Photos"),
        consumer_key: CONSUMER_KEY,
        consumer_secret: CONSUMER_SECRET,
        token,
    }
}

fn once(timestamp: i64, nonce: &str) -> Once {
    Once { timestamp: timestamp.to_string(), nonce: nonce.to_owned() }
}

/// The RFC's example leaves `oauth_version` out, which it may, and we send it: so its signatures are made from base strings
/// without it.
fn signature(signer: &Signer<'_>, method: &str, url: &str, params: &[(&str, &str)]) -> String {
    let url = Url::parse(url).expect("a URL");
    signer.sign(&base_string(method, &url, params.iter().copied())).to_string()
}

/// The second and the third; of a request without a token, the case of SHA-256 below speaks.
#[test]
fn the_requests_of_section_1_2() {
    let common = [("oauth_consumer_key", CONSUMER_KEY), ("oauth_signature_method", "HMAC-SHA1")];
    let with = |own: &[(&'static str, &'static str)]| [&common[..], own].concat();
    let token = with(&[
        ("oauth_token", "hh5s93j4hdidpola"),
        ("oauth_timestamp", "137131201"),
        ("oauth_nonce", "walatlh"),
        ("oauth_verifier", "hfdp7dh39dks9884"),
    ]);
    let held = Some(("hh5s93j4hdidpola", "hdhd0244k9j7ao03"));
    let found = signature(&signer(held), "POST", "https://photos.example.net/token", &token);
    assert_eq!(found, "gKgrFCywp7rO0OXSjdot/IHF7IU=");

    let photos =
        with(&[("oauth_token", "nnch734d00sl2jdk"), ("oauth_timestamp", "137131202"), ("oauth_nonce", "chapoH")]);
    let held = Some(("nnch734d00sl2jdk", "pfkkdhi9sl3r4s00"));
    let url = "http://photos.example.net/photos?file=vacation.jpg&size=original";
    assert_eq!(signature(&signer(held), "GET", url, &photos), "MdpQcU8iPSUjWoN/UDMsK2sui9I=");
}

#[test]
fn the_base_string_of_section_3_4_1_1() {
    let url = Url::parse("http://example.com/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b").expect("a URL");
    let params = [
        ("oauth_consumer_key", "9djdj82h48djs9d2"),
        ("oauth_token", "kkk9d7dh3k39sjv7"),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", "137131201"),
        ("oauth_nonce", "7d8f3e4a"),
        ("c2", ""),
        ("a3", "2 q"),
    ];
    let expected = "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D\
                    %26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a\
                    %26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7";
    assert_eq!(*base_string("post", &url, params.into_iter()), expected);
}

/// Section 3.4.1.2.
#[test]
fn only_an_unusual_port_is_signed() {
    let address = |url: &str| {
        let url = Url::parse(url).expect("a URL");
        base_string("GET", &url, std::iter::empty()).split('&').nth(1).unwrap_or_default().to_owned()
    };
    assert_eq!(address("http://EXAMPLE.COM:80/r%20v/X?id=123"), "http%3A%2F%2Fexample.com%2Fr%2520v%2FX");
    assert_eq!(address("https://www.example.net:8080/?q=1"), "https%3A%2F%2Fwww.example.net%3A8080%2F");
}

#[test]
fn plaintext_is_both_secrets_encoded_and_says_no_time() {
    let signer = Signer {
        method: SignatureMethod::Plaintext,
        realm: None,
        consumer_key: "key",
        consumer_secret: "j49&k",
        token: Some(("t", "d 9")),
    };
    let url = Url::parse("https://a.example/t").expect("a URL");
    let header = signer.authorization("POST", &url, &[], &[("oauth_verifier", "v")], &once(1, "n"));
    let expected = "OAuth oauth_consumer_key=\"key\", oauth_token=\"t\", oauth_signature_method=\"PLAINTEXT\", \
                    oauth_version=\"1.0\", oauth_verifier=\"v\", oauth_signature=\"j49%2526k%26d%25209\"";
    assert_eq!(*header, expected);
}

#[test]
fn the_header_carries_what_was_signed_and_the_realm_beside_it() {
    let url = Url::parse("https://photos.example.net/initiate").expect("a URL");
    let own = [("oauth_callback", "https://a.example/back?x=1")];
    let form = [("scope", "read write")];
    let header = signer(None).authorization("POST", &url, &form, &own, &once(137_131_200, "wIjqoxSZ"));
    let params = [
        ("oauth_consumer_key", CONSUMER_KEY),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", "137131200"),
        ("oauth_nonce", "wIjqoxSZ"),
        ("oauth_version", "1.0"),
        ("oauth_callback", "https://a.example/back?x=1"),
        ("scope", "read write"),
    ];
    let signed = signature(&signer(None), "POST", url.as_str(), &params);
    let encoded = utf8_percent_encode(&signed, ENCODED).to_string();
    assert!(header.starts_with("OAuth realm=\"Photos\", oauth_consumer_key="), "{}", *header);
    assert!(header.contains("oauth_callback=\"https%3A%2F%2Fa.example%2Fback%3Fx%3D1\""), "{}", *header);
    assert!(header.ends_with(&format!("oauth_signature=\"{encoded}\"")), "{}", *header);
    assert!(!header.contains("scope"), "{}", *header);
}

/// RFC 4231 gives no base string, so both hashes are told apart by their lengths, and by another's reckoning of one case:
/// `printf 'GET&https%3A%2F%2Fa.example%2F&' | openssl dgst -sha256 -hmac 's&' -binary | base64`.
#[test]
fn sha256_is_another_hash() {
    let signer = Signer {
        method: SignatureMethod::HmacSha256,
        realm: None,
        consumer_key: "k",
        consumer_secret: "s",
        token: None,
    };
    assert_eq!(signature(&signer, "GET", "https://a.example/", &[]), SHA256_EXAMPLE);
}

const SHA256_EXAMPLE: &str = "7WIQMZz5yqhG9ezQc2sjoBiewf4pHZkzLEH2hit+ZyI=";
