//! Signing in with an API key and out again. The key is read, turned into a sealed cookie, and never shown or kept.

use super::session;
use crate::State;
use crate::pages::connect::Form;
use crate::pages::guard::{self, FormKey};
use crate::pages::notice::Notice;
use crate::pages::{fault, html};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use mortise_broker::Error;
use mortise_domain::ApiKeySecret;

const PURPOSE: &str = "console sign-in";

#[derive(Template)]
#[template(path = "console/sign_in.html")]
struct SignIn {
    csrf: String,
    refused: bool,
}

/// `GET /console/sign-in`
pub(in crate::pages) async fn show(state: web::Data<State>, request: HttpRequest) -> HttpResponse {
    form(&state, &request, StatusCode::OK, false)
}

/// `POST /console/sign-in`
pub(in crate::pages) async fn enter(state: web::Data<State>, request: HttpRequest, form: Form) -> HttpResponse {
    let Ok(pairs) = form else {
        return html::notice(&state, StatusCode::BAD_REQUEST, &with_way_back(Notice::unreadable_form()));
    };
    let (mut csrf, mut key) = (None, None);
    for (name, value) in pairs.into_inner() {
        match name.as_str() {
            "csrf" => csrf = Some(value),
            "key" => key = Some(ApiKeySecret::new(value)),
            _ => {}
        }
    }
    if !guard::is_ours(&state, &request, csrf.as_deref(), PURPOSE) {
        return html::notice(&state, StatusCode::FORBIDDEN, &with_way_back(Notice::unchecked_form()));
    }
    let key = key.unwrap_or_else(|| ApiKeySecret::new(""));
    let opened = async {
        let caller = state.broker.authenticate(key.expose().trim()).await?;
        state.broker.open_console(&caller).await
    };
    match opened.await {
        Ok(cookie) => html::see_other(&state, "/console").cookie(session::begun(&state, cookie)).finish(),
        Err(Error::Unauthorized) => self::form(&state, &request, StatusCode::UNAUTHORIZED, true),
        Err(error) => fault::page(&state, &request, &error, None),
    }
}

/// `POST /console/sign-out`
pub(in crate::pages) async fn leave(state: web::Data<State>, request: HttpRequest, form: Form) -> HttpResponse {
    let given = form.as_ref().ok().and_then(|form| form.iter().find(|(name, _)| name == "csrf"));
    let right = session::brought(&state, &request).map(session::sign_out_token);
    let given = given.map(|(_, value)| value.as_str());
    // Whoever is signed out already only wants to see the sign-in again.
    let ours = right.is_none() || guard::matches_token(right.as_deref(), given);
    if !ours || !guard::same_origin(&state, &request) {
        return html::notice(&state, StatusCode::FORBIDDEN, &with_way_back(Notice::unchecked_form()));
    }
    html::see_other(&state, "/console/sign-in").cookie(session::ended(&state)).finish()
}

fn form(state: &State, request: &HttpRequest, status: StatusCode, refused: bool) -> HttpResponse {
    let key = FormKey::of(state, request);
    let mut answer = html::builder(state, status, html::OWN_FORMS);
    if let Some(cookie) = key.cookie(state) {
        answer.cookie(cookie);
    }
    html::render(answer, &SignIn { csrf: key.token(PURPOSE), refused })
}

fn with_way_back(notice: Notice) -> Notice {
    notice.with_action("/console", "Back to the console")
}
