//! What an access token says about its own end, where it is a JWT (RFC 7519) and the reply says nothing.
//!
//! The signature is not checked, because nothing is trusted: the claim decides when to renew, and a wrong one costs a
//! request too many or a refusal that is renewed upon. Deliberately absent: every other claim.

use super::Expiry;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

/// The `exp` and `iat` of a token in compact form (RFC 7515 section 7.1); `None` where it is no JWT, is encrypted, has no
/// `exp`, or claims nonsense.
pub(super) fn expiry(token: &str) -> Option<Expiry> {
    let mut parts = token.split('.');
    let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let payload = Zeroizing::new(URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?);
    serde_json::from_slice(&payload).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn token(payload: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{}", part(r#"{"alg":"RS256"}"#), part(payload), part("signature"))
    }

    fn read(payload: &str) -> Option<(f64, Option<f64>)> {
        expiry(&token(payload)).map(|expiry| (expiry.exp, expiry.iat))
    }

    #[test]
    fn a_jwt_tells_when_it_ends() {
        assert_eq!(read(r#"{"sub":"a","exp":5000,"iat":1400}"#), Some((5000.0, Some(1400.0))));
        assert_eq!(read(r#"{"exp":5000.25,"iat":null,"deep":[[{"exp":1}]]}"#), Some((5000.25, None)));
        let padded = format!("e30.{}==.x", URL_SAFE_NO_PAD.encode(r#"{"exp":1}"#));
        assert_eq!(expiry(&padded).map(|expiry| expiry.exp), Some(1.0));
    }

    #[test]
    fn nonsense_is_no_expiry() {
        for payload in [
            "",
            "{}",
            "[]",
            "null",
            "{",
            r#"{"iat":1400}"#,
            r#"{"exp":null}"#,
            r#"{"exp":"5000"}"#,
            r#"{"exp":5000,"iat":"1400"}"#,
            r#"{"exp":5000,"exp":6000}"#,
            r#"{"exp":1e999}"#,
            r#"{"exp":true}"#,
            r#"{"exp":5000} x"#,
        ] {
            assert_eq!(read(payload), None, "{payload}");
        }
        let plain = URL_SAFE_NO_PAD.encode(r#"{"exp":5000}"#);
        for token in ["", "opaque", "a.b", "..", "a.b.c.d.e", "a.!.c", &format!("a.{plain}"), &format!("a.{plain}.c.d")]
        {
            assert_eq!(expiry(token), None, "{token}");
        }
        let deep = format!(r#"{{"a":{}1{},"exp":1}}"#, "[".repeat(5000), "]".repeat(5000));
        assert!(read(&deep).is_none_or(|(exp, _)| exp == 1.0), "no stack is used up");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_not(text in "[ -~]{0,200}", payload in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = expiry(&text);
            let _ = expiry(&format!("a.{}.c", URL_SAFE_NO_PAD.encode(payload)));
        }
    }
}
