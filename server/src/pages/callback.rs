//! The provider's way back. The one `GET` that changes something: it consumes the flow's single-use state, and nothing
//! happens without the flow's cookie.
//!
//! Whatever comes out well goes on to an address without `code` and `state`; a fault's page takes them out of the address
//! bar. No text of the provider's is shown but its sanitised error code.

use super::cookies;
use super::{fault, html};
use crate::State;
use actix_web::cookie::SameSite;
use actix_web::{HttpRequest, HttpResponse, web};
use mortise_broker::{CallbackOutcome, CallbackQuery, ConnectFault, Error};
use mortise_domain::FlowCookie;
use url::form_urlencoded;

/// No honest answer is longer: codes of some providers reach 2 KiB.
const LONGEST_QUERY: usize = 8 * 1024;
const MOST_PARAMETERS: usize = 30;
const FLOW_COOKIE: &str = "mortise_flow_";

/// `GET /oauth/callback/{context}` (RFC 6749 section 4.1.2, RFC 9207).
pub(super) async fn finish(state: web::Data<State>, request: HttpRequest, context: web::Path<String>) -> HttpResponse {
    let parameters = match parameters(request.query_string()) {
        Ok(parameters) => parameters,
        Err(why) => return fault::page(&state, &request, &ConnectFault::Malformed(why).into(), None),
    };
    let flows: Vec<_> = cookies::all(&request).filter(|(name, _)| name.contains(FLOW_COOKIE)).collect();
    let carried = flows.iter().map(|(name, value)| ((*name).to_owned(), FlowCookie::new(*value))).collect();
    let query = CallbackQuery { context: context.into_inner(), parameters, cookies: carried };
    let finished = state.broker.finish_callback(query).await;
    // With several flows in one browser the answer does not say whose cookie has served: they end by themselves soon.
    let spent = match flows.as_slice() {
        [(name, _)] if is_over(&finished) => Some((*name).to_owned()),
        _ => None,
    };
    let mut answer = match finished {
        Ok(
            CallbackOutcome::Connected { return_url: Some(url), .. }
            | CallbackOutcome::AwaitingCompletion { return_url: url },
        ) => html::see_other(&state, url.as_str()).finish(),
        Ok(CallbackOutcome::Connected { provider, return_url: None, .. }) => {
            super::connect::to_done(&state, Some(&provider))
        }
        Err((error, link)) => fault::page(&state, &request, &error, link),
    };
    if let Some(name) = spent {
        let cookie = cookies::lasting(&state, name, String::new(), SameSite::Lax, 0);
        if let Err(error) = answer.add_cookie(&cookie) {
            tracing::warn!(%error, "a flow cookie could not be taken back");
        }
    }
    answer
}

/// The query in its order, duplicates kept for the broker to refuse.
fn parameters(query: &str) -> Result<Vec<(String, String)>, &'static str> {
    if query.len() > LONGEST_QUERY {
        return Err("it is far too long");
    }
    let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().take(MOST_PARAMETERS + 1).collect();
    if pairs.len() > MOST_PARAMETERS { Err("it has far too many parameters") } else { Ok(pairs) }
}

/// Whether the flow has ended and its cookie with it. Faults that somebody else's link can cause do not end it.
fn is_over(finished: &Result<CallbackOutcome, (Error, Option<String>)>) -> bool {
    match finished {
        Ok(_) => true,
        Err((Error::Connect(fault), _)) => {
            matches!(fault, ConnectFault::Denied | ConnectFault::Provider { .. } | ConnectFault::Exchange { .. })
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicates_and_order_survive() {
        let pairs = parameters("state=a+b&code=%3Cx%3E&code=2&flag").expect("a fine query");
        let shown: Vec<_> = pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(shown, [("state", "a b"), ("code", "<x>"), ("code", "2"), ("flag", "")]);
    }

    #[test]
    fn the_limits() {
        assert!(parameters(&"x".repeat(LONGEST_QUERY)).is_ok());
        assert!(parameters(&"x".repeat(LONGEST_QUERY + 1)).is_err());
        assert!(parameters(&"a=1&".repeat(30)).is_ok());
        assert!(parameters(&"a=1&".repeat(31)).is_err());
        assert_eq!(parameters("code=%ff%00").expect("decoded").len(), 1);
    }
}
