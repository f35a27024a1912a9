//! The admin console: what an API key may read, as pages. Read-only: nothing here changes anything but the sign-in.
//!
//! The key's scopes are the console's rights, asked by the use cases themselves.

mod apps;
mod connection;
mod lists;
mod overview;
mod session;
mod sign_in;
mod words;

use super::look::When;
use super::notice::Tone;
use super::{fault, html, page, reading};
use crate::State;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use mortise_broker::{Error, PageRequest};
use mortise_domain::Timestamp;
use session::Visitor;
use url::form_urlencoded;

/// How many rows a page of the console has.
const ROWS: u64 = 50;

pub(super) fn configure(cfg: &mut web::ServiceConfig) {
    cfg.service(page("/console").route(reading().to(overview::show)))
        .service(page("/console/sign-in").route(reading().to(sign_in::show)).route(web::post().to(sign_in::enter)))
        .service(page("/console/sign-out").route(web::post().to(sign_in::leave)))
        .service(page("/console/connections/{id}").route(reading().to(connection::show)))
        .service(page("/console/apps").route(reading().to(apps::show)))
        .service(page("/console/connectors").route(reading().to(lists::connectors)))
        .service(page("/console/customers").route(reading().to(lists::customers)));
}

/// What stands around every page of the console.
struct Shell {
    environment: Option<String>,
    csrf: String,
    here: Section,
}

/// The entries of the menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Connections,
    Apps,
    Connectors,
    Customers,
}

impl Section {
    const ALL: [Self; 4] = [Self::Connections, Self::Apps, Self::Connectors, Self::Customers];

    fn title(self) -> &'static str {
        match self {
            Self::Connections => "Connections",
            Self::Apps => "Apps",
            Self::Connectors => "Connectors",
            Self::Customers => "Customers",
        }
    }

    fn href(self) -> &'static str {
        match self {
            Self::Connections => "/console",
            Self::Apps => "/console/apps",
            Self::Connectors => "/console/connectors",
            Self::Customers => "/console/customers",
        }
    }
}

#[derive(Template)]
#[template(path = "console/message.html")]
struct Message {
    shell: Shell,
    bad: bool,
    title: String,
    message: String,
    advice: String,
    detail: Option<(&'static str, String)>,
}

/// An error inside the console, with the menu around it.
fn failed(state: &State, request: &HttpRequest, visitor: Visitor, error: &Error) -> HttpResponse {
    if let Error::ForbiddenScope(scope) = error {
        let message = Message {
            title: format!("This key cannot see {}", visitor.shell.here.title().to_lowercase()),
            shell: visitor.shell,
            bad: false,
            message: format!("It lacks the scope {scope}."),
            advice: format!("Sign in with a key that has it, or make one: mortise api-keys create --scopes {scope},…"),
            detail: None,
        };
        return html::page(state, StatusCode::FORBIDDEN, &message);
    }
    let (status, notice) = fault::explain(error);
    let notice = fault::with_request_id(request, error, status, notice);
    let message = Message {
        shell: visitor.shell,
        bad: notice.tone == Tone::Bad,
        title: notice.title,
        message: notice.message,
        advice: notice.advice,
        detail: notice.detail,
    };
    html::page(state, status, &message)
}

/// The parameters of an address, in order.
fn query(request: &HttpRequest) -> Vec<(String, String)> {
    form_urlencoded::parse(request.query_string().as_bytes()).into_owned().take(20).collect()
}

/// The first parameter of this name that says something.
fn parameter(query: &[(String, String)], name: &str) -> Option<String> {
    query.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.trim().to_owned())
}

fn page_request(query: &[(String, String)]) -> PageRequest {
    PageRequest { limit: Some(ROWS), cursor: parameter(query, "cursor") }
}

/// An address with the parameters that say something.
fn href(path: &str, parameters: &[(&str, Option<&str>)]) -> String {
    let said = parameters.iter().filter_map(|(name, value)| Some((*name, (*value)?)));
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(said).finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// The ways to the other pages of a list.
struct Pager {
    first: Option<String>,
    next: Option<String>,
}

impl Pager {
    fn of(path: &str, filters: &[(&str, Option<&str>)], cursor: Option<&str>, next: Option<&str>) -> Self {
        let to = |cursor| {
            let mut parameters = filters.to_vec();
            parameters.push(("cursor", cursor));
            href(path, &parameters)
        };
        Self { first: cursor.map(|_| to(None)), next: next.map(|next| to(Some(next))) }
    }
}

fn relative(at: Option<Timestamp>) -> Option<When> {
    at.map(When::relative)
}
