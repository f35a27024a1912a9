//! A request to a protocol endpoint as every way of running the sandbox sees it: read once, decided once.
//!
//! Deliberately absent: sockets, waiting, and what a script makes of the reply.

use crate::class::RecoveryClass;
use crate::client_auth::credentials;
use crate::flight::Decision;
use crate::ledger::TokenId;
use crate::log::Endpoint;
use crate::params::{Params, ParamsError};
use crate::reply::OAuthError;
use crate::shared::Shared;
use crate::state::{Call, State};
use crate::{introspect, revoke, token, userinfo};
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::web::Bytes;

/// The longest body that is read, in bytes.
pub const LONGEST_BODY: usize = 64 * 1024;

/// What can be wrong with a body before anybody looks into it.
pub struct Unreadable;

/// A request that has been read.
pub struct Inbound {
    pub class: RecoveryClass,
    pub endpoint: Endpoint,
    pub headers: HeaderMap,
    params: Result<Params, OAuthError>,
}

impl Inbound {
    /// Reads a request. The body counts where the endpoint takes a POST.
    pub fn read(class: RecoveryClass, endpoint: Endpoint, headers: HeaderMap, body: Result<Bytes, Unreadable>) -> Self {
        let params = match endpoint {
            Endpoint::Userinfo => Ok(Params::default()),
            Endpoint::Token | Endpoint::Revoke | Endpoint::Introspect => read_params(&headers, body),
        };
        Self { class, endpoint, headers, params }
    }

    /// What the log says of it.
    pub fn call(&self) -> Call {
        if self.endpoint == Endpoint::Userinfo {
            return Call { token: self.bearer(), ..Call::default() };
        }
        let Ok(params) = &self.params else {
            return Call::default();
        };
        let client_id = credentials(&self.headers, params).ok().map(|credentials| credentials.client_id);
        let grant_type = params.get("grant_type").filter(|_| self.endpoint == Endpoint::Token);
        let exchanges = grant_type == Some("refresh_token");
        let presented = match self.endpoint {
            Endpoint::Token if exchanges => params.get("refresh_token"),
            Endpoint::Token => params.get("code"),
            Endpoint::Revoke | Endpoint::Introspect | Endpoint::Userinfo => params.get("token"),
        };
        Call { grant_type: grant_type.map(str::to_owned), client_id, token: presented.map(TokenId::of), exchanges }
    }

    /// The access token that was presented (RFC 6750 section 2.1).
    pub fn bearer(&self) -> Option<TokenId> {
        let (scheme, token) = self.headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| TokenId::of(token.trim()))
    }

    /// Lets it take effect.
    pub fn decide(mut self, state: &mut State, shared: &Shared) -> Decision {
        let params = std::mem::replace(&mut self.params, Ok(Params::default()));
        let decided = params.and_then(|params| match self.endpoint {
            Endpoint::Token => token::decide(state, shared, &self, &params),
            Endpoint::Revoke => revoke::decide(state, shared, &self, &params),
            Endpoint::Introspect => introspect::decide(state, shared, &self, &params),
            Endpoint::Userinfo => userinfo::decide(state, shared, &self),
        });
        decided.unwrap_or_else(Decision::from)
    }

    /// The id of the client that proved itself.
    pub fn authenticate(&self, state: &State, params: &Params) -> Result<String, OAuthError> {
        let credentials = credentials(&self.headers, params)?;
        if state.clients.authenticate(&credentials) {
            Ok(credentials.client_id)
        } else {
            Err(OAuthError::invalid_client("the client is unknown or its secret is wrong", credentials.basic))
        }
    }
}

/// The parameters of a POST, or what is wrong with them.
fn read_params(headers: &HeaderMap, body: Result<Bytes, Unreadable>) -> Result<Params, OAuthError> {
    let body = body.ok().filter(|body| body.len() <= LONGEST_BODY).ok_or(OAuthError::too_large())?;
    Params::from_body(headers, &body).map_err(|error| match error {
        ParamsError::ContentType => {
            OAuthError::invalid_request("the body must be application/x-www-form-urlencoded or application/json")
        }
        ParamsError::Json => OAuthError::invalid_request("the JSON body must be an object whose members are strings"),
        ParamsError::Repeated => OAuthError::invalid_request("a parameter is repeated"),
    })
}
