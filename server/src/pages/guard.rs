//! Whether a form was sent by a page of ours in the same browser.
//!
//! Invariant: no form is acted upon unless all three say yes. `Sec-Fetch-Site`, where the browser sends it, must say that
//! the form stood on this very origin. `Origin`, where it names one, must name ours; pages with `Referrer-Policy:
//! no-referrer` make browsers send `null`, which says nothing either way. The form's token must fit the browser's form
//! cookie and the form's purpose, always: it alone decides when both headers are missing.

use super::cookies;
use crate::State;
use actix_web::HttpRequest;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header;
use mortise_broker::{same, sha256};
use mortise_domain::{OsEntropy, random_text};

const COOKIE: &str = "mortise_form";

/// The random value that a browser keeps and that its forms' tokens are derived from.
pub(super) struct FormKey {
    value: String,
    fresh: bool,
}

impl FormKey {
    /// The browser's, or a new one.
    pub(super) fn of(state: &State, request: &HttpRequest) -> Self {
        match Self::brought(state, request) {
            Some(value) => Self { value: value.to_owned(), fresh: false },
            None => Self { value: random_text::<32, String>(&OsEntropy), fresh: true },
        }
    }

    fn brought<'a>(state: &State, request: &'a HttpRequest) -> Option<&'a str> {
        let plain =
            |value: &&str| value.len() == 43 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        cookies::one(request, &cookies::name(state, COOKIE)).filter(plain)
    }

    /// The token for a form of this purpose.
    pub(super) fn token(&self, purpose: &str) -> String {
        derive(&self.value, purpose)
    }

    /// The cookie to set, if the browser has none yet.
    pub(super) fn cookie(&self, state: &State) -> Option<Cookie<'static>> {
        let cookie = || cookies::make(state, cookies::name(state, COOKIE), self.value.clone(), SameSite::Lax);
        self.fresh.then(cookie)
    }
}

/// Whether to act upon a form that brought this token for this purpose.
pub(super) fn is_ours(state: &State, request: &HttpRequest, token: Option<&str>, purpose: &str) -> bool {
    let right = FormKey::brought(state, request).map(|key| derive(key, purpose));
    same_origin(state, request) && matches_token(right.as_deref(), token)
}

/// The token that is derived from a cookie which is a secret of its own, such as the console's.
pub(super) fn derive(secret: &str, purpose: &str) -> String {
    let length = secret.len().to_be_bytes();
    let parts = [b"mortise form token\0".as_slice(), &length, secret.as_bytes(), purpose.as_bytes()];
    hex::encode(sha256(parts.concat()))
}

/// Compares digests of both, so that the time it takes tells nothing about the right one.
pub(super) fn matches_token(right: Option<&str>, given: Option<&str>) -> bool {
    match (right, given) {
        (Some(right), Some(given)) => same(&sha256(right), &sha256(given)),
        _ => false,
    }
}

/// What the browser itself says about where the form stood.
pub(super) fn same_origin(state: &State, request: &HttpRequest) -> bool {
    let text = |name: header::HeaderName| {
        let mut values = request.headers().get_all(name);
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => value.to_str().map(Some).map_err(drop),
            (Some(_), Some(_)) => Err(()),
        }
    };
    let site = text(header::HeaderName::from_static("sec-fetch-site"));
    let origin = text(header::ORIGIN);
    let ours = state.broker.config().public_url.origin().ascii_serialization();
    matches!(site, Ok(None | Some("same-origin"))) && origin.is_ok_and(|o| o.is_none_or(|o| o == "null" || o == ours))
}
