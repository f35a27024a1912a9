//! The environment's apps: what to register at the provider, and whether the provider accepts the client.

use super::session::{self, Visitor};
use super::{Pager, Section, Shell, failed, href, page_request, query, words};
use crate::State;
use crate::pages::html;
use crate::pages::look::{Avatar, Badge, When};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use mortise_broker::{AppView, MoveView};
use mortise_domain::{MoveState, ScopeSet};

#[derive(Template)]
#[template(path = "console/apps.html")]
struct Apps {
    shell: Shell,
    rows: Vec<Row>,
    pager: Pager,
}

struct Row {
    id: String,
    face: Avatar,
    connector: String,
    moving: Option<String>,
    badge: Badge,
    held_reason: Option<String>,
    redirect_uri: String,
    client_id: String,
    secret: &'static str,
    previous_ends: Option<When>,
    scopes: ScopeSet,
    return_urls: Vec<String>,
    connections: String,
}

impl From<AppView> for Row {
    fn from(view: AppView) -> Self {
        Self {
            connections: href("/console", &[("app", Some(view.id.as_str()))]),
            id: view.id.to_string(),
            face: Avatar::of(view.id.as_str()),
            connector: format!("{}, version {}", view.connector, view.connector_version),
            moving: None,
            badge: words::app_state(view.state),
            held_reason: view.held_reason,
            redirect_uri: view.redirect_uri,
            client_id: view.client_id,
            secret: if view.has_client_secret { "stored sealed, never shown" } else { "none: a public client" },
            previous_ends: view.previous_secret_expires_at.map(When::relative),
            scopes: view.scopes,
            return_urls: view.settings.return_urls,
        }
    }
}

/// How far the app's connections have come, if they are on their way to another version.
fn moving(moves: &[MoveView], app: &str) -> Option<String> {
    let found = moves.iter().find(|found| found.app.as_str() == app)?;
    let doing = match found.state {
        MoveState::Paused => "paused",
        MoveState::RollingBack => "being taken back",
        MoveState::Running | MoveState::RolledBack | MoveState::Completed => "under way",
    };
    let (moved, left) = (found.known.moved, found.known.remaining);
    Some(format!("to version {}, {doing}: {moved} moved, {left} to go", found.to_version))
}

/// `GET /console/apps`
pub(super) async fn show(state: web::Data<State>, request: HttpRequest) -> HttpResponse {
    let Visitor { caller, shell } = match session::visitor(&state, &request, Section::Apps).await {
        Ok(visitor) => visitor,
        Err(answer) => return answer,
    };
    let page = page_request(&query(&request));
    match state.broker.list_apps(&caller, &page).await {
        Ok(listing) => {
            let pager = Pager::of("/console/apps", &[], page.cursor.as_deref(), listing.next_cursor.as_deref());
            let mut rows: Vec<_> = listing.items.into_iter().map(Row::from).collect();
            match state.broker.standing_moves(&caller).await {
                Ok(moves) => rows.iter_mut().for_each(|row| row.moving = moving(&moves, &row.id)),
                Err(error) => return failed(&state, &request, Visitor { caller, shell }, &error),
            }
            html::page(&state, StatusCode::OK, &Apps { shell, rows, pager })
        }
        Err(error) => failed(&state, &request, Visitor { caller, shell }, &error),
    }
}
