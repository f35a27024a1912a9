//! The members of `auth` where customers paste credentials.

use super::super::{Field, Shape};
use super::{TYPE, member, needed};

pub(super) static API_KEY: &[Field] = &[
    needed("type", &TYPE, r#""api_key""#),
    needed("credentials", &CREDENTIALS, r#"{"x": {"type": "secret", "title": "x"}}"#),
    member("key", &Shape::Text),
    member("verification", &VERIFICATION),
];

pub(super) static BASIC: &[Field] = &[
    needed("type", &TYPE, r#""basic""#),
    member("credentials", &CREDENTIALS),
    member("username", &Shape::Text),
    member("password", &Shape::Text),
    member("verification", &VERIFICATION),
];

pub(super) static CREDENTIALS: Shape = Shape::Map(&CREDENTIAL);

static CREDENTIAL: Shape = Shape::Record(&[
    needed("type", &Shape::Word(&["text", "secret", "document"]), r#""secret""#),
    needed("title", &Shape::Text, r#""x""#),
    member("description", &Shape::Text),
    member("pattern", &Shape::Text),
    member("example", &Shape::Text),
]);

pub(super) static VERIFICATION: Shape = Shape::Record(&[
    member("method", &Shape::Word(&["GET", "POST"])),
    needed("url", &Shape::Text, r#""https://x.example/""#),
    member("status", &Shape::List(&Shape::Count)),
]);
