//! The members that say how requests and callbacks are written.

use super::{TEXTS, member, needed};
use crate::shape::Shape;

pub(super) static AUTHORIZATION_REQUEST: Shape = Shape::Record(&[
    member("names", &AUTHORIZATION_NAMES),
    member("omit", &Shape::List(&Shape::Word(&["redirect_uri", "response_type"]))),
    member("response_type", &Shape::Text),
    member("fragment", &Shape::Text),
    member("route", &Shape::Text),
]);

static AUTHORIZATION_NAMES: Shape = Shape::Record(&[
    member("client_id", &Shape::Text),
    member("redirect_uri", &Shape::Text),
    member("response_type", &Shape::Text),
    member("scope", &Shape::Text),
]);

pub(super) static TOKEN_REQUEST: Shape = Shape::Record(&[
    member("method", &METHOD),
    member("grant_type", &Shape::Text),
    member("names", &TOKEN_NAMES),
    member("omit", &Shape::List(&Shape::Word(&["client_assertion_type", "client_id", "grant_type", "redirect_uri"]))),
]);

static TOKEN_NAMES: Shape = Shape::Record(&[
    member("assertion", &Shape::Text),
    member("client_assertion", &Shape::Text),
    member("client_assertion_type", &Shape::Text),
    member("client_id", &Shape::Text),
    member("client_secret", &Shape::Text),
    member("code", &Shape::Text),
    member("code_verifier", &Shape::Text),
    member("grant_type", &Shape::Text),
    member("password", &Shape::Text),
    member("redirect_uri", &Shape::Text),
    member("scope", &Shape::Text),
    member("username", &Shape::Text),
]);

pub(super) static REFRESH_REQUEST: Shape = Shape::Record(&[
    member("method", &METHOD),
    member("grant_type", &Shape::Text),
    member("names", &REFRESH_NAMES),
    member(
        "omit",
        &Shape::List(&Shape::Word(&[
            "client_assertion",
            "client_assertion_type",
            "client_id",
            "client_secret",
            "grant_type",
        ])),
    ),
]);

static REFRESH_NAMES: Shape = Shape::Record(&[
    member("client_assertion", &Shape::Text),
    member("client_assertion_type", &Shape::Text),
    member("client_id", &Shape::Text),
    member("client_secret", &Shape::Text),
    member("grant_type", &Shape::Text),
    member("refresh_token", &Shape::Text),
]);

static METHOD: Shape = Shape::Word(&["POST", "GET"]);

pub(super) static CALLBACK: Shape = Shape::Record(&[
    member("code", &Shape::Text),
    member("keep", &TEXTS),
    member("expect", &TEXTS),
    member("hmac", &CALLBACK_HMAC),
]);

static CALLBACK_HMAC: Shape = Shape::Record(&[
    needed("parameter", &Shape::Text, r#""x""#),
    member("except", &Shape::List(&Shape::Text)),
    member("timestamp", &Shape::Text),
]);

pub(super) static LONG_LIVED_EXCHANGE: Shape = Shape::Record(&[
    needed("url", &Shape::Text, r#""https://x.example/""#),
    needed("grant_type", &Shape::Text, r#""x""#),
    needed("token_parameter", &Shape::Text, r#""x""#),
    member("method", &METHOD),
]);

pub(super) static IDENTITY: Shape = Shape::Record(&[
    needed("url", &Shape::Text, r#""https://x.example/""#),
    needed("fields", &TEXTS, r#"{"x": "/x"}"#),
]);

pub(super) static RETRY_HINT: Shape = Shape::Record(&[
    needed("header", &Shape::Text, r#""x""#),
    member("unit", &Shape::Word(&["seconds", "milliseconds", "unix_seconds"])),
]);

pub(super) static CLIENT_ASSERTION: Shape = Shape::Record(&[
    member("audience", &Shape::Text),
    member("issuer", &Shape::Text),
    member("algorithm", &super::grants::ALGORITHM),
    member("key_id", &Shape::Text),
    member("lifetime", &Shape::Whole),
]);
