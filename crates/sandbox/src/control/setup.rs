//! Bringing the sandbox into a state.

use super::problem;
use crate::class::RecoveryClass;
use crate::clients::NewClient;
use crate::ledger::{Ended, FamilyId};
use crate::oracle::{NewGrants, seed};
use crate::script::{Script, StandingMode};
use crate::settings::ClassSettingsPatch;
use crate::shared::Shared;
use crate::state::State;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json, Path};
use serde_json::{Value, json};

/// `GET /control/health`
pub async fn health() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

/// `POST /control/reset`
pub async fn reset(shared: Data<Shared>) -> HttpResponse {
    let mut state = shared.lock();
    state.reset();
    saved(&shared, &state, json!({"status": "reset"}))
}

/// `POST /control/script`
pub async fn script(body: Json<Script>, shared: Data<Shared>) -> HttpResponse {
    let mut state = shared.lock();
    match state.scripts.push(body.into_inner()) {
        Ok(()) => HttpResponse::Ok().json(json!({"scripted": state.scripts.left()})),
        Err(error) => problem(StatusCode::BAD_REQUEST, "invalid_script", &error.to_string()),
    }
}

/// `GET /control/mode`: those in force.
pub async fn modes(shared: Data<Shared>) -> HttpResponse {
    let state = shared.lock();
    HttpResponse::Ok().json(json!({"modes": state.modes.list().collect::<Vec<_>>()}))
}

/// `POST /control/mode`
pub async fn mode(body: Json<StandingMode>, shared: Data<Shared>) -> HttpResponse {
    let mut state = shared.lock();
    match state.modes.set(body.into_inner()) {
        Ok(()) => HttpResponse::Ok().json(json!({"modes": state.modes.list().collect::<Vec<_>>()})),
        Err(error) => problem(StatusCode::BAD_REQUEST, "invalid_mode", &error.to_string()),
    }
}

/// `POST /control/clients`
pub async fn client(body: Json<NewClient>, shared: Data<Shared>) -> HttpResponse {
    let client_id = body.client_id.clone();
    let mut state = shared.lock();
    match state.clients.register(body.into_inner()) {
        Ok(()) => saved(&shared, &state, json!({"client_id": client_id})),
        Err(error) => problem(StatusCode::BAD_REQUEST, "invalid_client_metadata", &error.to_string()),
    }
}

/// `GET /control/classes/{class}`
pub async fn class(class: Path<RecoveryClass>, shared: Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(shared.lock().settings(*class))
}

/// `POST /control/classes/{class}`
pub async fn change_class(
    class: Path<RecoveryClass>,
    body: Json<ClassSettingsPatch>,
    shared: Data<Shared>,
) -> HttpResponse {
    let mut state = shared.lock();
    body.into_inner().apply(state.settings_mut(*class));
    let settings = state.settings(*class);
    saved(&shared, &state, json!(settings))
}

/// `POST /control/grants`
pub async fn grants(body: Json<NewGrants>, shared: Data<Shared>) -> HttpResponse {
    let mut state = shared.lock();
    let grants = match seed(&mut state, &shared, &body) {
        Ok(grants) => grants,
        Err(error) => return problem(StatusCode::BAD_REQUEST, "invalid_grants", &error.to_string()),
    };
    let shown: Vec<Value> = grants
        .iter()
        .map(|grant| {
            json!({
                "family": grant.family,
                "access_token": grant.access_token.expose(),
                "refresh_token": grant.refresh_token.as_ref().map(|token| token.expose()),
                "expires_in": grant.expires_in,
            })
        })
        .collect();
    saved(&shared, &state, json!({"grants": shown}))
}

/// `POST /control/grants/{family}/end`: the person withdraws the consent.
pub async fn end_grant(family: Path<u64>, shared: Data<Shared>) -> HttpResponse {
    let mut state = shared.lock();
    let family = FamilyId(*family);
    if !state.ledger.families.contains_key(&family) {
        return problem(StatusCode::NOT_FOUND, "not_found", "no grant has this number");
    }
    let now = shared.stamp();
    let ended = state.ledger.end(family, Ended::Revoked, now.ms);
    state.settle(now, None);
    saved(&shared, &state, json!({"ended": ended}))
}

pub(super) fn saved(shared: &Shared, state: &State, answer: Value) -> HttpResponse {
    match shared.save(state) {
        Ok(()) => HttpResponse::Ok().json(answer),
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, "state_file", &error.to_string()),
    }
}
