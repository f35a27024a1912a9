//! The further tokens of a reply that brings several, and the reply to the refresh of one of them.
//!
//! Invariant: a token is taken once: what the connection's own token was read from holds no further one.

use super::{Document, jwt};
use mortise_connectors::{Further, Manifest, OAuth2};
use mortise_domain::{AccessToken, FurtherGrant, FurtherToken, RefreshToken, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

const NOT_OAUTH2: &str = "the connector does not speak OAuth 2";

impl Document {
    /// The further tokens that are in the reply; one that nobody was asked to consent to is not.
    pub(super) fn further(
        &mut self,
        manifest: &Manifest,
        auth: &OAuth2,
        sent_at: Option<Timestamp>,
    ) -> Result<BTreeMap<String, FurtherToken>, &'static str> {
        let mut further = BTreeMap::new();
        for (name, place) in &auth.token_response.further {
            if let Some(token) = self.further_at(manifest, auth, place, sent_at)? {
                further.insert(name.clone(), token);
            }
        }
        Ok(further)
    }

    fn further_at(
        &mut self,
        manifest: &Manifest,
        auth: &OAuth2,
        place: &Further,
        sent_at: Option<Timestamp>,
    ) -> Result<Option<FurtherToken>, &'static str> {
        let Some(access) = self.token(&place.access_token)? else { return Ok(None) };
        let unit = auth.token_response.expires_in_unit;
        let told = place.expires_in.as_ref().and_then(|pointer| self.lifetime_at(manifest, pointer, unit));
        let granted_scopes = match &place.scope {
            Some(pointer) => self.scopes(pointer, &auth.scope_separator)?,
            None => None,
        };
        let refresh_token = match &place.refresh_token {
            Some(pointer) => self.token(pointer)?.map(RefreshToken::new),
            None => None,
        };
        let lifetime = told.or_else(|| jwt::expiry(&access)?.life(sent_at)).or_else(|| auth.assumed_lifetime());
        Ok(Some(FurtherToken { access_token: AccessToken::new(access), refresh_token, lifetime, granted_scopes }))
    }

    /// Takes out what the reply to a refresh of the further token `name` brought. Where its own place is empty, the reply is
    /// about nothing else, and the token stands where others have the connection's own.
    ///
    /// # Errors
    /// What is wrong with it, for a person.
    pub(crate) fn further_grant(
        &mut self,
        manifest: &Manifest,
        name: &str,
        sent_at: Timestamp,
    ) -> Result<FurtherGrant, &'static str> {
        let auth = manifest.oauth2().ok_or(NOT_OAUTH2)?;
        let shape = &auth.token_response;
        let text = |document: &Self, pointer: &str| {
            document.get(pointer).and_then(Value::as_str).map(|text| Zeroizing::new(text.to_owned()))
        };
        let (top, own) = (text(self, &shape.access_token), shape.further.get(name));
        match own.and_then(|place| text(self, &place.access_token)) {
            Some(token) if top.as_ref().is_some_and(|top| *top != token) => {
                let mut grant = self.grant(manifest, Some(sent_at))?;
                let further = std::mem::take(&mut grant.further);
                Ok(FurtherGrant { own: Some(grant), further })
            }
            Some(_) => Ok(FurtherGrant { own: None, further: self.further(manifest, auth, Some(sent_at))? }),
            None => {
                self.token_type(&shape.token_type, shape.token_type_optional, auth.dpop)?;
                let place = Further::on_top(shape);
                let token = self.further_at(manifest, auth, &place, Some(sent_at))?;
                let mut token = token.ok_or("the reply holds no access token")?;
                token.lifetime = self.left(shape, Some(sent_at)).or(token.lifetime);
                Ok(FurtherGrant { own: None, further: BTreeMap::from([(name.to_owned(), token)]) })
            }
        }
    }

    /// [`Self::successor`] of the further token `name`.
    pub(crate) fn further_successor(
        &mut self,
        manifest: &Manifest,
        name: &str,
        sent: &[Zeroizing<String>],
    ) -> Option<RefreshToken> {
        let shape = &manifest.oauth2()?.token_response;
        let own = shape.further.get(name).and_then(|place| place.refresh_token.as_deref());
        [own, Some(shape.refresh_token.as_str())].into_iter().flatten().find_map(|at| self.successor_at(at, sent))
    }
}

#[cfg(test)]
mod tests;
