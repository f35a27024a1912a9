//! The members of `auth` for OAuth 1.0.

use super::super::{Field, Shape};
use super::{TEXTS, TYPE, member, needed};

pub(super) static OAUTH1: &[Field] = &[
    needed("type", &TYPE, r#""oauth1""#),
    needed("request_token_url", &Shape::Text, r#""https://x.example/""#),
    needed("authorization_url", &Shape::Text, r#""https://x.example/""#),
    needed("token_url", &Shape::Text, r#""https://x.example/""#),
    member("signature_method", &Shape::Word(&["HMAC-SHA1", "HMAC-SHA256", "PLAINTEXT"])),
    member("realm", &Shape::Text),
    member("request_token_params", &TEXTS),
    member("authorization_params", &TEXTS),
    member("token_response", &TOKEN_RESPONSE),
];

static TOKEN_RESPONSE: Shape = Shape::Record(&[member("extra", &TEXTS)]);
