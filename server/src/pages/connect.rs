//! The consent page: who asks, at which provider, for what. Looking at it changes nothing; its form starts a flow.

mod device;
mod view;

use super::guard::{self, FormKey};
use super::notice::Notice;
use super::{cookies, fault, html};
use crate::State;
use actix_web::cookie::SameSite;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
pub(super) use device::show as device;
use mortise_broker::{ConnectFault, Error, Started, flow_cookie_name};
use mortise_domain::{AppId, PastedSecret};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::collections::BTreeMap;
pub(super) use view::sources_of as form_sources;
use view::{Attempted, ConnectTemplate};

/// What a form's fields are called by, before the variable's own name.
const FIELD: &str = "field.";
/// The same for what is pasted.
const PASTED: &str = "paste.";
const FLOW_SECONDS: i64 = 600;
const DONE_COOKIE: &str = "mortise_done";

/// A form, or why it is none.
pub(super) type Form = Result<web::Form<Vec<(String, String)>>, actix_web::Error>;

/// `GET /connect/{token}`
pub(super) async fn open(state: web::Data<State>, request: HttpRequest, token: web::Path<String>) -> HttpResponse {
    show(&state, &request, &token, StatusCode::OK, None).await
}

/// `POST /connect/{token}`: to the provider, or back to the form.
pub(super) async fn start(
    state: web::Data<State>,
    request: HttpRequest,
    token: web::Path<String>,
    form: Form,
) -> HttpResponse {
    let Ok(form) = form else {
        return html::notice(&state, StatusCode::BAD_REQUEST, &with_way_back(Notice::unreadable_form(), &token));
    };
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    if !guard::is_ours(&state, &request, field("csrf"), &purpose(&token)) {
        return html::notice(&state, StatusCode::FORBIDDEN, &with_way_back(Notice::unchecked_form(), &token));
    }
    let typed = form.iter().filter_map(|(key, value)| Some((key.strip_prefix(FIELD)?.to_owned(), value.clone())));
    let typed: BTreeMap<String, String> = typed.collect();
    let pasted = form.iter().filter_map(|(key, value)| Some((key.strip_prefix(PASTED)?.to_owned(), value)));
    let pasted = pasted.map(|(name, value)| (name, PastedSecret::new(value.trim()))).collect();
    let app = field("app").unwrap_or_default();
    let attempted = |faults| Attempted { app: app.to_owned(), typed: typed.clone(), faults };
    let Ok(id) = app.parse::<AppId>() else {
        return show(&state, &request, &token, StatusCode::UNPROCESSABLE_ENTITY, Some(attempted(Vec::new()))).await;
    };
    let values = match view::tidied(&state, &token, &id, &typed).await {
        Ok(values) => values,
        Err(error) => return fault::page(&state, &request, &error, None),
    };
    match state.broker.start_connect_with(&token, &id, &values, pasted).await {
        Ok(Started::Redirect { location, attempt, cookie }) => {
            let name = flow_cookie_name(attempt, state.broker.config().secure_cookies());
            let cookie = cookies::lasting(&state, name, cookie.expose().to_owned(), SameSite::Lax, FLOW_SECONDS);
            html::see_other(&state, location.as_str()).cookie(cookie).finish()
        }
        Ok(Started::Device { attempt, cookie, lives }) => {
            let name = flow_cookie_name(attempt, state.broker.config().secure_cookies());
            let cookie = cookies::lasting(&state, name, cookie.expose().to_owned(), SameSite::Lax, lives);
            let page = format!("/connect/{}/device/{}", token.as_str(), attempt.as_uuid().simple());
            html::see_other(&state, &page).cookie(cookie).finish()
        }
        Ok(Started::AwaitingCompletion { return_url }) => html::see_other(&state, return_url.as_str()).finish(),
        Ok(Started::Done { return_url: Some(url), .. }) => html::see_other(&state, url.as_str()).finish(),
        Ok(Started::Done { return_url: None, .. }) => to_done(&state, None),
        Err(Error::Connect(ConnectFault::Fields(faults))) => {
            show(&state, &request, &token, StatusCode::UNPROCESSABLE_ENTITY, Some(attempted(faults))).await
        }
        Err(error) => fault::page(&state, &request, &error, way_back(&token)),
    }
}

/// Sends the browser to the page that says that it worked, with the provider's name for that page only.
pub(super) fn to_done(state: &State, provider: Option<&str>) -> HttpResponse {
    let mut answer = html::see_other(state, "/connect/done");
    if let Some(provider) = provider {
        let value = utf8_percent_encode(provider, NON_ALPHANUMERIC).to_string();
        answer.cookie(cookies::lasting(state, cookies::name(state, DONE_COOKIE), value, SameSite::Lax, 60));
    }
    answer.finish()
}

/// `GET /connect/done`
pub(super) async fn done(state: web::Data<State>, request: HttpRequest) -> HttpResponse {
    let provider = cookies::one(&request, &cookies::name(&state, DONE_COOKIE));
    let provider = provider.and_then(|value| percent_decode_str(value).decode_utf8().ok());
    html::notice(&state, StatusCode::OK, &Notice::connected(provider.as_deref()))
}

async fn show(
    state: &State,
    request: &HttpRequest,
    token: &str,
    status: StatusCode,
    attempted: Option<Attempted>,
) -> HttpResponse {
    let page = match state.broker.connect_page(token).await {
        Ok(page) => page,
        Err(error) => return fault::page(state, request, &error, None),
    };
    if page.choices.is_empty() {
        return html::notice(state, StatusCode::NOT_FOUND, &view::nothing_to_connect(&page.asker));
    }
    let key = FormKey::of(state, request);
    let sources = view::form_sources(&page);
    let template = ConnectTemplate::of(page, key.token(&purpose(token)), attempted.as_ref());
    let mut answer = html::builder(state, status, &sources);
    if let Some(cookie) = key.cookie(state) {
        answer.cookie(cookie);
    }
    html::render(answer, &template)
}

fn purpose(token: &str) -> String {
    format!("connect {token}")
}

/// The consent page again, unless the link has letters that no link of ours has.
fn way_back(token: &str) -> Option<String> {
    let plain = !token.is_empty() && token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    plain.then(|| format!("/connect/{token}"))
}

fn with_way_back(notice: Notice, token: &str) -> Notice {
    match way_back(token) {
        Some(link) => notice.with_action(link, "Open the page again"),
        None => notice,
    }
}
