//! From what the use cases say to problem documents: one map, without a catch-all, so that a new error needs its own code
//! before it compiles.

use super::{Cause, Code, Item, Problem};
use actix_web::http::header::WWW_AUTHENTICATE;
use mortise_broker::{ConnectFault, Diagnostic, Error, Fault, Unusable};
use std::time::Duration;

/// When to ask again where nothing better is known.
const SOON: Duration = Duration::from_secs(1);

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(faults) => invalid(faults),
            Error::InvalidManifest(diagnostics) => {
                let items = diagnostics.into_iter().map(Item::from).collect();
                Self::new(Code::InvalidManifest, Code::InvalidManifest.way_out()).with_errors(items)
            }
            Error::Unauthorized => unauthorized(&error),
            Error::ForbiddenScope(scope) => {
                // RFC 6750 section 3.1.
                let challenge = format!("Bearer realm=\"mortise\", error=\"insufficient_scope\", scope=\"{scope}\"");
                plain(Code::ForbiddenScope, &error).with_header(WWW_AUTHENTICATE, challenge)
            }
            Error::NotFound(_) | Error::NotConnected { .. } => plain(Code::NotFound, &error),
            Error::Exists(what) => {
                Self::new(Code::AlreadyExists, format!("{}{}.", sentence(&error), instead_of_another(what)))
            }
            Error::InUse { .. } => plain(Code::InUse, &error),
            Error::Stale(_) => plain(Code::Stale, &error),
            Error::Ambiguous(ref connections) => {
                let mut problem = plain(Code::AmbiguousConnection, &error);
                problem.0.connections.clone_from(connections);
                problem
            }
            Error::Unusable(unusable) => from_unusable(&unusable),
            Error::MinTtlUnavailable { .. } => plain(Code::MinTtlUnavailable, &error),
            Error::ProviderUnavailable { retry_after, .. } => {
                let detail = "The provider could not be reached or gave no usable answer. Nothing is lost, and it is tried again.";
                Self::new(Code::ProviderUnavailable, detail).with_retry_after(retry_after)
            }
            Error::ProviderThrottled { retry_after } => {
                plain(Code::ProviderThrottled, &error).with_retry_after(retry_after)
            }
            Error::AppHeld { retry_after, .. } => plain(Code::AppHeld, &error).with_retry_after(retry_after),
            Error::GrantRefused { .. } => plain(Code::GrantRefused, &error),
            Error::Connect(fault) => from_connect(fault),
            Error::Unavailable(_) => {
                let detail = "The service cannot reach its database just now.";
                let mut problem = Self::new(Code::Unavailable, detail).with_retry_after(SOON);
                problem.0.cause = Some(Cause::Broker(error));
                problem
            }
            Error::Internal(_) => Self::internal(Cause::Broker(error)),
        }
    }
}

/// The call that was probably meant.
fn instead_of_another(what: &str) -> &'static str {
    match what {
        "connector" => ": `PUT /v1/connectors/{id}` registers a new version of it",
        "app" => ": `PUT /v1/apps/{id}` changes it",
        _ => "",
    }
}

fn unauthorized(error: &Error) -> Problem {
    let challenge = "Bearer realm=\"mortise\", error=\"invalid_token\"";
    plain(Code::Unauthorized, error).with_header(WWW_AUTHENTICATE, challenge)
}

fn from_unusable(unusable: &Unusable) -> Problem {
    let (code, connection, reason) = match unusable {
        Unusable::NeedsReauth { connection, reason } => {
            (Code::ConnectionNeedsReauth, Some(*connection), Some(reason.as_str()))
        }
        Unusable::Pending { connection } => (Code::ConnectionPending, Some(*connection), None),
        Unusable::Held { reason } => (Code::Held, None, Some(reason.as_str())),
        Unusable::Quarantined => (Code::ConnectionQuarantined, None, None),
        Unusable::Revoked { reason } => (Code::ConnectionRevoked, None, Some(reason.as_str())),
    };
    let mut problem = plain(code, unusable);
    (problem.0.connection, problem.0.reason) = (connection, reason);
    problem
}

fn from_connect(fault: ConnectFault) -> Problem {
    match fault {
        ConnectFault::UnknownLink => plain(Code::NotFound, &fault),
        ConnectFault::LinkExpired | ConnectFault::LinkUsed | ConnectFault::StaleState => {
            plain(Code::SessionNotOpen, &fault)
        }
        ConnectFault::Fields(faults) => invalid(faults),
        ConnectFault::OtherBrowser | ConnectFault::MixedUp | ConnectFault::Malformed(_) => {
            plain(Code::MalformedRequest, &fault)
        }
        ConnectFault::WrongFinisher => plain(Code::WrongFinisher, &fault),
        ConnectFault::OtherAccount => plain(Code::AccountMismatch, &fault),
        ConnectFault::Denied => plain(Code::ExchangeFailed, &fault),
        ConnectFault::Provider { ref code } | ConnectFault::Exchange { code: Some(ref code), .. } => {
            Problem::new(Code::ExchangeFailed, format!("{} (`{code}`).", sentence(&fault)))
        }
        ConnectFault::Exchange { code: None, .. } => plain(Code::ExchangeFailed, &fault),
    }
}

fn invalid(faults: Vec<Fault>) -> Problem {
    let item = |fault: Fault| Item { pointer: fault.pointer, detail: fault.detail, ..Item::default() };
    let items = faults.into_iter().map(item).collect();
    Problem::new(Code::InvalidRequest, Code::InvalidRequest.way_out()).with_errors(items)
}

/// The error's own words, as a sentence.
fn plain(code: Code, error: &dyn std::fmt::Display) -> Problem {
    Problem::new(code, format!("{}.", sentence(error)))
}

fn sentence(error: &dyn std::fmt::Display) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

impl From<Diagnostic> for Item {
    fn from(diagnostic: Diagnostic) -> Self {
        let Diagnostic { severity, code, message, path, line, column } = diagnostic;
        Self { pointer: path, detail: message, code: Some(code), severity: Some(severity.as_str()), line, column }
    }
}
