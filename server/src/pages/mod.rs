//! The pages that people see: the consent page, the provider's way back, and the read-only admin console.
//!
//! Invariants: a `GET` or `HEAD` changes nothing but the callback's single-use state; every answer carries the same
//! security headers, errors included; nothing that somebody typed or a provider sent reaches a page unescaped. Everything
//! works without a script, but for the implicit grant, whose callback no server can read. Deliberately absent: decisions. A
//! page reads, calls one use case and renders what it says.

mod assets;
mod callback;
mod connect;
mod console;
mod cookies;
mod fault;
mod guard;
mod html;
mod look;
mod notice;

use crate::State;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, Resource, guard as route, web};
use notice::Notice;

/// Key files and assertions are pasted whole, and a form writes three bytes for some of theirs.
const LONGEST_FORM: usize = 256 * 1024;

/// Adds every page, its assets and the plain-language answers for methods that a page does not take.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.service(page("/connect/done").route(reading().to(connect::done)))
        .service(
            page("/connect/{token}")
                .app_data(web::FormConfig::default().limit(LONGEST_FORM))
                .route(reading().to(connect::open))
                .route(web::post().to(connect::start)),
        )
        .service(page("/connect/{token}/device/{attempt}").route(reading().to(connect::device)))
        .service(
            page("/oauth/callback/{context}")
                .app_data(web::FormConfig::default().limit(callback::LONGEST_HANDOVER))
                .route(web::get().to(callback::finish))
                .route(web::post().to(callback::take_over)),
        )
        .service(page("/assets/{name}").route(reading().to(assets::serve)));
    console::configure(cfg);
}

/// The answer for an address that leads nowhere: for whoever installs the pages, as the service of last resort.
pub async fn not_found(state: web::Data<State>) -> HttpResponse {
    html::notice(&state, StatusCode::NOT_FOUND, &Notice::nowhere())
}

fn page(path: &'static str) -> Resource {
    web::resource(path).default_service(web::to(wrong_method))
}

/// `GET`, and the `HEAD` with which link previews look at a page.
fn reading() -> actix_web::Route {
    web::route().guard(route::Any(route::Get()).or(route::Head()))
}

async fn wrong_method(state: web::Data<State>) -> HttpResponse {
    html::notice(&state, StatusCode::METHOD_NOT_ALLOWED, &Notice::wrong_method())
}
