//! Who may call: an API key in the `Authorization` header (RFC 6750 section 2.1), and the scope that a route needs.
//!
//! Invariants: a route's access is part of its handler's type, so that a route without a scope or an explicit [`Public`]
//! does not compile; credentials in a query or a body are never read.

use crate::State;
use crate::problem::{Code, Problem, Result};
use actix_web::HttpRequest;
use actix_web::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use mortise_broker::Caller;
use mortise_domain::ApiScope;
use std::sync::Arc;

/// What a route asks of its callers.
pub(crate) trait Access: 'static {
    /// The scope; `None`: anybody may call.
    const SCOPE: Option<ApiScope>;
    /// Who called.
    type Caller: 'static;

    /// Lets the caller in.
    async fn admit(state: &State, request: &HttpRequest) -> Result<Self::Caller>;

    /// Who is accountable, if anybody.
    fn known(caller: &Self::Caller) -> Option<&Arc<Caller>>;
}

/// Anybody may call, and there is nothing of anybody's to see.
pub(crate) struct Public;

impl Access for Public {
    const SCOPE: Option<ApiScope> = None;
    type Caller = ();

    async fn admit(_: &State, _: &HttpRequest) -> Result<()> {
        Ok(())
    }

    fn known((): &()) -> Option<&Arc<Caller>> {
        None
    }
}

/// A scope as a type.
pub(crate) trait Scope: 'static {
    const SCOPE: ApiScope;
}

impl<S: Scope> Access for S {
    const SCOPE: Option<ApiScope> = Some(S::SCOPE);
    type Caller = Arc<Caller>;

    async fn admit(state: &State, request: &HttpRequest) -> Result<Arc<Caller>> {
        let caller = state.broker.authenticate(bearer(request)?).await?;
        caller.require(S::SCOPE)?;
        Ok(caller)
    }

    fn known(caller: &Arc<Caller>) -> Option<&Arc<Caller>> {
        Some(caller)
    }
}

macro_rules! scopes {
    ($($name:ident),* $(,)?) => {$(
        #[doc = concat!("`ApiScope::", stringify!($name), "` as a type.")]
        pub(crate) struct $name;

        impl Scope for $name {
            const SCOPE: ApiScope = ApiScope::$name;
        }
    )*};
}

scopes![
    ConnectorsRead,
    ConnectorsWrite,
    AppsRead,
    AppsWrite,
    CustomersRead,
    CustomersWrite,
    ConnectSessionsRead,
    ConnectSessionsWrite,
    ConnectionsRead,
    ConnectionsWrite,
    TokensRead,
    ApiKeysRead,
    ApiKeysWrite,
    HoldsRead,
    HoldsWrite,
    EnvironmentsRead,
    EnvironmentsWrite,
];

fn bearer(request: &HttpRequest) -> Result<&str> {
    let mut values = request.headers().get_all(AUTHORIZATION);
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(missing());
    };
    let (scheme, key) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(missing)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(key.trim_ascii()) } else { Err(missing()) }
}

/// No credentials: the challenge names no error (RFC 6750 section 3.1).
fn missing() -> Problem {
    let detail = "Send one header `Authorization: Bearer <API key>`.";
    Problem::new(Code::Unauthorized, detail).with_header(WWW_AUTHENTICATE, "Bearer realm=\"mortise\"")
}
