//! The implicit grant (RFC 6749 section 4.2): a token that comes in the callback's fragment, without a request.
//!
//! Invariant: the fragment is read as a token reply is, by the manifest's pointers, and a refresh token in it is ignored,
//! because section 4.2.2 forbids one. Deliberately absent: the state, which whoever took the callback has checked.

use crate::outcome::accepted;
use crate::{Failure, FailureClass, Reply};
use mortise_connectors::Manifest;
use mortise_domain::TokenGrant;

/// The grant in `fragment`, which is written as a form.
///
/// # Errors
/// What is wrong with it.
pub fn implicit_grant(manifest: &Manifest, fragment: &str) -> Result<TokenGrant, Failure> {
    let fault = |detail| Failure::new(FailureClass::Unknown, None, detail);
    let auth = manifest.oauth2().ok_or_else(|| fault("the connector does not speak OAuth 2"))?;
    let reply = Reply::new(200, Some("application/x-www-form-urlencoded"), fragment);
    let mut document = accepted(&reply, &auth.token_response, &[])?;
    let mut grant = document.grant(manifest, None).map_err(fault)?;
    grant.refresh_token = None;
    grant.refresh_lifetime = None;
    Ok(grant)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::manifest;
    use serde_json::json;
    use std::time::Duration;

    fn implicit(changes: serde_json::Value) -> Manifest {
        let mut all = json!({"grant": "implicit", "token_url": ""});
        all.as_object_mut().expect("an object").extend(changes.as_object().cloned().unwrap_or_default());
        manifest(all)
    }

    #[test]
    fn a_fragment_is_read_like_a_reply() {
        let fragment = "access_token=canary-2YotnFZ&token_type=Bearer&expires_in=3600&scope=a%20b&state=s&user=7";
        let told = json!({"token_response": {"extra": {"account": "/user"}}});
        let grant = implicit_grant(&implicit(told), fragment).expect("a grant");
        assert_eq!(grant.access_token.expose(), "canary-2YotnFZ");
        assert_eq!(grant.lifetime, Some(Duration::from_secs(3600)));
        assert_eq!(grant.granted_scopes.map(|scopes| scopes.join(" ")).as_deref(), Some("a b"));
        assert_eq!(grant.extra.get("account"), Some(&json!("7")));
    }

    #[test]
    fn a_refresh_token_is_ignored_and_what_is_no_token_refused() {
        let plain = implicit(json!({}));
        let grant = implicit_grant(&plain, "access_token=a&token_type=bearer&refresh_token=r").expect("a grant");
        assert!(grant.refresh_token.is_none());
        for fragment in [
            "",
            "token_type=bearer",
            "access_token=&token_type=bearer",
            "access_token=a",
            "access_token=a%0Ab&token_type=bearer",
            "access_token=a&access_token=b&token_type=bearer",
            "access_token=a&token_type=mac",
            "error=access_denied",
        ] {
            assert!(implicit_grant(&plain, fragment).is_err(), "{fragment}");
        }
    }
}
