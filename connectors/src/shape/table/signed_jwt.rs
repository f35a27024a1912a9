//! The members of `auth` where the customer's key signs tokens.

use super::super::{Field, Shape};
use super::pasted::{CREDENTIALS, VERIFICATION};
use super::{TEXTS, TYPE, grants, member, needed};

pub(super) static SIGNED_JWT: &[Field] = &[
    needed("type", &TYPE, r#""signed_jwt""#),
    needed("credentials", &CREDENTIALS, r#"{"x": {"type": "secret", "title": "x"}}"#),
    needed("jwt", &JWT, r#"{"algorithm": "RS256"}"#),
    member("verification", &VERIFICATION),
];

static JWT: Shape = Shape::Record(&[
    needed("algorithm", &grants::ALGORITHM, r#""RS256""#),
    member("key", &Shape::Text),
    member("key_encoding", &Shape::Word(&["text", "hex", "base64"])),
    member("key_id", &Shape::Text),
    member("issuer", &Shape::Text),
    member("subject", &Shape::Text),
    member("audience", &Shape::Text),
    member("claims", &TEXTS),
    member("lifetime", &Shape::Whole),
]);
