//! The plain lists: connectors and customers.

use super::session::{self, Visitor};
use super::{Pager, Section, Shell, failed, href, page_request, query};
use crate::State;
use crate::pages::html;
use crate::pages::look::When;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use mortise_broker::{ConnectorView, CustomerView, VersionView};

#[derive(Template)]
#[template(path = "console/connectors.html")]
struct Connectors {
    shell: Shell,
    rows: Vec<ConnectorRow>,
    pager: Pager,
}

struct ConnectorRow {
    id: String,
    name: String,
    version: i32,
    used: Vec<String>,
    grant: String,
    recovery_class: String,
    token_url: String,
    digest: String,
    created: When,
}

impl From<ConnectorView> for ConnectorRow {
    fn from(view: ConnectorView) -> Self {
        let text =
            |pointer: &str| view.manifest.pointer(pointer).and_then(|value| value.as_str()).unwrap_or("–").to_owned();
        Self {
            name: text("/name"),
            grant: view
                .manifest
                .pointer("/auth/grant")
                .map_or_else(|| text("/auth/type"), |_| text("/auth/grant"))
                .replace('_', " "),
            recovery_class: text("/auth/recovery_class"),
            token_url: text("/auth/token_url"),
            id: view.id.to_string(),
            version: view.version,
            used: Vec::new(),
            digest: view.digest.chars().take(12).collect(),
            created: When::relative(view.created_at),
        }
    }
}

/// Who uses a version, if anybody does.
fn used(version: &VersionView) -> Option<String> {
    let some = |count: u64, one: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        _ => Some(format!("{count} {one}s")),
    };
    let users: Vec<_> =
        [some(version.apps, "app"), some(version.connections, "connection")].into_iter().flatten().collect();
    (!users.is_empty()).then(|| format!("{}: {}", version.version, users.join(", ")))
}

#[derive(Template)]
#[template(path = "console/customers.html")]
struct Customers {
    shell: Shell,
    rows: Vec<CustomerRow>,
    pager: Pager,
}

struct CustomerRow {
    id: String,
    name: Option<String>,
    created: When,
    updated: When,
    connections: String,
}

impl From<CustomerView> for CustomerRow {
    fn from(view: CustomerView) -> Self {
        Self {
            connections: href("/console", &[("customer", Some(view.id.as_str()))]),
            id: view.id.to_string(),
            name: view.name,
            created: When::relative(view.created_at),
            updated: When::relative(view.updated_at),
        }
    }
}

/// `GET /console/connectors`
pub(super) async fn connectors(state: web::Data<State>, request: HttpRequest) -> HttpResponse {
    let Visitor { caller, shell } = match session::visitor(&state, &request, Section::Connectors).await {
        Ok(visitor) => visitor,
        Err(answer) => return answer,
    };
    let page = page_request(&query(&request));
    match state.broker.list_connectors(&caller, &page).await {
        Ok(listing) => {
            let pager = Pager::of("/console/connectors", &[], page.cursor.as_deref(), listing.next_cursor.as_deref());
            let mut rows: Vec<_> =
                listing.items.into_iter().map(|view| (view.id.clone(), ConnectorRow::from(view))).collect();
            for (id, row) in &mut rows {
                match state.broker.connector_versions(&caller, id).await {
                    Ok(versions) => row.used = versions.iter().filter_map(used).collect(),
                    Err(error) => return failed(&state, &request, Visitor { caller, shell }, &error),
                }
            }
            let rows = rows.into_iter().map(|(_, row)| row).collect();
            html::page(&state, StatusCode::OK, &Connectors { shell, rows, pager })
        }
        Err(error) => failed(&state, &request, Visitor { caller, shell }, &error),
    }
}

/// `GET /console/customers`
pub(super) async fn customers(state: web::Data<State>, request: HttpRequest) -> HttpResponse {
    let Visitor { caller, shell } = match session::visitor(&state, &request, Section::Customers).await {
        Ok(visitor) => visitor,
        Err(answer) => return answer,
    };
    let page = page_request(&query(&request));
    match state.broker.list_customers(&caller, &page).await {
        Ok(listing) => {
            let pager = Pager::of("/console/customers", &[], page.cursor.as_deref(), listing.next_cursor.as_deref());
            let rows = listing.items.into_iter().map(CustomerRow::from).collect();
            html::page(&state, StatusCode::OK, &Customers { shell, rows, pager })
        }
        Err(error) => failed(&state, &request, Visitor { caller, shell }, &error),
    }
}
