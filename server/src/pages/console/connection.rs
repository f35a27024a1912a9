//! One connection with its timeline.

use super::session::{self, Visitor};
use super::{Pager, Section, Shell, failed, page_request, query, relative, words};
use crate::State;
use crate::pages::html;
use crate::pages::look::{Badge, When};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use mortise_broker::{ConnectionView, Error, EventView, Listing};
use mortise_domain::{ConnectionId, ScopeSet};
use serde_json::Value;

#[derive(Template)]
#[template(path = "console/connection.html")]
struct Detail {
    shell: Shell,
    id: String,
    customer: String,
    app: String,
    connector: String,
    badge: Badge,
    reason: &'static str,
    remedy: Option<&'static str>,
    since: When,
    expires: Option<When>,
    next_refresh: Option<When>,
    last_refreshed: Option<When>,
    failures: i32,
    last_error: Option<String>,
    granted: ScopeSet,
    missing: ScopeSet,
    variables: Vec<(String, String)>,
    metadata: Option<String>,
    created: When,
    events: Vec<EventRow>,
    pager: Pager,
}

struct EventRow {
    tone: &'static str,
    words: &'static str,
    kind: &'static str,
    at: When,
    detail: Vec<(String, String)>,
}

impl From<EventView> for EventRow {
    fn from(view: EventView) -> Self {
        let (tone, words) = words::event(view.kind);
        let at = When::exact(view.at);
        Self { tone, words, kind: view.kind.as_str(), at, detail: particulars(&view.detail) }
    }
}

/// `GET /console/connections/{id}`
pub(super) async fn show(state: web::Data<State>, request: HttpRequest, id: web::Path<String>) -> HttpResponse {
    let Visitor { caller, shell } = match session::visitor(&state, &request, Section::Connections).await {
        Ok(visitor) => visitor,
        Err(answer) => return answer,
    };
    let query = query(&request);
    let page = page_request(&query);
    let read = async {
        let id: ConnectionId = id.parse().map_err(|_| Error::NotFound("connection"))?;
        let view = state.broker.connection(&caller, id).await?;
        Ok((view, state.broker.timeline(&caller, id, &page).await?))
    };
    match read.await {
        Ok((view, timeline)) => {
            let detail = detail(shell, view, timeline, page.cursor.as_deref());
            html::page(&state, StatusCode::OK, &detail)
        }
        Err(error) => failed(&state, &request, Visitor { caller, shell }, &error),
    }
}

fn detail(shell: Shell, view: ConnectionView, timeline: Listing<EventView>, cursor: Option<&str>) -> Detail {
    let path = format!("/console/connections/{}", view.id);
    let metadata = view.metadata.as_object().filter(|object| !object.is_empty());
    Detail {
        shell,
        id: view.id.to_string(),
        customer: view.customer.to_string(),
        app: view.app.to_string(),
        connector: format!("{}, version {}", view.connector, view.connector_version),
        badge: words::state(view.state),
        reason: words::reason(view.state_reason),
        remedy: words::remedy(view.state),
        since: When::relative(view.state_since),
        expires: relative(view.expires_at),
        next_refresh: relative(view.next_refresh_at),
        last_refreshed: relative(view.last_refreshed_at),
        failures: view.failures,
        last_error: view.last_error,
        granted: view.granted_scopes,
        missing: view.missing_scopes,
        variables: view.variables.into_iter().collect(),
        metadata: metadata.and_then(|object| serde_json::to_string_pretty(object).ok()),
        created: When::exact(view.created_at),
        pager: Pager::of(&path, &[], cursor, timeline.next_cursor.as_deref()),
        events: timeline.items.into_iter().map(EventRow::from).collect(),
    }
}

/// An event's particulars as pairs of words; texts without their quotes, and nothing for what is not known.
fn particulars(detail: &Value) -> Vec<(String, String)> {
    let known = detail.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    known.map(|(name, value)| (name.replace('_', " "), word(value))).collect()
}
