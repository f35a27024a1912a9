//! The provider's way back. The one `GET` that changes something: it consumes the flow's single-use state, and nothing
//! happens without the flow's cookie.
//!
//! Whatever comes out well goes on to an address without `code` and `state`; a fault's page takes them out of the address
//! bar. No text of the provider's is shown but its sanitised error code.

use super::connect::form_sources;
use super::notice::Notice;
use super::{cookies, fault, guard, html};
use crate::State;
use actix_web::cookie::SameSite;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use mortise_broker::{CallbackOutcome, CallbackQuery, ConnectFault, Error};
use mortise_domain::FlowCookie;
use serde::Deserialize;
use url::form_urlencoded;

/// No honest answer is longer: codes of some providers reach 2 KiB.
const LONGEST_QUERY: usize = 8 * 1024;
const MOST_PARAMETERS: usize = 30;
pub(super) const FLOW_COOKIE: &str = "mortise_flow_";

/// The parameters of a fragment: a token is longer than a code.
const LONGEST_FRAGMENT: usize = 32 * 1024;
/// The same as a field of a form, which writes three bytes for some of its own.
pub(super) const LONGEST_HANDOVER: usize = 3 * LONGEST_FRAGMENT + 64;

/// The page that reads a fragment.
#[derive(Template)]
#[template(path = "handover.html")]
struct HandoverTemplate;

/// A fragment, as the page that read it posts it.
#[derive(Deserialize)]
pub(super) struct Fragment {
    fragment: String,
}

/// `GET /oauth/callback/{context}` (RFC 6749 section 4.1.2, RFC 9207; RFC 5849 section 2.2).
pub(super) async fn finish(state: web::Data<State>, request: HttpRequest, context: web::Path<String>) -> HttpResponse {
    if request.query_string().is_empty() {
        match state.broker.handover(&context).await {
            Ok(Some(handover)) => {
                let sources = form_sources(&handover.return_urls);
                return html::render(html::builder(&state, StatusCode::OK, &sources), &HandoverTemplate);
            }
            Ok(None) => {}
            Err(error) => return fault::page(&state, &request, &error, None),
        }
    }
    let parameters = parameters(request.query_string(), LONGEST_QUERY);
    end(&state, &request, context.into_inner(), parameters, false).await
}

/// `POST /oauth/callback/{context}`: the parameters of a fragment (RFC 6749 section 4.2.2), from our own page alone.
pub(super) async fn take_over(
    state: web::Data<State>,
    request: HttpRequest,
    context: web::Path<String>,
    form: Result<web::Form<Fragment>, actix_web::Error>,
) -> HttpResponse {
    let Ok(form) = form else {
        return html::notice(&state, StatusCode::BAD_REQUEST, &Notice::unreadable_form());
    };
    if !guard::same_origin(&state, &request) {
        return html::notice(&state, StatusCode::FORBIDDEN, &Notice::unchecked_form());
    }
    let parameters = parameters(&form.fragment, LONGEST_FRAGMENT);
    end(&state, &request, context.into_inner(), parameters, true).await
}

async fn end(
    state: &web::Data<State>,
    request: &HttpRequest,
    context: String,
    parameters: Result<Vec<(String, String)>, &'static str>,
    fragment: bool,
) -> HttpResponse {
    let parameters = match parameters {
        Ok(parameters) => parameters,
        Err(why) => return fault::page(state, request, &ConnectFault::Malformed(why).into(), None),
    };
    let flows: Vec<_> = cookies::all(request).filter(|(name, _)| name.contains(FLOW_COOKIE)).collect();
    let carried = flows.iter().map(|(name, value)| ((*name).to_owned(), FlowCookie::new(*value))).collect();
    let query = CallbackQuery { context, parameters, cookies: carried, fragment };
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
        ) => html::see_other(state, url.as_str()).finish(),
        Ok(CallbackOutcome::Connected { provider, return_url: None, .. }) => {
            super::connect::to_done(state, Some(&provider))
        }
        Err((error, link)) => fault::page(state, request, &error, link),
    };
    if let Some(name) = spent {
        let cookie = cookies::lasting(state, name, String::new(), SameSite::Lax, 0);
        if let Err(error) = answer.add_cookie(&cookie) {
            tracing::warn!(%error, "a flow cookie could not be taken back");
        }
    }
    answer
}

/// The query in its order, duplicates kept for the broker to refuse.
fn parameters(query: &str, longest: usize) -> Result<Vec<(String, String)>, &'static str> {
    if query.len() > longest {
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
        let pairs = parameters("state=a+b&code=%3Cx%3E&code=2&flag", LONGEST_QUERY).expect("a fine query");
        let shown: Vec<_> = pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(shown, [("state", "a b"), ("code", "<x>"), ("code", "2"), ("flag", "")]);
    }

    #[test]
    fn the_limits() {
        assert!(parameters(&"x".repeat(LONGEST_QUERY), LONGEST_QUERY).is_ok());
        assert!(parameters(&"x".repeat(LONGEST_QUERY + 1), LONGEST_QUERY).is_err());
        assert!(parameters(&"a=1&".repeat(30), LONGEST_QUERY).is_ok());
        assert!(parameters(&"a=1&".repeat(31), LONGEST_QUERY).is_err());
        assert_eq!(parameters("code=%ff%00", LONGEST_QUERY).expect("decoded").len(), 1);
    }
}
