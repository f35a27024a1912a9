//! What calls of the API carry beside, or instead of, a bearer token.

use super::request::{Known, header};
use super::{ACCESS_TOKEN, two_step};
use crate::signed_jwt::signed_jwt;
use crate::{Carried, ProtocolError, Provider};
use mortise_domain::{AccessToken, PastedSecret};
use std::collections::BTreeMap;

/// What a call carries with `token`, and with what was `kept` beside it. `None`: tokens are not carried in a way of the
/// manifest's own.
///
/// # Errors
/// A template that names what is not there, or a value that does not fit into a header.
pub fn carried_token(
    provider: &Provider<'_>,
    token: &AccessToken,
    kept: &BTreeMap<String, PastedSecret>,
) -> Result<Option<Carried>, ProtocolError> {
    if two_step(provider).is_none() && signed_jwt(provider).is_none() {
        return Ok(None);
    }
    let mut known = Known::from(kept);
    known.learn(ACCESS_TOKEN, token.expose());
    let (mut headers, mut query) = (BTreeMap::new(), BTreeMap::new());
    if let Some(api) = &provider.manifest.api {
        for (name, template) in &api.headers {
            let line = header(name, known.fill(template, provider)?)?;
            headers.insert(line.name, PastedSecret::new(line.value.as_str()));
        }
        for (name, template) in &api.query {
            query.insert(name.clone(), PastedSecret::new(known.fill(template, provider)?.as_str()));
        }
    }
    Ok(Some(Carried { token: AccessToken::new(token.expose()), headers, query }))
}
