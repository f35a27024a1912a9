//! The closed list of problem codes: the words that programs may rely on, each with its status and its page in the docs.
//!
//! Invariant: a code never changes its meaning or its status. `docs/errors.md` is written from this table.

use actix_web::http::StatusCode;

macro_rules! codes {
    ($($(#[doc = $meaning:literal])+ $name:ident = $word:literal, $status:ident, $title:literal, $way_out:literal;)*) => {
        /// A problem code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[doc = $meaning])+ $name,)* }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word in the member `code`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }

            /// The status that goes with it.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status),* }
            }

            /// A short text that is the same for every problem of the code.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title),* }
            }

            /// What it means.
            pub fn meaning(self) -> String {
                let lines: &[&str] = match self { $(Self::$name => &[$($meaning),+]),* };
                lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
            }

            /// What the caller can do.
            pub const fn way_out(self) -> &'static str {
                match self { $(Self::$name => $way_out),* }
            }
        }
    };
}

codes! {
    /// The request cannot be read: broken JSON, text that is not UTF-8, a header that is there twice.
    MalformedRequest = "malformed_request", BAD_REQUEST, "The request cannot be read",
        "Correct the request; `errors` says where reading stopped.";
    /// Members of the body, parameters of the query or header values are unknown, missing, of the wrong type or not allowed.
    InvalidRequest = "invalid_request", UNPROCESSABLE_ENTITY, "The request is not valid",
        "Correct every member that `errors` points at.";
    /// The manifest was read and breaks rules of the manifest language.
    InvalidManifest = "invalid_manifest", UNPROCESSABLE_ENTITY, "The manifest is not valid",
        "Correct every place that `errors` names; `POST /v1/connectors/validate` checks without registering.";
    /// There is no API key in the `Authorization` header, or it is mistyped, expired or revoked.
    Unauthorized = "unauthorized", UNAUTHORIZED, "An API key is needed",
        "Send `Authorization: Bearer <API key>`. Keys in the query or in the body are never read.";
    /// The API key is good and lacks the scope that the call needs.
    ForbiddenScope = "forbidden_scope", FORBIDDEN, "The API key may not do this",
        "Use a key with the scope that `detail` names.";
    /// There is no such thing in the environment of the API key. Things of other environments are answered alike.
    NotFound = "not_found", NOT_FOUND, "Not found",
        "Check the id, and whether the key belongs to the environment that you mean.";
    /// The path exists and does not know the method.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "The path does not know this method",
        "The header `Allow` lists the methods.";
    /// The name or the natural key is taken.
    AlreadyExists = "already_exists", CONFLICT, "It exists already",
        "Change the one that exists, or use another name.";
    /// Something else still needs what was to be deleted or changed.
    InUse = "in_use", CONFLICT, "It is in use",
        "`detail` says what stands in the way.";
    /// Somebody else changed it between reading and writing.
    Stale = "stale", CONFLICT, "It was changed in the meantime",
        "Read it again and repeat the change.";
    /// The customer has several connections at the app, so that the natural key does not name one.
    AmbiguousConnection = "ambiguous_connection", CONFLICT, "Several connections fit",
        "Ask for one of the connections in `connections` by its id.";
    /// The grant is gone, at the provider or because its tokens were lost. No retry brings it back.
    ConnectionNeedsReauth = "connection_needs_reauth", CONFLICT, "The customer has to connect again",
        "`POST /v1/connect-sessions` with the customer and this `connection`, and send the customer's browser to the `url` \
         of the answer: the same connection is repaired in place.";
    /// The customer has not consented yet, so there is no token.
    ConnectionPending = "connection_pending", CONFLICT, "The customer has not consented yet",
        "Send the customer to a connect link and ask again when its session is `completed`.";
    /// The connection was ended.
    ConnectionRevoked = "connection_revoked", CONFLICT, "The connection was ended",
        "Have the customer connect anew.";
    /// The connection is switched off by an admin or a guard. `reason` says by which.
    Held = "held", LOCKED, "The connection is switched off",
        "Have an admin switch it on again: `GET /v1/holds` shows what is switched off and why. After a restored backup the \
         customer can also connect again.";
    /// The stored credentials do not authenticate: somebody or something changed them. Nothing is sent or served.
    ConnectionQuarantined = "connection_quarantined", LOCKED, "The stored credentials do not authenticate",
        "Have an admin look into it; the customer can connect again.";
    /// The provider's tokens do not live long enough for the `min_ttl` that was asked for.
    MinTtlUnavailable = "min_ttl_unavailable", CONFLICT, "No token lives that long",
        "Ask for a smaller `min_ttl`; `detail` says what can be had.";
    /// The provider could not be reached or gave no usable answer. Nothing is lost, and it is tried again.
    ProviderUnavailable = "provider_unavailable", SERVICE_UNAVAILABLE, "The provider does not answer",
        "Ask again after `Retry-After` seconds.";
    /// The provider asks for fewer requests.
    ProviderThrottled = "provider_throttled", TOO_MANY_REQUESTS, "The provider asks to wait",
        "Ask again after `Retry-After` seconds.";
    /// The provider refuses the app's client (`invalid_client`), so that nothing can be refreshed.
    AppHeld = "app_held", SERVICE_UNAVAILABLE, "The provider refuses the app's client",
        "Have an admin check client id and secret of the app; it is tried again by itself.";
    /// The provider refused to grant a token to the app's client.
    GrantRefused = "grant_refused", UNPROCESSABLE_ENTITY, "The provider refused the grant",
        "Check client, scopes and variables; `detail` has the provider's error code.";
    /// The connect session is not waiting for this step: it is used, over or too late.
    SessionNotOpen = "session_not_open", CONFLICT, "The connect session is over",
        "Make a new connect session.";
    /// The completion code does not belong to this session and customer. The flow has ended for everybody.
    WrongFinisher = "wrong_finisher", FORBIDDEN, "Somebody else came back",
        "Make a new connect session for the customer who is signed in.";
    /// The connection was to be repaired, and the customer consented with another account at the provider. The grant was
    /// given back; the connection is as it was.
    AccountMismatch = "account_mismatch", CONFLICT, "Another account at the provider",
        "Make a new connect session, and have the customer sign in at the provider with the account that was connected; \
         to connect the other account in its place, leave `connection` out.";
    /// The provider did not turn the customer's consent into tokens.
    ExchangeFailed = "exchange_failed", BAD_GATEWAY, "The provider did not complete the connection",
        "Make a new connect session; `detail` has the provider's error code where it gave one.";
    /// The `Idempotency-Key` was used with another body before.
    IdempotencyMismatch = "idempotency_mismatch", UNPROCESSABLE_ENTITY, "The Idempotency-Key belongs to another request",
        "Use a fresh key for every new request.";
    /// A request of the same `Idempotency-Key` is being carried out.
    IdempotencyInFlight = "idempotency_in_flight", CONFLICT, "The same request is being carried out",
        "Ask again after `Retry-After` seconds: the first answer is replayed.";
    /// The body is larger than the service reads.
    PayloadTooLarge = "payload_too_large", PAYLOAD_TOO_LARGE, "The body is too large",
        "Send at most 1 MiB.";
    /// The body is not of a type that the call reads.
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "The body's type is not supported",
        "Send one of the types that `detail` names, without a content encoding.";
    /// The address is longer than the service reads.
    UriTooLong = "uri_too_long", URI_TOO_LONG, "The address is too long",
        "Send at most 16 KiB.";
    /// The header fields are larger than the service reads.
    HeadersTooLarge = "headers_too_large", REQUEST_HEADER_FIELDS_TOO_LARGE, "The header fields are too large",
        "Send at most 32 KiB.";
    /// The service cannot reach its database, or is stopping.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "The service is not available",
        "Ask again after `Retry-After` seconds.";
    /// Something that cannot be happened all the same. The service's log says more under the `request_id`.
    Internal = "internal", INTERNAL_SERVER_ERROR, "Something went wrong here",
        "Tell whoever runs the service the `request_id`.";
}

/// `docs/errors.md`.
pub fn errors_markdown() -> String {
    let mut page = String::from(
        "# Errors\n\nWritten by `cargo run -p mortise-openapi -- write` from the table in `server/src/problem/code.rs`.\n\n\
         Every error is a problem document (RFC 9457, `application/problem+json`) with `type`, `title`, `status`, `detail`,\n\
         `code` and `request_id`. `errors` lists what is wrong member by member: `pointer` (a JSON pointer into the body, or\n\
         `/` and the name of a parameter), `detail`, and for manifests `code`, `severity`, `line` and `column`. Programs\n\
         should look at `code`; wording may change.\n",
    );
    for code in Code::ALL {
        let (word, status) = (code.as_str(), code.status().as_u16());
        let (title, meaning, way_out) = (code.title(), code.meaning(), code.way_out());
        page += &format!("\n## {word}\n\n`{status}` · {title}\n\n{meaning}\n\n{way_out}\n");
    }
    page
}

/// The same as a page, for the addresses in the member `type`. Backticks become `<code>`.
pub(crate) fn errors_html() -> String {
    let mut sections = String::new();
    for code in Code::ALL {
        let (word, status) = (code.as_str(), code.status().as_u16());
        let (title, meaning, way_out) = (escaped(code.title()), escaped(&code.meaning()), escaped(code.way_out()));
        sections += &format!(
            "<section id=\"{word}\"><h2><code>{word}</code></h2><p>{status} · {title}</p><p>{meaning}</p><p>{way_out}</p></section>"
        );
    }
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Errors · Mortise</title></head><body><h1>Errors\
         </h1><p>Every error is a problem document (RFC 9457). Programs should look at its <code>code</code>.</p>{sections}\
         </body></html>"
    )
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let pieces = text.split('`').enumerate();
    pieces
        .map(|(index, piece)| if index % 2 == 1 { format!("<code>{piece}</code>") } else { piece.to_owned() })
        .collect()
}
