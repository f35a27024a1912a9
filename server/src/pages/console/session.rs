//! Who is signed in. The cookie is sealed by the broker, which looks the key up anew for every page: a revoked key ends
//! its sessions.

use super::{Section, Shell};
use crate::State;
use crate::pages::{cookies, fault, guard, html};
use actix_web::cookie::{Cookie, SameSite};
use actix_web::{HttpRequest, HttpResponse};
use mortise_broker::{Caller, Error};

const COOKIE: &str = "mortise_console";
/// As long as the broker's seal.
const SECONDS: i64 = 8 * 3600;

/// Somebody who is signed in, on their way to a page.
pub(super) struct Visitor {
    pub(super) caller: Caller,
    pub(super) shell: Shell,
}

/// Who asks for this page of the console, or the way to the sign-in.
pub(super) async fn visitor(state: &State, request: &HttpRequest, here: Section) -> Result<Visitor, HttpResponse> {
    let to_sign_in = || html::see_other(state, "/console/sign-in");
    let Some(cookie) = brought(state, request) else { return Err(to_sign_in().finish()) };
    let caller = match state.broker.console_caller(cookie).await {
        Ok(caller) => caller,
        Err(Error::Unauthorized) => return Err(to_sign_in().cookie(ended(state)).finish()),
        Err(error) => return Err(fault::page(state, request, &error, None)),
    };
    let environment = match state.broker.own_environment(&caller).await {
        Ok(view) => Some(view.name.to_string()),
        Err(Error::ForbiddenScope(_)) => None,
        Err(error) => return Err(fault::page(state, request, &error, None)),
    };
    Ok(Visitor { caller, shell: Shell { environment, csrf: sign_out_token(cookie), here } })
}

/// The cookie that this browser brought.
pub(super) fn brought<'a>(state: &State, request: &'a HttpRequest) -> Option<&'a str> {
    cookies::one(request, &cookies::name(state, COOKIE))
}

/// The cookie of whoever has just signed in.
pub(super) fn begun(state: &State, value: String) -> Cookie<'static> {
    cookies::lasting(state, cookies::name(state, COOKIE), value, SameSite::Strict, SECONDS)
}

/// Takes the cookie back.
pub(super) fn ended(state: &State) -> Cookie<'static> {
    cookies::lasting(state, cookies::name(state, COOKIE), String::new(), SameSite::Strict, 0)
}

/// The token of the sign-out form.
pub(super) fn sign_out_token(cookie: &str) -> String {
    guard::derive(cookie, "sign out")
}
