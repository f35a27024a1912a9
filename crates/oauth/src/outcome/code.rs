//! Error codes: what each means, and which texts may pass as one.

use crate::FailureClass;
use mortise_connectors::RefreshError;
use zeroize::Zeroizing;

/// A longer text is no code, and is not searched for secrets either.
const LONGEST: usize = 64;
/// So many characters of a secret in a row are a leak, even where the rest was cut off.
const TELLING: usize = 8;

const REJECTED: &str = "the provider no longer accepts the grant";
const MISCONFIGURED: &str = "the provider does not accept the client";
const FAILED: &str = "the provider failed to answer the request";
const THROTTLED: &str = "the provider asks for fewer requests";

/// The class of a code that the manifest knows, and what to tell a person.
pub(super) fn class_of_error(error: RefreshError) -> (FailureClass, &'static str) {
    match error {
        RefreshError::Permanent => (FailureClass::GrantRejected, REJECTED),
        RefreshError::Transient => (FailureClass::Ambiguous, FAILED),
        RefreshError::Throttled => (FailureClass::Throttled, THROTTLED),
        RefreshError::App => (FailureClass::AppMisconfigured, MISCONFIGURED),
    }
}

/// The class of a code, and what to tell a person (RFC 6749 sections 4.1.2.1 and 5.2, RFC 8628 section 3.5).
pub(super) fn class_of(code: &str) -> (FailureClass, &'static str) {
    match code {
        "invalid_grant" => (FailureClass::GrantRejected, REJECTED),
        "invalid_client" | "unauthorized_client" => (FailureClass::AppMisconfigured, MISCONFIGURED),
        "temporarily_unavailable" | "server_error" => (FailureClass::Ambiguous, FAILED),
        "slow_down" | "ratelimited" | "rate_limited" | "rate_limit_exceeded" | "too_many_requests" => {
            (FailureClass::Throttled, THROTTLED)
        }
        _ => (FailureClass::Unknown, "the provider refused with an error code that the protocol does not define"),
    }
}

/// `text` as a code in lower case, if it is one that can be stored and shown; else why not.
pub(super) fn error_code(text: &str, secrets: &[Zeroizing<String>]) -> Result<String, &'static str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if text.len() > LONGEST || !text.bytes().all(plain) {
        return Err("the provider refused with an error code that is no plain word");
    }
    let code = text.to_ascii_lowercase();
    let known = class_of(&code).0 != FailureClass::Unknown;
    if !known && secrets.iter().any(|secret| repeats(&code, secret)) {
        return Err("the provider refused with an error code that repeats a secret");
    }
    Ok(code)
}

/// Whether `code`, in lower case, holds `secret` or a telling piece of it.
fn repeats(code: &str, secret: &str) -> bool {
    let secret = Zeroizing::new(secret.to_ascii_lowercase());
    if secret.len() < TELLING {
        return !secret.is_empty() && code.contains(secret.as_str());
    }
    code.as_bytes().windows(TELLING).any(|piece| secret.as_bytes().windows(TELLING).any(|part| part == piece))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str, secret: &str) -> Result<String, &'static str> {
        error_code(text, &[Zeroizing::new(secret.to_owned())])
    }

    #[test]
    fn plain_words_pass_in_lower_case() {
        assert_eq!(code("Invalid_Grant", "s3cret-canary").as_deref(), Ok("invalid_grant"));
        assert_eq!(code("AADSTS70008", "s3cret-canary").as_deref(), Ok("aadsts70008"));
        for text in ["two words", "a\nb", "größe", "<b>", &"x".repeat(65)] {
            assert!(code(text, "s3cret-canary").is_err(), "{text}");
        }
    }

    #[test]
    fn a_secret_or_a_piece_of_it_does_not_pass() {
        for text in ["s3cret-canary", "bad_s3cret-canary_token", "S3CRET-CANARY", "bad.s3cret-c", "et-canary"] {
            assert!(code(text, "s3cret-canary").is_err(), "{text}");
        }
        assert!(code("bad_abc", "abc").is_err());
        assert_eq!(code("bad_token", "").as_deref(), Ok("bad_token"));
    }

    #[test]
    fn a_code_of_the_protocol_is_no_leak_whatever_the_secret_is() {
        assert_eq!(code("invalid_grant", "invalid_grant").as_deref(), Ok("invalid_grant"));
    }
}
