//! How the client proves itself at the token, refresh and revocation endpoints (RFC 6749 section 2.3).
//!
//! Deliberately absent: credentials in the query, which end up in logs.

use crate::request::Draft;
use crate::{ClientRegistration, ProtocolError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mortise_connectors::ClientAuthentication;
use url::form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

/// Adds the client's proof to `draft` as `method` says.
pub(crate) fn prove<'a>(
    draft: &mut Draft<'a>,
    method: ClientAuthentication,
    client: &ClientRegistration<'a>,
) -> Result<(), ProtocolError> {
    let secret = || client.secret.map(|secret| secret.expose()).ok_or(ProtocolError::NoClientSecret);
    match method {
        ClientAuthentication::ClientSecretBasic => {
            let secret = secret()?;
            let basic = basic_credentials(client.client_id, secret);
            draft.keep_secret(secret);
            draft.keep_secret(&basic);
            draft.authorization = Some(Zeroizing::new(format!("Basic {}", *basic)));
        }
        ClientAuthentication::ClientSecretPost => {
            let secret = secret()?;
            draft.keep_secret(secret);
            draft.set("client_id", client.client_id);
            draft.set("client_secret", secret);
        }
        ClientAuthentication::None => draft.set("client_id", client.client_id),
    }
    Ok(())
}

/// Id and secret are form-encoded each *before* they are joined, so that a colon or a non-ASCII character in either
/// survives (RFC 6749 section 2.3.1 and appendix B).
fn basic_credentials(id: &str, secret: &str) -> Zeroizing<String> {
    let mut joined = Zeroizing::new(String::with_capacity(3 * (id.len() + secret.len()) + 1));
    joined.extend(byte_serialize(id.as_bytes()));
    joined.push(':');
    joined.extend(byte_serialize(secret.as_bytes()));
    Zeroizing::new(STANDARD.encode(joined.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_and_secret_are_form_encoded_before_they_are_joined() {
        let table = [
            ("app", "plain", "app:plain"),
            ("a:b", "c:d", "a%3Ab:c%3Ad"),
            ("app", "100%", "app:100%25"),
            ("app", "a+b", "app:a%2Bb"),
            ("app", "a b", "app:a+b"),
            ("app", ":%+ ", "app:%3A%25%2B+"),
            ("größe", "пароль", "gr%C3%B6%C3%9Fe:%D0%BF%D0%B0%D1%80%D0%BE%D0%BB%D1%8C"),
            ("app", "-._*~", "app:-._*%7E"),
        ];
        for (id, secret, joined) in table {
            assert_eq!(*basic_credentials(id, secret), STANDARD.encode(joined), "{id} {secret}");
        }
    }
}
