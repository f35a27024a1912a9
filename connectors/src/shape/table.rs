//! Every member of a manifest with its type. A test holds this table against [`crate::Manifest`] and the reference.

mod grants;
mod oauth1;
mod pasted;
mod signed_jwt;
mod two_step;
mod wire;

use super::{Field, Mode, Shape};

/// A manifest.
pub(crate) static MANIFEST: Shape = Shape::Record(&[
    needed("id", &Shape::Id, r#""x""#),
    needed("name", &Shape::Text, r#""x""#),
    member("description", &Shape::Text),
    member("docs_url", &Shape::Text),
    member("categories", &Shape::List(&Shape::Text)),
    member("provenance", &PROVENANCE),
    needed("auth", &AUTH, STAND_IN_AUTH),
    member("variables", &Shape::Map(&VARIABLE)),
    member("scopes", &TEXTS),
    member("api", &API),
]);

/// The least that reads as a manifest.
pub(super) const STAND_IN: &str = r#"{"id": "x", "name": "x", "auth": {"type": "oauth2", "grant": "client_credentials", "token_url": "https://x.example/"}}"#;
const STAND_IN_AUTH: &str = r#"{"type": "oauth2", "grant": "client_credentials", "token_url": "https://x.example/"}"#;

static PROVENANCE: Shape = Shape::Record(&[
    needed("sources", &Shape::Count, "1"),
    needed("confidence", &Shape::Word(&["documented", "agreed", "single"]), r#""single""#),
    needed("checked", &Shape::Text, r#""2026-01-01""#),
]);

static API: Shape = Shape::Record(&[
    needed("base_url", &Shape::Text, r#""https://x.example""#),
    member("headers", &TEXTS),
    member("query", &TEXTS),
    member("fields", &Shape::Map(&API_FIELD)),
]);

static API_FIELD: Shape = Shape::Record(&[
    needed("type", &Shape::Word(&["url", "host", "host_label", "path_segment"]), r#""url""#),
    member("suffixes", &Shape::List(&Shape::Text)),
]);

static TEXTS: Shape = Shape::Map(&Shape::Text);

static AUTH: Shape = Shape::OneOf(&[
    Mode { word: "oauth2", fields: OAUTH2 },
    Mode { word: "oauth1", fields: oauth1::OAUTH1 },
    Mode { word: "api_key", fields: pasted::API_KEY },
    Mode { word: "basic", fields: pasted::BASIC },
    Mode { word: "two_step", fields: two_step::TWO_STEP },
    Mode { word: "signed_jwt", fields: signed_jwt::SIGNED_JWT },
]);

static TYPE: Shape = Shape::Word(&["oauth2", "oauth1", "api_key", "basic", "two_step", "signed_jwt"]);

pub(crate) static OAUTH2: &[Field] = &[
    needed("type", &TYPE, r#""oauth2""#),
    needed(
        "grant",
        &Shape::Word(&[
            "authorization_code",
            "client_credentials",
            "device_code",
            "implicit",
            "password",
            "jwt_bearer",
            "saml2_bearer",
            "token_exchange",
        ]),
        r#""authorization_code""#,
    ),
    member("authorization_url", &Shape::Text),
    member("device_authorization_url", &Shape::Text),
    member("token_url", &Shape::Text),
    member("refresh_url", &Shape::Text),
    member("revocation_url", &Shape::Text),
    member("issuer", &Shape::Text),
    member("authorization_response_iss_parameter_supported", &Shape::Flag),
    member(
        "client_authentication",
        &Shape::Word(&[
            "client_secret_basic",
            "client_secret_post",
            "none",
            "client_secret_as_user",
            "client_secret_header",
            "private_key_jwt",
            "client_secret_jwt",
            "tls_client_auth",
            "self_signed_tls_client_auth",
        ]),
    ),
    member("token_body", &Shape::Word(&["form", "json", "query"])),
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
    member("authorization_request", &wire::AUTHORIZATION_REQUEST),
    member("token_request", &wire::TOKEN_REQUEST),
    member("refresh_request", &wire::REFRESH_REQUEST),
    member("client_assertion", &wire::CLIENT_ASSERTION),
    member("resource", &Shape::Text),
    member("pushed_authorization_request_url", &Shape::Text),
    member("dpop", &Shape::Flag),
    member("client_certificate", &Shape::Flag),
    member("client_id_header", &Shape::Text),
    member("client_secret_header", &Shape::Text),
    member("callback", &wire::CALLBACK),
    member("long_lived_exchange", &wire::LONG_LIVED_EXCHANGE),
    member("identity", &wire::IDENTITY),
    member("retry_hint", &wire::RETRY_HINT),
    member("discovery", &DISCOVERY),
    member("registration_url", &Shape::Text),
    member("credentials", &pasted::CREDENTIALS),
    member("username", &Shape::Text),
    member("password", &Shape::Text),
    member("assertion", &grants::ASSERTION),
    member("token_exchange", &grants::TOKEN_EXCHANGE),
];

static DISCOVERY: Shape = Shape::Record(&[
    member("issuer", &Shape::Text),
    member("url", &Shape::Text),
    member("protected_resource", &Shape::Text),
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
    member("ok_value", &Shape::Text),
    member("extra", &TEXTS),
    member("refresh_expires_in", &Shape::Text),
    member("error_detail", &Shape::Text),
    member("expires_in_unit", &Shape::Word(&["seconds", "milliseconds"])),
    member("expires_at", &Shape::Text),
    member("alternate", &Shape::Text),
    member("strip_prefix", &Shape::Text),
    member("further", &Shape::Map(&FURTHER)),
]);

static FURTHER: Shape = Shape::Record(&[
    needed("access_token", &Shape::Text, r#""/further/access_token""#),
    member("refresh_token", &Shape::Text),
    member("expires_in", &Shape::Text),
    member("scope", &Shape::Text),
]);

static VARIABLE: Shape = Shape::Record(&[
    needed("type", &Shape::Word(&["host_label", "domain", "host", "enum", "path_segment", "text"]), r#""host_label""#),
    needed("title", &Shape::Text, r#""x""#),
    member("description", &Shape::Text),
    member("values", &Shape::List(&Shape::Text)),
    member("suffix", &Shape::Text),
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
