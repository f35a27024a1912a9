//! How the client proves itself at the token, refresh and revocation endpoints (RFC 6749 section 2.3).
//!
//! Deliberately absent: credentials in the query, which end up in logs, unless the manifest writes the whole request there.

use crate::grants;
use crate::request::Draft;
use crate::sending::Assertion;
use crate::{ClientIdentity, ClientRegistration, ProtocolError, Provider, SigningKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mortise_connectors::{ClientAuthentication, OAuth2, Parameter};
use mortise_domain::ClientSecret;
use serde_json::Map;
use url::form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

/// RFC 7523 section 2.2.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Adds the client's name and proof to `draft` as the manifest says.
pub(crate) fn prove<'a>(
    draft: &mut Draft<'a>,
    provider: &Provider<'a>,
    client: &ClientRegistration<'a>,
) -> Result<(), ProtocolError> {
    let auth = provider.auth()?;
    let whole = || client.secret.map(|secret| secret.expose()).ok_or(ProtocolError::NoClientSecret);
    let secret = || whole().map(|secret| if auth.client_certificate { before_certificate(secret) } else { secret });
    match auth.client_authentication {
        ClientAuthentication::ClientSecretBasic => {
            let secret = secret()?;
            let basic = basic_credentials(client.client_id, secret);
            draft.keep_secret(secret);
            draft.keep_secret(&basic);
            draft.authorization = Some(Zeroizing::new(format!("Basic {}", *basic)));
        }
        ClientAuthentication::ClientSecretPost => {
            let secret = secret()?;
            draft.say(Parameter::ClientId, client.client_id);
            draft.say_secret(Parameter::ClientSecret, secret);
        }
        ClientAuthentication::None => draft.say(Parameter::ClientId, client.client_id),
        ClientAuthentication::ClientSecretAsUser => {
            let secret = secret()?;
            let basic = Zeroizing::new(STANDARD.encode(Zeroizing::new(format!("{secret}:")).as_bytes()));
            draft.keep_secret(secret);
            draft.keep_secret(&basic);
            draft.authorization = Some(Zeroizing::new(format!("Basic {}", *basic)));
        }
        ClientAuthentication::ClientSecretHeader => {
            let secret = secret()?;
            let name = auth.client_secret_header.as_deref().ok_or(ProtocolError::NoSecretHeader)?;
            draft.keep_secret(secret);
            draft.say(Parameter::ClientId, client.client_id);
            draft.client_headers.push((name, in_header(name, secret)?));
        }
        ClientAuthentication::PrivateKeyJwt | ClientAuthentication::ClientSecretJwt => {
            draft.say(Parameter::ClientId, client.client_id);
            draft.say(Parameter::ClientAssertionType, JWT_BEARER);
            draft.assert(Parameter::ClientAssertion, assertion(provider, auth, client)?);
        }
        ClientAuthentication::TlsClientAuth | ClientAuthentication::SelfSignedTlsClientAuth => {
            draft.say(Parameter::ClientId, client.client_id);
            draft.client_identity = Some(match client.signer {
                Some(_) => ClientIdentity::read(secret()?)?,
                None => ClientIdentity::for_show(),
            });
        }
    }
    if auth.client_certificate {
        draft.client_identity = Some(match client.signer {
            Some(_) => ClientIdentity::read(whole()?)?,
            None => ClientIdentity::for_show(),
        });
    }
    if let Some(name) = &auth.client_id_header {
        draft.client_headers.push((name, in_header(name, client.client_id)?));
    }
    Ok(())
}

/// What the client says of itself, signed (RFC 7523 section 3). The audience is one text, so that no server can pass the
/// assertion on to another that is named in it too.
fn assertion(
    provider: &Provider<'_>,
    auth: &OAuth2,
    client: &ClientRegistration<'_>,
) -> Result<Assertion, ProtocolError> {
    let told = &auth.client_assertion;
    let audience = match (&told.audience, &auth.issuer) {
        (Some(template), _) => provider.text(template)?,
        (None, Some(issuer)) => issuer.clone(),
        (None, None) => provider.url(&auth.token_url)?.into(),
    };
    let issuer = match &told.issuer {
        Some(template) => provider.text(template)?,
        None => client.client_id.to_owned(),
    };
    let mut claims = Map::new();
    for (name, value) in [("iss", issuer), ("sub", client.client_id.to_owned()), ("aud", audience)] {
        claims.insert(name.to_owned(), value.into());
    }
    let key = client.signer.map(|_| signing_key(auth, client.secret)).transpose()?;
    let key_id = told.key_id.as_deref().map(|template| provider.text(template)).transpose()?;
    Ok(Assertion { key, key_id, claims, lifetime: told.lifetime() })
}

fn signing_key(auth: &OAuth2, secret: Option<&ClientSecret>) -> Result<SigningKey, ProtocolError> {
    let secret = secret.ok_or(ProtocolError::NoClientSecret)?.expose();
    let algorithm = auth.client_assertion.algorithm;
    Ok(match auth.client_authentication {
        ClientAuthentication::ClientSecretJwt => SigningKey::shared(secret, algorithm)?,
        _ => SigningKey::read(secret, algorithm)?,
    })
}

/// Whether `secret` is what clients of a provider prove themselves by: a key, a certificate, or any text.
///
/// # Errors
/// What is wrong with it, and the way out.
pub fn check_client_secret(auth: &OAuth2, secret: &ClientSecret) -> Result<(), ProtocolError> {
    match auth.client_authentication {
        _ if auth.signs_with_app_key() => grants::app_key(auth, Some(secret)).map(drop),
        method if method.signs() => signing_key(auth, Some(secret)).map(drop),
        _ if auth.client_certificate && before_certificate(secret.expose()).is_empty() => {
            Err(ProtocolError::NoClientSecret)
        }
        method if method.shows_certificate() || auth.client_certificate => {
            Ok(ClientIdentity::read(secret.expose()).map(drop)?)
        }
        ClientAuthentication::None => Ok(()),
        _ if is_private_key(secret.expose()) => Err(ProtocolError::KeyAsSecret),
        _ => Ok(()),
    }
}

/// Whether a text is meant to be a private key, sound or not: such a one must never be sent, whatever the manifest says.
fn is_private_key(text: &str) -> bool {
    let words = ["PRIVATE KEY-----", "BEGIN CERTIFICATE-----"];
    words.iter().any(|word| text.contains(word)) || SigningKey::read(text, None).is_ok()
}

/// The secret that stands before a certificate and its key.
fn before_certificate(text: &str) -> &str {
    text.split_once("-----BEGIN").map_or(text, |(secret, _)| secret).trim()
}

/// A value that a header can carry as it is.
fn in_header(name: &str, value: &str) -> Result<Zeroizing<String>, ProtocolError> {
    let fits = !value.is_empty() && value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if fits { Ok(Zeroizing::new(value.to_owned())) } else { Err(ProtocolError::Header { name: name.to_owned() }) }
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
    use crate::fixture::Fixture;
    use crate::refresh;
    use crate::testing::body_params;
    use mortise_domain::RefreshToken;
    use serde_json::json;

    #[test]
    fn a_certificate_stands_below_the_secret_that_is_sent() {
        let pem = include_str!("../tests/it/data/client-a.pem");
        let fixture = Fixture::new(json!({"client_certificate": true}));
        let both = ClientSecret::new(format!("s3cret\n{pem}"));
        let client = ClientRegistration { secret: Some(&both), ..fixture.public_client() };
        let request = refresh(&fixture.provider(), &client, &RefreshToken::new("rt")).expect("a request");
        assert_eq!(body_params(&request)["client_secret"], "s3cret");
        assert!(request.client_identity.is_some());
        let provider = fixture.provider();
        let auth = provider.auth().expect("OAuth 2");
        assert!(check_client_secret(auth, &both).is_ok());
        for alone in [pem, "s3cret", ""] {
            assert!(check_client_secret(auth, &ClientSecret::new(alone)).is_err(), "{}", alone.len());
        }
    }

    /// Pasted into the wrong connector, or left from a version that signed with it.
    #[test]
    fn a_private_key_is_no_secret_to_send() {
        const JWK: &str = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let certificate = include_str!("../tests/it/data/client-a.pem");
        let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v_VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----";
        for method in ["client_secret_post", "client_secret_basic", "client_secret_as_user", "client_secret_header"] {
            let header = if method == "client_secret_header" { json!("x-secret") } else { json!(null) };
            let fixture = Fixture::new(json!({"client_authentication": method, "client_secret_header": header}));
            let provider = fixture.provider();
            let auth = provider.auth().expect("OAuth 2");
            for key in [JWK, certificate, pem, &pem.replace('\n', "\\n")] {
                let refused = check_client_secret(auth, &ClientSecret::new(key)).expect_err("it would be sent");
                assert!(matches!(refused, ProtocolError::KeyAsSecret), "{method}: {refused}");
            }
            for secret in ["s3cret", r#"{"d":"not a key"}"#, "{", "-----BEGIN"] {
                assert!(check_client_secret(auth, &ClientSecret::new(secret)).is_ok(), "{method}: {secret}");
            }
        }
    }

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
