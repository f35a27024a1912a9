//! A token that is signed here with the customer's key: nobody is asked for one.
//!
//! Invariant: nothing leaves the process, so whatever goes wrong here has changed nothing anywhere. Deliberately absent:
//! whether the provider takes the token, which a verification tells.

use crate::fill::fill;
use crate::two_step::Known;
use crate::{Credentials, KeyFault, ProtocolError, Provider, SigningKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mortise_connectors::{Auth, Jwt, KeyEncoding, SignedJwt};
use mortise_domain::{AccessToken, PastedSecret, Timestamp, TokenGrant, TokenType};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use zeroize::Zeroizing;

/// What such a token is called where others have their type.
const TOKEN_TYPE: &str = "signed_jwt";
/// RFC 7519 section 5.1.
const TYP: &str = "JWT";

/// A token that is good from `now` on.
pub(crate) fn signed(
    provider: &Provider<'_>,
    auth: &SignedJwt,
    given: &Credentials,
    now: Timestamp,
) -> Result<TokenGrant, ProtocolError> {
    let known = Known::from(given);
    let mut claims = claims(provider, &auth.jwt, &known)?;
    let lifetime = auth.jwt.lifetime();
    claims.insert("iat".to_owned(), now.timestamp().into());
    claims.insert("exp".to_owned(), (now.timestamp() + i64::from(lifetime)).into());
    let key_id = key_id(provider, &auth.jwt, &known)?;
    let blamed = |fault| ProtocolError::PastedKey { credential: blamed(auth).to_owned(), fault };
    let key = key(auth, given)?.map_err(blamed)?;
    let token =
        key.sign(Some(TYP), key_id.as_ref().map(|id| id.as_str()), &claims).map_err(|_| blamed(KeyFault::Unsound))?;
    Ok(TokenGrant {
        access_token: AccessToken::new(token.as_str()),
        token_type: TokenType::new(TOKEN_TYPE),
        refresh_token: None,
        lifetime: Some(Duration::from_secs(lifetime.into())),
        refresh_lifetime: None,
        granted_scopes: None,
        dpop_key: None,
        extra: BTreeMap::new(),
        kept: known.only(&auth.keeps(provider.manifest.api.as_ref())),
        further: BTreeMap::new(),
    })
}

/// Header and claims to look at, with stand-ins for what the customer gives and for the moment.
pub(crate) fn for_show(
    provider: &Provider<'_>,
    auth: &SignedJwt,
    given: &Credentials,
) -> Result<[Map<String, Value>; 2], ProtocolError> {
    let known = Known::from(given);
    let mut header = Map::new();
    header.insert("typ".to_owned(), TYP.into());
    header.insert("alg".to_owned(), auth.jwt.algorithm.as_str().into());
    if let Some(key_id) = key_id(provider, &auth.jwt, &known)? {
        header.insert("kid".to_owned(), key_id.as_str().into());
    }
    let mut claims = claims(provider, &auth.jwt, &known)?;
    claims.insert("iat".to_owned(), json!("NOW"));
    claims.insert("exp".to_owned(), json!(format!("NOW+{}", auth.jwt.lifetime())));
    Ok([header, claims])
}

/// Whether what signs is a key; if not, which credential is to blame and what is wrong with it.
pub(crate) fn check_key(auth: &SignedJwt, given: &Credentials) -> Result<(), (String, KeyFault)> {
    match key(auth, given) {
        Ok(read) => read.map(drop).map_err(|fault| (blamed(auth).to_owned(), fault)),
        // Something is missing, which is said elsewhere.
        Err(_) => Ok(()),
    }
}

/// What the token says, but for when.
fn claims(provider: &Provider<'_>, jwt: &Jwt, known: &Known) -> Result<Map<String, Value>, ProtocolError> {
    let said =
        jwt.says().map(|(name, template)| Ok((name.to_owned(), known.fill(template, provider)?.as_str().into())));
    said.collect()
}

fn key_id(provider: &Provider<'_>, jwt: &Jwt, known: &Known) -> Result<Option<Zeroizing<String>>, ProtocolError> {
    jwt.key_id.as_deref().map(|template| known.fill(template, provider)).transpose()
}

/// The key out of what the customer gave.
fn key(auth: &SignedJwt, given: &Credentials) -> Result<Result<SigningKey, KeyFault>, ProtocolError> {
    let template = auth.key();
    let text = fill(&template, |name| given.get(name).map(PastedSecret::expose))?;
    let algorithm = auth.jwt.algorithm;
    Ok(match auth.jwt.key_encoding {
        KeyEncoding::Text => SigningKey::of(&text, algorithm),
        KeyEncoding::Hex => hexadecimal(&text).and_then(|bytes| SigningKey::of_bytes(&bytes, Some(algorithm))),
        KeyEncoding::Base64 => base64(&text).and_then(|bytes| SigningKey::of_bytes(&bytes, Some(algorithm))),
    })
}

/// The credential that people have to look at again where the key is none.
fn blamed(auth: &SignedJwt) -> &str {
    let named = || auth.credentials.keys().find(|name| auth.key().contains(&format!("{{{name}}}")));
    auth.key_credential().or_else(|| named().map(String::as_str)).unwrap_or_default()
}

fn hexadecimal(text: &str) -> Result<Zeroizing<Vec<u8>>, KeyFault> {
    // As large as it gets at once, so that growing leaves no copy of the key behind.
    let mut bytes = Zeroizing::new(vec![0; text.len() / 2]);
    let decoded = hex::decode_to_slice(text, &mut bytes);
    decoded.map(|()| bytes).map_err(|_| KeyFault::NotEncoded("hexadecimal digits, two for each byte"))
}

fn base64(text: &str) -> Result<Zeroizing<Vec<u8>>, KeyFault> {
    STANDARD.decode(text).map(Zeroizing::new).map_err(|_| KeyFault::NotEncoded("base64"))
}

/// The mode, if it is that.
pub(crate) fn signed_jwt<'a>(provider: &Provider<'a>) -> Option<&'a SignedJwt> {
    match &provider.manifest.auth {
        Auth::SignedJwt(auth) => Some(auth),
        Auth::Oauth2(_) | Auth::Oauth1(_) | Auth::ApiKey(_) | Auth::Basic(_) | Auth::TwoStep(_) => None,
    }
}

#[cfg(test)]
mod tests;
