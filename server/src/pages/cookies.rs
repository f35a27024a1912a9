//! Cookies: read one by one, so that a neighbour's broken cookie spoils nothing, and written with every attribute that
//! the connection allows.

use crate::State;
use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header;

/// Every cookie of a request in its order, as name and value.
pub(super) fn all(request: &HttpRequest) -> impl Iterator<Item = (&str, &str)> {
    let headers = request.headers().get_all(header::COOKIE).filter_map(|value| value.to_str().ok());
    headers.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='))
}

/// The one cookie of this name. Two of a name mean that somebody planted one: neither is believed.
pub(super) fn one<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    let mut found = all(request).filter(|(key, _)| *key == name).map(|(_, value)| value);
    match (found.next(), found.next()) {
        (Some(value), None) => Some(value),
        _ => None,
    }
}

/// A cookie's name, with the prefix that pins it to this host where the connection is encrypted.
pub(super) fn name(state: &State, plain: &str) -> String {
    let prefix = if state.broker.config().secure_cookies() { "__Host-" } else { "" };
    format!("{prefix}{plain}")
}

/// A cookie that no script can read. `name` has its prefix already.
pub(super) fn make(state: &State, name: String, value: String, same_site: SameSite) -> Cookie<'static> {
    Cookie::build(name, value)
        .path("/")
        .http_only(true)
        .secure(state.broker.config().secure_cookies())
        .same_site(same_site)
        .finish()
}

/// The same for so many seconds; `0` takes it back.
pub(super) fn lasting(
    state: &State,
    name: String,
    value: String,
    same_site: SameSite,
    seconds: i64,
) -> Cookie<'static> {
    let mut cookie = make(state, name, value, same_site);
    cookie.set_max_age(Duration::seconds(seconds));
    cookie
}
