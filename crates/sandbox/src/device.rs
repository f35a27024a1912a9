//! The device flow (RFC 8628): codes, the page where one is entered, and what a question about one is answered.

use crate::accounts::ACCOUNTS;
use crate::answer::Answer;
use crate::class::RecoveryClass;
use crate::client_auth::credentials;
use crate::flight::Decision;
use crate::flows::Device;
use crate::pages::{self, DevicePage};
use crate::params::Params;
use crate::reply::{OAuthError, Reply};
use crate::shared::Shared;
use crate::state::State;
use crate::token::issue;
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use mortise_domain::{ScopeSet, random_text};
use serde_json::json;

/// RFC 8628 section 3.4.
pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// Letters that nobody takes for each other (section 6.1).
const LETTERS: &[u8] = b"BCDFGHJKLMNPQRSTVWXZ";

/// `POST /{class}/device_authorization` (section 3.1).
pub async fn authorize(
    request: HttpRequest,
    class: Path<RecoveryClass>,
    body: Result<Bytes, actix_web::Error>,
    shared: Data<Shared>,
) -> HttpResponse {
    let class = class.into_inner();
    let reply = match begin(&request, class, body, &shared) {
        Ok(reply) => reply,
        Err(error) => Reply::from(&error),
    };
    sent(reply)
}

fn begin(
    request: &HttpRequest,
    class: RecoveryClass,
    body: Result<Bytes, actix_web::Error>,
    shared: &Shared,
) -> Result<Reply, OAuthError> {
    let body = body.map_err(|_| OAuthError::too_large())?;
    let params = Params::from_body(request.headers(), &body);
    let params = params.map_err(|_| OAuthError::invalid_request("the body is not a form with each parameter once"))?;
    let mut state = shared.lock();
    let client = credentials(request.headers(), &params)?;
    if !state.clients.authenticate(&client) {
        return Err(OAuthError::invalid_client("the client is unknown or its secret is wrong", client.basic));
    }
    let random: String = random_text::<32, String>(&*shared.entropy);
    let letters = random.bytes().filter_map(|byte| LETTERS.get(usize::from(byte) % LETTERS.len()));
    let letters: String = letters.take(8).map(|byte| char::from(*byte)).collect();
    let user_code = format!("{}-{}", &letters[..4], &letters[4..]);
    let device_code = format!("sbx_dc_{}", random_text::<32, String>(&*shared.entropy));
    let (interval, lifetime) = (state.flows.interval, state.flows.lifetime);
    let device = Device {
        class,
        client_id: client.client_id,
        scopes: ScopeSet::parse(params.get("scope").unwrap_or_default(), " "),
        user_code: user_code.clone(),
        expires_at: shared.now().saturating_add(i64::from(lifetime) * 1000),
        interval,
        asked_at: None,
        decided: None,
    };
    state.flows.devices.insert(device_code.clone(), device);
    let page = format!("{}/device", shared.issuer(class));
    let body = json!({
        "device_code": device_code,
        "user_code": user_code,
        "verification_uri": page,
        "verification_uri_complete": format!("{page}?user_code={user_code}"),
        "expires_in": lifetime,
        "interval": interval,
    });
    Ok(Reply::json(StatusCode::OK, &body))
}

/// `GET /{class}/device`: where the code is entered.
pub async fn page(request: HttpRequest, class: Path<RecoveryClass>, shared: Data<Shared>) -> HttpResponse {
    let class = class.into_inner();
    let params = Params::from_query(request.query_string()).unwrap_or_default();
    let state = shared.lock();
    let user_code = params.get("user_code").unwrap_or_default();
    let device = state.flows.devices.values().find(|device| device.user_code == user_code);
    let client = device.and_then(|device| state.clients.get(&device.client_id));
    pages::device(&DevicePage {
        class,
        user_code,
        client: client.map_or("An app", |client| &client.name),
        accounts: &ACCOUNTS,
    })
}

/// `POST /{class}/device`: the person's decision.
pub async fn decide(class: Path<RecoveryClass>, answer: Answer, shared: Data<Shared>) -> HttpResponse {
    let (class, Answer { fields, allowed }) = (class.into_inner(), answer);
    let entered = fields.get("user_code").unwrap_or_default().trim().to_ascii_uppercase();
    let now = shared.now();
    let mut state = shared.lock();
    let open = |device: &&mut Device| {
        device.class == class && device.user_code == entered && device.decided.is_none() && now < device.expires_at
    };
    let Some(device) = state.flows.devices.values_mut().find(open) else {
        return pages::refused("This code is unknown, has ended, or was used already.");
    };
    device.decided = Some(allowed.map(|account| account.id));
    pages::decided(allowed.is_none())
}

/// A question about a code (sections 3.4 and 3.5).
pub fn token(
    state: &mut State,
    shared: &Shared,
    class: RecoveryClass,
    client: &str,
    params: &Params,
) -> Result<Decision, OAuthError> {
    let code = params.get("device_code").ok_or(OAuthError::invalid_request("`device_code` is missing"))?;
    let now = shared.now();
    let device = state.flows.devices.get_mut(code);
    let device = device.filter(|device| device.class == class && device.client_id == client);
    let Some(device) = device else {
        return Err(OAuthError::invalid_grant("the device code is unknown"));
    };
    let hasty = device.asked_at.is_some_and(|at| now < at.saturating_add(i64::from(device.interval) * 1000));
    device.asked_at = Some(now);
    if hasty {
        device.interval += 5;
        return Err(OAuthError::bad_request("slow_down", "the client asks too often"));
    }
    if now >= device.expires_at {
        return Err(OAuthError::bad_request("expired_token", "the code has expired"));
    }
    match device.decided {
        None => Err(OAuthError::bad_request("authorization_pending", "nobody has decided yet")),
        Some(None) => Err(OAuthError::bad_request("access_denied", "the user said no")),
        Some(Some(subject)) => {
            let scopes = device.scopes.clone();
            state.flows.devices.remove(code);
            let family = state.ledger.open(class, client, Some(subject), scopes.clone(), now);
            let with_refresh = state.settings(class).issue_refresh_token;
            issue(state, shared, class, family, None, with_refresh, scopes)
        }
    }
}

/// A reply outside the flight of the other endpoints.
pub fn sent(reply: Reply) -> HttpResponse {
    let mut answer = HttpResponse::build(reply.status);
    for (name, value) in reply.headers {
        answer.insert_header((name, value));
    }
    answer.body(reply.body)
}
