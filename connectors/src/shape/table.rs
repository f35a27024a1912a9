//! Every member of a manifest with its type. A test holds this table against [`crate::Manifest`] and the reference.

use super::{Field, Shape};

/// A manifest.
pub(crate) static MANIFEST: Shape = Shape::Record(&[
    needed("id", &Shape::Id, r#""x""#),
    needed("name", &Shape::Text, r#""x""#),
    member("description", &Shape::Text),
    member("docs_url", &Shape::Text),
    needed("auth", &AUTH, STAND_IN_AUTH),
    member("variables", &Shape::Map(&VARIABLE)),
    member("scopes", &TEXTS),
    member("api", &Shape::Record(&[needed("base_url", &Shape::Text, r#""https://x.example""#)])),
]);

/// The least that reads as a manifest.
pub(super) const STAND_IN: &str = r#"{"id": "x", "name": "x", "auth": {"type": "oauth2", "grant": "client_credentials", "token_url": "https://x.example/"}}"#;
const STAND_IN_AUTH: &str = r#"{"type": "oauth2", "grant": "client_credentials", "token_url": "https://x.example/"}"#;

static TEXTS: Shape = Shape::Map(&Shape::Text);

static AUTH: Shape = Shape::Record(&[
    needed("type", &Shape::Word(&["oauth2"]), r#""oauth2""#),
    needed("grant", &Shape::Word(&["authorization_code", "client_credentials"]), r#""authorization_code""#),
    member("authorization_url", &Shape::Text),
    needed("token_url", &Shape::Text, r#""https://x.example/""#),
    member("refresh_url", &Shape::Text),
    member("revocation_url", &Shape::Text),
    member("issuer", &Shape::Text),
    member("authorization_response_iss_parameter_supported", &Shape::Flag),
    member("client_authentication", &Shape::Word(&["client_secret_basic", "client_secret_post", "none"])),
    member("token_body", &Shape::Word(&["form", "json"])),
    member("scope_separator", &Shape::Text),
    member("default_scopes", &Shape::List(&Shape::Text)),
    member("authorization_params", &TEXTS),
    member("token_params", &TEXTS),
    member("refresh_params", &TEXTS),
    member("token_headers", &TEXTS),
    member("pkce_disabled_reason", &Shape::Text),
    member("token_response", &TOKEN_RESPONSE),
    member("default_lifetime", &Shape::Whole),
    member("refresh_margin", &Shape::Whole),
    member("recovery_class", &Shape::Word(&["N", "M", "G", "U", "S", "F"])),
    member("grace", &Shape::Whole),
    member("kills_prior_access_token", &Shape::Flag),
    member("refresh_window", &Shape::Whole),
    member("idle_limit", &Shape::Whole),
    member("absolute_limit", &Shape::Whole),
    member("max_live", &Shape::Count),
    member("mint_rate", &RATE),
    member("reuse_penalty", &Shape::Flag),
    member("rate_limit", &RATE),
    member("concurrency", &Shape::Count),
    member("introspection_url", &Shape::Text),
    member("refresh_errors", &REFRESH_ERRORS),
]);

static RATE: Shape = Shape::Record(&[needed("requests", &Shape::Count, "1"), needed("seconds", &Shape::Whole, "1")]);

static REFRESH_ERRORS: Shape = Shape::Record(&[
    member("permanent", &CODES),
    member("transient", &CODES),
    member("throttled", &CODES),
    member("app", &CODES),
]);

static CODES: Shape = Shape::List(&Shape::Text);

static TOKEN_RESPONSE: Shape = Shape::Record(&[
    member("access_token", &Shape::Text),
    member("token_type", &Shape::Text),
    member("token_type_optional", &Shape::Flag),
    member("refresh_token", &Shape::Text),
    member("expires_in", &Shape::Text),
    member("scope", &Shape::Text),
    member("error", &Shape::Text),
    member("ok", &Shape::Text),
    member("extra", &TEXTS),
    member("refresh_expires_in", &Shape::Text),
    member("error_detail", &Shape::Text),
]);

static VARIABLE: Shape = Shape::Record(&[
    needed("type", &Shape::Word(&["host_label", "enum", "path_segment"]), r#""host_label""#),
    needed("title", &Shape::Text, r#""x""#),
    member("description", &Shape::Text),
    member("values", &Shape::List(&Shape::Text)),
    member("default", &Shape::Text),
]);

/// A member that may be left out.
const fn member(name: &'static str, shape: &'static Shape) -> Field {
    Field { name, shape, stand_in: None }
}

/// A member that every manifest has.
const fn needed(name: &'static str, shape: &'static Shape, stand_in: &'static str) -> Field {
    Field { name, shape, stand_in: Some(stand_in) }
}
