//! What went wrong, in the words of whoever stands in front of the page: one map, without a catch-all, so that a new fault
//! needs its own words before it compiles.

use super::html;
use super::notice::{Notice, Tone};
use crate::State;
use crate::telemetry::RequestId;
use actix_web::http::StatusCode;
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use mortise_broker::{ConnectFault, Error, FailureClass};
use std::error::Error as _;

const AGAIN: &str = "Try again";
const TELL: &str = "Try again. If it happens twice, tell the people who sent you the link.";

/// The page for an error on a customer's way. `again` is the consent page, where another try is possible.
pub(super) fn page(state: &State, request: &HttpRequest, error: &Error, again: Option<String>) -> HttpResponse {
    let (status, notice) = explain(error);
    let notice = match again.filter(|_| can_try_again(error)) {
        Some(link) => notice.with_action(link, AGAIN),
        None => notice,
    };
    html::notice(state, status, &with_request_id(request, error, status, notice))
}

/// A failure of ours is logged in full, and the page names the entry.
pub(super) fn with_request_id(request: &HttpRequest, error: &Error, status: StatusCode, notice: Notice) -> Notice {
    if status != StatusCode::INTERNAL_SERVER_ERROR {
        return notice;
    }
    let source = error.source().map(ToString::to_string);
    tracing::error!(%error, source, "a page failed");
    match request.extensions().get::<RequestId>() {
        Some(id) => notice.with_detail("Reference", id.to_string()),
        None => notice,
    }
}

/// The status and the words for an error.
pub(super) fn explain(error: &Error) -> (StatusCode, Notice) {
    match error {
        Error::Connect(fault) => connect_fault(fault),
        Error::NotFound(what) => (
            StatusCode::NOT_FOUND,
            Notice::new(
                Tone::Calm,
                "This is gone",
                &format!("There is no {what} here any more, or there never was."),
                "Go back to where you came from and start again.",
            ),
        ),
        Error::NotConnected { .. } => (
            StatusCode::NOT_FOUND,
            Notice::new(Tone::Calm, "Not connected yet", "This connection does not exist yet.", "Connect it first."),
        ),
        Error::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, busy()),
        Error::ProviderUnavailable { class, .. } => (StatusCode::BAD_GATEWAY, exchange(*class, None)),
        Error::ProviderThrottled { .. } => (StatusCode::BAD_GATEWAY, exchange(FailureClass::Throttled, None)),
        Error::AppHeld { .. } => (StatusCode::BAD_GATEWAY, exchange(FailureClass::AppMisconfigured, None)),
        Error::GrantRefused { error } => {
            (StatusCode::BAD_GATEWAY, exchange(FailureClass::GrantRejected, error.as_deref()))
        }
        Error::Unauthorized | Error::ForbiddenScope(_) => (
            StatusCode::FORBIDDEN,
            Notice::new(Tone::Bad, "You cannot see this", &sentence(error), "Sign in with a key that may see it."),
        ),
        Error::Invalid(_)
        | Error::InvalidManifest(_)
        | Error::Exists(_)
        | Error::InUse { .. }
        | Error::Stale(_)
        | Error::Ambiguous(_)
        | Error::Unusable(_)
        | Error::MinTtlUnavailable { .. } => (
            StatusCode::BAD_REQUEST,
            Notice::new(
                Tone::Bad,
                "That did not work",
                &sentence(error),
                "Go back to where you came from and start again.",
            ),
        ),
        Error::Internal(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            Notice::new(
                Tone::Bad,
                "Something went wrong here",
                "This was our fault, and it has been noted down.",
                "Try again in a few minutes. If it does not help, pass the reference below on to the people who sent you the \
                 link.",
            ),
        ),
    }
}

fn busy() -> Notice {
    let message = "The service cannot reach its own data for a moment. Nothing is lost.";
    Notice::new(Tone::Bad, "We will be right back", message, "Try again in a minute.")
}

fn connect_fault(fault: &ConnectFault) -> (StatusCode, Notice) {
    let calm = |title, message, advice| Notice::new(Tone::Calm, title, message, advice);
    let bad = |title, message, advice| Notice::new(Tone::Bad, title, message, advice);
    match fault {
        ConnectFault::UnknownLink => (
            StatusCode::NOT_FOUND,
            calm(
                "This link is not valid",
                "Perhaps part of it was lost when it was copied.",
                "Open it again where you found it. If that does not help, ask the people who sent it for a new one.",
            ),
        ),
        ConnectFault::LinkExpired => (
            StatusCode::GONE,
            calm(
                "This link has expired",
                "For your safety, a link works only for a short time.",
                "Go back to the app that sent you here and start again: you will get a new one.",
            ),
        ),
        ConnectFault::LinkUsed => (
            StatusCode::GONE,
            calm(
                "This link was used already",
                "Each link works once. If you have just connected, everything is done.",
                "To connect something else, go back to the app that sent you here: you will get a new link.",
            ),
        ),
        ConnectFault::Fields(_) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            bad(
                "Some fields need another look",
                "What was filled in does not fit.",
                "Open the page again and correct it.",
            ),
        ),
        ConnectFault::StaleState => (
            StatusCode::GONE,
            calm(
                "This step is over",
                "The provider's answer came too late, or it was used already. That happens when a page is loaded again, or \
                 after going back in the browser.",
                "If you have just connected, everything is done. Otherwise start again from the app that sent you here.",
            ),
        ),
        ConnectFault::OtherBrowser => (
            StatusCode::FORBIDDEN,
            bad(
                "This was started in another browser",
                "The answer does not belong to a connection that was started here, or your browser refused our cookie. We \
                 stopped, so that nobody can connect an account in your place.",
                "Go on in the browser and window in which you started, or start again here from the app that sent you.",
            ),
        ),
        ConnectFault::MixedUp => (
            StatusCode::BAD_REQUEST,
            bad(
                "This answer came from somewhere else",
                "It does not come from the provider that was asked, so we stopped. Nothing was connected.",
                TELL,
            ),
        ),
        ConnectFault::Malformed(why) => (
            StatusCode::BAD_REQUEST,
            bad(
                "The answer could not be read",
                "What came back is not what a provider should send. Nothing was connected.",
                TELL,
            )
            .with_detail("Details", *why),
        ),
        ConnectFault::Denied => (
            StatusCode::FORBIDDEN,
            calm(
                "Nothing was connected",
                "You said no, or closed the request at the provider. Nothing was shared.",
                "Changed your mind? Try again. Otherwise you can close this window.",
            ),
        ),
        ConnectFault::Provider { code } => (StatusCode::BAD_GATEWAY, provider(code)),
        ConnectFault::Exchange { class, code } => (StatusCode::BAD_GATEWAY, exchange(*class, code.as_deref())),
        ConnectFault::OtherAccount => (
            StatusCode::CONFLICT,
            bad(
                "That was another account",
                "You signed in at the provider with another account than the one that was connected. Nothing was changed, \
                 and what you allowed was given back.",
                "Try again, signed in there with the account that you connected before.",
            ),
        ),
        ConnectFault::WrongFinisher => (
            StatusCode::FORBIDDEN,
            bad(
                "Somebody else came back",
                "The person who finished is not the one who started, so we stopped. Nothing was connected.",
                "Start again from the app that sent you here, signed in as yourself.",
            ),
        ),
    }
}

/// The error codes of RFC 6749 section 4.1.2.1 in plain words. The provider's own text is never shown.
fn provider(code: &str) -> Notice {
    let (message, advice) = match code {
        "temporarily_unavailable" | "server_error" => {
            ("The provider has a problem of its own right now. Nothing was connected.", "Try again in a few minutes.")
        }
        _ => ("The provider did not accept the request. Nothing was connected.", TELL),
    };
    Notice::new(Tone::Bad, "The provider reports a problem", message, advice).with_detail("Error code", code)
}

fn exchange(class: FailureClass, code: Option<&str>) -> Notice {
    let later = "Try again in a few minutes.";
    let (message, advice) = match class {
        FailureClass::NotSent => {
            ("You said yes, but the provider could not be reached to finish. Nothing was connected.", later)
        }
        FailureClass::Ambiguous => {
            ("You said yes, but the provider gave no usable answer. Nothing was connected.", later)
        }
        FailureClass::Throttled => {
            ("You said yes, but the provider is too busy to finish. Nothing was connected.", later)
        }
        FailureClass::AppMisconfigured => (
            "You said yes, but the provider does not recognise the app that asked. Nothing was connected.",
            "You did nothing wrong: tell the people who sent you the link.",
        ),
        FailureClass::GrantRejected => {
            ("Your permission was not accepted in the end, perhaps because it took too long.", TELL)
        }
        FailureClass::Unknown => ("The provider did not finish the connection, and did not say why.", TELL),
    };
    let notice = Notice::new(Tone::Bad, "The connection was not completed", message, advice);
    match code {
        Some(code) => notice.with_detail("Error code", code),
        None => notice,
    }
}

/// Whether the consent page could end in anything else.
fn can_try_again(error: &Error) -> bool {
    !matches!(error, Error::Connect(ConnectFault::UnknownLink | ConnectFault::LinkExpired | ConnectFault::LinkUsed))
}

/// An error's own words as a sentence, for readers who know what an API key is.
fn sentence(error: &Error) -> String {
    let text = match error {
        Error::Invalid(faults) => faults.iter().map(|f| f.detail.clone()).collect::<Vec<_>>().join(". "),
        other => other.to_string(),
    };
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

#[cfg(test)]
mod tests;
