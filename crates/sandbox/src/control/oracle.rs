//! Asking the oracle.

use crate::oracle::{self, GrantFilter, History, HistoryFilter, OracleReport, TokenCheck, Totals};
use crate::shared::Shared;
use actix_web::web::{Data, Json, Query};
use serde::{Deserialize, Serialize};

const USUAL_REQUESTS: usize = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportQuery {
    class: Option<crate::RecoveryClass>,
    family: Option<u64>,
    requests: Option<usize>,
}

/// `GET /control/oracle?class=&family=&requests=`
pub async fn report(query: Query<ReportQuery>, shared: Data<Shared>) -> Json<OracleReport> {
    let ReportQuery { class, family, requests } = query.into_inner();
    let filter = GrantFilter { class, family };
    Json(oracle::report(&shared.lock(), &filter, requests.unwrap_or(USUAL_REQUESTS), shared.now()))
}

/// `GET /control/history?class=&family=&after=&limit=`
pub async fn history(filter: Query<HistoryFilter>, shared: Data<Shared>) -> Json<History> {
    Json(oracle::history(&shared.lock(), &filter, shared.stamp()))
}

/// `GET /control/oracle/totals`
pub async fn totals(shared: Data<Shared>) -> Json<Totals> {
    Json(oracle::totals(&shared.lock()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestsQuery {
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
}

#[derive(Serialize)]
pub struct Requests {
    requests: Vec<crate::RequestRecord>,
}

/// `GET /control/oracle/requests?after=&limit=`
pub async fn requests(query: Query<RequestsQuery>, shared: Data<Shared>) -> Json<Requests> {
    let limit = query.limit.unwrap_or(USUAL_REQUESTS);
    Json(Requests { requests: shared.lock().log.after(query.after).take(limit).cloned().collect() })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckBody {
    token: String,
}

/// `POST /control/oracle/check`
pub async fn check(body: Json<CheckBody>, shared: Data<Shared>) -> Json<TokenCheck> {
    Json(oracle::check(&shared.lock(), &body.token, shared.now()))
}
