//! The members of `auth` where credentials are changed for a token.

use super::super::{Field, Shape};
use super::pasted::CREDENTIALS;
use super::wire::RETRY_HINT;
use super::{CODES, RATE, TEXTS, TYPE, member, needed};

pub(super) static TWO_STEP: &[Field] = &[
    needed("type", &TYPE, r#""two_step""#),
    needed("credentials", &CREDENTIALS, r#"{"x": {"type": "secret", "title": "x"}}"#),
    needed("steps", &STEPS, r#"[{"url": "https://x.example/"}]"#),
    member("token_response", &LOGIN_RESPONSE),
    member("refresh", &STEPS),
    member("recovery_class", &Shape::Word(&["N", "M", "G", "U", "S", "F"])),
    member("revocation", &ENDING),
    member("default_lifetime", &Shape::Whole),
    member("refresh_margin", &Shape::Whole),
    member("kills_prior_access_token", &Shape::Flag),
    member("refresh_errors", &ERRORS),
    member("mint_rate", &RATE),
    member("rate_limit", &RATE),
    member("concurrency", &Shape::Count),
    member("retry_hint", &RETRY_HINT),
];

static STEPS: Shape = Shape::List(&STEP);

const METHOD: Field = member("method", &Shape::Word(&["POST", "GET"]));
const URL: Field = needed("url", &Shape::Text, r#""https://x.example/""#);
const HEADERS: Field = member("headers", &TEXTS);
const AS_USER: Field = member("basic", &BASIC);
const BODY: Field = member("body", &Shape::Word(&["form", "json", "query", "xml"]));
const PARAMS: Field = member("params", &TEXTS);
const LITERALS: Field = member("literals", &TEXTS);
const XML: Field = member("xml", &Shape::Text);

static STEP: Shape =
    Shape::Record(&[METHOD, URL, HEADERS, AS_USER, BODY, PARAMS, LITERALS, XML, member("take", &TEXTS)]);

/// The same with nothing after it that could use what it tells.
static ENDING: Shape = Shape::Record(&[METHOD, URL, HEADERS, AS_USER, BODY, PARAMS, LITERALS, XML]);

static BASIC: Shape = Shape::Record(&[
    needed("username", &Shape::Text, r#""x""#),
    needed("password", &Shape::Text, r#""x""#),
    member("scheme", &Shape::Text),
]);

static ERRORS: Shape =
    Shape::Record(&[member("permanent", &CODES), member("transient", &CODES), member("throttled", &CODES)]);

static LOGIN_RESPONSE: Shape = Shape::Record(&[
    member("access_token", &Shape::Text),
    member("refresh_token", &Shape::Text),
    member("expires_in", &Shape::Text),
    member("expires_in_unit", &Shape::Word(&["seconds", "milliseconds"])),
    member("expires_at", &Shape::Text),
    member("refresh_expires_in", &Shape::Text),
    member("error", &Shape::Text),
    member("error_detail", &Shape::Text),
    member("ok", &Shape::Text),
    member("extra", &TEXTS),
    member("strip_prefix", &Shape::Text),
]);
