//! The environment's connections, with filters.

use super::session::{self, Visitor};
use super::{Pager, Section, Shell, failed, href, page_request, parameter, query, relative, words};
use crate::State;
use crate::pages::html;
use crate::pages::look::{Badge, When};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use mortise_broker::{ConnectionQuery, ConnectionView, Error};
use mortise_domain::ConnectionState;

#[derive(Template)]
#[template(path = "console/connections.html")]
struct Overview {
    shell: Shell,
    states: Vec<StateLink>,
    state: Option<String>,
    customer: Option<String>,
    app: Option<String>,
    rows: Vec<Row>,
    pager: Pager,
}

struct StateLink {
    word: &'static str,
    href: String,
    here: bool,
}

struct Row {
    id: String,
    customer: String,
    app: String,
    badge: Badge,
    reason: &'static str,
    expires: Option<When>,
    next_refresh: Option<When>,
    failures: i32,
}

impl From<ConnectionView> for Row {
    fn from(view: ConnectionView) -> Self {
        Self {
            id: view.id.to_string(),
            customer: view.customer.to_string(),
            app: view.app.to_string(),
            badge: words::state(view.state),
            reason: words::reason(view.state_reason),
            expires: relative(view.expires_at),
            next_refresh: relative(view.next_refresh_at),
            failures: view.failures,
        }
    }
}

/// `GET /console`
pub(super) async fn show(state: web::Data<State>, request: HttpRequest) -> HttpResponse {
    let Visitor { caller, shell } = match session::visitor(&state, &request, Section::Connections).await {
        Ok(visitor) => visitor,
        Err(answer) => return answer,
    };
    let query = query(&request);
    let (wanted, customer, app) = (parameter(&query, "state"), parameter(&query, "customer"), parameter(&query, "app"));
    let page = page_request(&query);
    let listed = async {
        let filter = filter(wanted.as_deref(), customer.as_deref(), app.as_deref())?;
        state.broker.list_connections(&caller, &filter, &page).await
    };
    let listing = match listed.await {
        Ok(listing) => listing,
        Err(error) => return failed(&state, &request, Visitor { caller, shell }, &error),
    };
    let others = [("customer", customer.as_deref()), ("app", app.as_deref())];
    let to_state = |word, value: Option<&str>| {
        let href = href("/console", &[("state", value), others[0], others[1]]);
        StateLink { word, href, here: wanted.as_deref() == value }
    };
    let each = ConnectionState::ALL.iter().map(|state| to_state(words::state(*state).word, Some(state.as_str())));
    let filters = [("state", wanted.as_deref()), others[0], others[1]];
    let overview = Overview {
        states: std::iter::once(to_state("All", None)).chain(each).collect(),
        pager: Pager::of("/console", &filters, page.cursor.as_deref(), listing.next_cursor.as_deref()),
        rows: listing.items.into_iter().map(Row::from).collect(),
        shell,
        state: wanted.clone(),
        customer: customer.clone(),
        app: app.clone(),
    };
    html::page(&state, StatusCode::OK, &overview)
}

fn filter(state: Option<&str>, customer: Option<&str>, app: Option<&str>) -> Result<ConnectionQuery, Error> {
    let wrong =
        |name: &'static str| move |fault: String| Error::invalid(format!("/{name}"), format!("{name}: {fault}"));
    let state = state.map(|text| text.parse().map_err(|e: mortise_domain::UnknownState| wrong("state")(e.to_string())));
    let customer =
        customer.map(|text| text.parse().map_err(|e: mortise_domain::NameError| wrong("customer")(e.to_string())));
    let app = app.map(|text| text.parse().map_err(|e: mortise_domain::NameError| wrong("app")(e.to_string())));
    Ok(ConnectionQuery { customer: customer.transpose()?, app: app.transpose()?, state: state.transpose()? })
}
