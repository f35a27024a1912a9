//! The documentation that the service itself offers: the OpenAPI document, a page to read and try it, and the error codes.
//!
//! Everything is compiled in; nothing is loaded from elsewhere, and the pages' policy says so.

use crate::{State, call, problem};
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse};
use std::sync::Arc;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::Config;

const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

/// The OpenAPI document as it is sent, and the page's settings.
#[derive(Clone)]
pub(crate) struct Document {
    json: Bytes,
    page: Arc<Config<'static>>,
}

impl Document {
    pub(crate) fn of(document: &OpenApi) -> std::io::Result<Self> {
        let json = Bytes::from(serde_json::to_vec(document)?);
        let page = Config::from("/openapi.json").try_it_out_enabled(true).validator_url("none");
        Ok(Self { json, page: Arc::new(page) })
    }
}

pub(crate) fn configure(config: &mut web::ServiceConfig) {
    config
        .service(read_only("/openapi.json").route(web::get().to(openapi)))
        .service(read_only("/docs").route(web::get().to(to_page)))
        .service(read_only("/docs/errors").route(web::get().to(errors)))
        .service(read_only("/docs/{file:.*}").route(web::get().to(page)));
}

fn read_only(path: &'static str) -> actix_web::Resource {
    let wrong = |request: HttpRequest| async move { call::wrong_method(&request, "GET") };
    web::resource(path).default_service(web::to(wrong))
}

async fn openapi(document: web::Data<Document>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .body(document.json.clone())
}

async fn to_page() -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, "/docs/")).finish()
}

async fn errors() -> HttpResponse {
    dressed(HttpResponse::Ok().content_type("text/html; charset=utf-8").body(problem::errors_html()))
}

async fn page(_: web::Data<State>, request: HttpRequest, document: web::Data<Document>) -> HttpResponse {
    let file = request.match_info().get("file").unwrap_or_default();
    match utoipa_swagger_ui::serve(file, document.page.clone()) {
        Ok(Some(file)) => {
            let mut answer = HttpResponse::Ok();
            if file.gzpipped {
                answer.insert_header((header::CONTENT_ENCODING, "gzip"));
            }
            dressed(answer.content_type(file.content_type).body(file.bytes.into_owned()))
        }
        Ok(None) => call::unknown(&request),
        Err(error) => {
            tracing::error!(%error, "a page of the documentation could not be made");
            HttpResponse::InternalServerError().finish()
        }
    }
}

fn dressed(mut answer: HttpResponse) -> HttpResponse {
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    answer
}
