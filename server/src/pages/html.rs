//! From a template to an answer, with the headers that every page carries.
//!
//! Invariant: no page, redirect or error leaves without them (RFC 9700 sections 4.2, 4.12 and 4.16).

use super::notice::Notice;
use crate::State;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, HttpResponseBuilder};
use askama::Template;

/// Where the forms of a page may lead: to this service.
pub(super) const OWN_FORMS: &str = "'self'";

/// A page of this service, whose forms stay here.
pub(super) fn page(state: &State, status: StatusCode, template: &impl Template) -> HttpResponse {
    render(builder(state, status, OWN_FORMS), template)
}

/// A short message.
pub(super) fn notice(state: &State, status: StatusCode, notice: &Notice) -> HttpResponse {
    page(state, status, notice)
}

/// An answer with every header and no body yet. `form_action` is the CSP directive's list of sources.
pub(super) fn builder(state: &State, status: StatusCode, form_action: &str) -> HttpResponseBuilder {
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; form-action {form_action}; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    let mut builder = HttpResponse::build(status);
    builder
        .insert_header((header::CONTENT_SECURITY_POLICY, policy))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header(("cross-origin-opener-policy", "same-origin"))
        .insert_header(("cross-origin-resource-policy", "same-origin"))
        .insert_header(("x-robots-tag", "noindex"))
        .insert_header((header::CACHE_CONTROL, "no-store"));
    if state.broker.config().secure_cookies() {
        builder.insert_header((header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"));
    }
    builder
}

/// Fills an answer with a page.
pub(super) fn render(mut builder: HttpResponseBuilder, template: &impl Template) -> HttpResponse {
    match template.render() {
        Ok(text) => builder.content_type("text/html; charset=utf-8").body(text),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            builder
                .status(StatusCode::INTERNAL_SERVER_ERROR)
                .content_type("text/plain; charset=utf-8")
                .body("Sorry, this went wrong.")
        }
    }
}

/// Sends the browser on with a `GET` (RFC 9700 section 4.12: never 307 or 308).
pub(super) fn see_other(state: &State, location: &str) -> HttpResponseBuilder {
    let mut builder = builder(state, StatusCode::SEE_OTHER, OWN_FORMS);
    builder.insert_header((header::LOCATION, location));
    builder
}
