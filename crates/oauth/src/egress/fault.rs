//! From an error of the HTTP library to what it proves about the request.

use crate::{EgressRefusal, SendError};
use std::error::Error;

/// What `error` proves. What is not known to precede the first byte counts as sent.
pub(super) fn send_error(error: reqwest::Error) -> SendError {
    let error = error.without_url();
    let fault = judge(&error);
    tracing::debug!(%fault, causes = ?causes(&error).map(ToString::to_string).collect::<Vec<_>>(), "a request failed");
    fault
}

fn judge(error: &reqwest::Error) -> SendError {
    if let Some(refusal) = causes(error).find_map(|cause| cause.downcast_ref::<EgressRefusal>()) {
        return refusal.clone().into();
    }
    if error.is_builder() {
        return EgressRefusal::Url.into();
    }
    if !error.is_connect() {
        return if error.is_timeout() { SendError::Timeout } else { SendError::Broken };
    }
    if error.is_dns() {
        SendError::Dns
    } else if causes(error).any(|cause| cause.is::<rustls::Error>()) {
        SendError::Tls
    } else {
        SendError::Connect
    }
}

/// The error and what caused it. An `io::Error` names its inner error's cause and passes over the inner error itself.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| cause(error))
}

fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}
