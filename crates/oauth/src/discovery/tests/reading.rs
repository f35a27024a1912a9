//! The pure readers: total over any bytes.

use super::super::*;
use proptest::prelude::*;

#[test]
fn documents_that_are_none() {
    let deep = "[".repeat(100_000);
    for text in ["", "null", "[]", "7", "{", "{}x", "{\"issuer\":\"a\",\"issuer\":\"b\"}", "\u{feff}{}", &deep] {
        assert_eq!(read(text.as_bytes()), Err(MetadataFault::NotJson), "{text:.40}");
    }
    assert_eq!(read(&[0xff, b'{']), Err(MetadataFault::NotJson));
    assert_eq!(read(b"{}"), Err(MetadataFault::Missing("issuer")));
    assert_eq!(read(b"{\"issuer\":null}"), Err(MetadataFault::Missing("issuer")));
    assert_eq!(read_resource(b"{}"), Err(MetadataFault::Missing("resource")));
}

#[test]
fn a_member_of_the_wrong_type_spoils_the_document() {
    let long = "a".repeat(2001);
    for (member, value) in [
        ("issuer", "7".to_owned()),
        ("issuer", "\"\"".to_owned()),
        ("issuer", "\"https://a.example/ö\"".to_owned()),
        ("issuer", "\"https://a.example/\\n\"".to_owned()),
        ("token_endpoint", "[]".to_owned()),
        ("token_endpoint", format!("\"{long}\"")),
        ("code_challenge_methods_supported", "\"S256\"".to_owned()),
        ("token_endpoint_auth_methods_supported", "[1]".to_owned()),
        ("authorization_response_iss_parameter_supported", "\"true\"".to_owned()),
    ] {
        let issuer = if member == "issuer" { "" } else { "\"issuer\": \"https://a.example\", " };
        let text = format!("{{{issuer}\"{member}\": {value}}}");
        assert!(matches!(read(text.as_bytes()), Err(MetadataFault::Member(name)) if name == member), "{text:.80}");
    }
}

#[test]
fn challenges_as_they_are_sent() {
    let metadata = |header: &str| read_challenge(header).map(|challenge| challenge.resource_metadata);
    let url = || Some(Some("https://a.example/x".to_owned()));
    for header in [
        r#"Bearer resource_metadata="https://a.example/x""#,
        r#"bearer realm="a, b=\"c\"", resource_metadata = "https://a.example/x" , error="invalid_token""#,
        r#"Basic realm="x", Bearer resource_metadata="https://a.example/x""#,
        r#"Negotiate abc123==, Bearer error="x", resource_metadata=https://a.example/x"#,
        r#"DPoP algs="ES256", resource_metadata="https://a.example/x", Basic resource_metadata="https://b.example""#,
        r#"Bearer resource_metadata="https://a.example/x", resource_metadata="https://b.example/x""#,
    ] {
        assert_eq!(metadata(header), url(), "{header}");
    }
    assert_eq!(metadata("Bearer"), Some(None));
    for header in ["", "Basic realm=\"x\"", "Basic resource_metadata=\"https://b.example\"", "\"", "=,=,"] {
        assert_eq!(metadata(header), None, "{header}");
    }
    assert_eq!(metadata("Bearer resource_metadata=\"https://a.example"), None, "cut off");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        drop((read(&bytes), read_resource(&bytes)));
    }

    #[test]
    fn any_header_is_read_or_passed_over(header in any::<String>(), tail in "(Bearer|,|=|\"|\\\\| |[a-z]){0,40}") {
        drop((read_challenge(&header), read_challenge(&tail)));
    }
}
