//! The members of the grants that take something from the customer to the token endpoint.

use super::{TEXTS, member, needed};
use crate::shape::Shape;

pub(super) static ASSERTION: Shape = Shape::Record(&[
    needed("issuer", &Shape::Text, r#""x""#),
    member("subject", &Shape::Text),
    member("audience", &Shape::Text),
    member("lifetime", &Shape::Whole),
    member("claims", &TEXTS),
    member("scope_claim", &Shape::Text),
    member("algorithm", &ALGORITHM),
    member("key_id", &Shape::Text),
    member("key", &Shape::Text),
]);

pub(super) static TOKEN_EXCHANGE: Shape = Shape::Record(&[
    member("subject_token", &Shape::Text),
    member("subject_token_type", &Shape::Text),
    member("actor_token", &Shape::Text),
    member("actor_token_type", &Shape::Text),
    member("requested_token_type", &Shape::Text),
    member("audience", &Shape::Text),
]);

/// RFC 7518 section 3.1 and RFC 8037 section 3.1.
pub(super) static ALGORITHM: Shape = Shape::Word(&[
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA",
]);
