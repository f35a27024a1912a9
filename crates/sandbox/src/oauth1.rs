//! OAuth 1.0 (RFC 5849): temporary credentials, a consent page, the token, and a call that is signed with it.
//!
//! Invariant: every signature is worked out here anew, from the request as it came; a nonce is good once; a verifier is good
//! for one request of the client that began the flow.

pub(crate) mod signature;

use crate::accounts::ACCOUNTS;
use crate::answer::Answer;
use crate::class::RecoveryClass;
use crate::device::sent;
use crate::flows::{Flows, Temporary, Token};
use crate::pages::{self, Oauth1Page};
use crate::params::Params;
use crate::reply::Reply;
use crate::shared::Shared;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, LOCATION};
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use mortise_domain::random_text;
use signature::Signed;
use url::Url;
use url::form_urlencoded::Serializer;

/// How far a client's clock may be off, in seconds.
const SKEW: i64 = 300;

/// `POST /{class}/oauth1/request_token` (section 2.1).
pub async fn request_token(
    request: HttpRequest,
    class: Path<RecoveryClass>,
    body: Result<Bytes, actix_web::Error>,
    shared: Data<Shared>,
) -> HttpResponse {
    let class = class.into_inner();
    let mut state = shared.lock();
    let signed = match checked(&request, body, &shared, &mut state.flows, |_, _| None) {
        Ok(signed) => signed,
        Err(refused) => return *refused,
    };
    let Some(callback) = signed.get("oauth_callback").filter(|callback| Url::parse(callback).is_ok()) else {
        return refusal(StatusCode::BAD_REQUEST, "parameter_absent");
    };
    let (token, secret) = credentials(&shared, "sbx_o1_");
    let body = [("oauth_token", token.as_str()), ("oauth_token_secret", &secret), ("oauth_callback_confirmed", "true")];
    let reply = form(&body);
    let temporary =
        Temporary { class, consumer: signed.consumer.clone(), secret, callback: callback.to_owned(), granted: None };
    state.flows.temporary.insert(token, temporary);
    reply
}

/// `GET /{class}/oauth1/authorize` (section 2.2).
pub async fn page(request: HttpRequest, class: Path<RecoveryClass>, shared: Data<Shared>) -> HttpResponse {
    let class = class.into_inner();
    let params = Params::from_query(request.query_string()).unwrap_or_default();
    let state = shared.lock();
    let token = params.get("oauth_token").unwrap_or_default();
    let Some(temporary) = state.flows.temporary.get(token).filter(|t| t.class == class && t.granted.is_none()) else {
        return pages::refused("The link that led here names no request that is open.");
    };
    let client = state.clients.get(&temporary.consumer).map_or(temporary.consumer.as_str(), |client| &client.name);
    pages::oauth1(&Oauth1Page { class, token, client, accounts: &ACCOUNTS })
}

/// `POST /{class}/oauth1/authorize`: the person's decision.
pub async fn decide(class: Path<RecoveryClass>, answer: Answer, shared: Data<Shared>) -> HttpResponse {
    let (class, Answer { fields, allowed }) = (class.into_inner(), answer);
    let token = fields.get("oauth_token").unwrap_or_default();
    let verifier = random_text::<32, String>(&*shared.entropy);
    let mut state = shared.lock();
    let temporary = state.flows.temporary.get_mut(token).filter(|t| t.class == class && t.granted.is_none());
    let Some(temporary) = temporary else {
        return pages::refused("This page was answered already, or never asked.");
    };
    let Ok(mut url) = Url::parse(&temporary.callback) else {
        return pages::refused("The address to go back to is not a URL.");
    };
    match allowed {
        Some(account) => {
            url.query_pairs_mut().append_pair("oauth_token", token).append_pair("oauth_verifier", &verifier);
            temporary.granted = Some((account.id, verifier));
        }
        None => {
            url.query_pairs_mut().append_pair("denied", token);
            state.flows.temporary.remove(token);
        }
    }
    HttpResponse::SeeOther()
        .insert_header((LOCATION, url.as_str()))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header(("referrer-policy", "no-referrer"))
        .finish()
}

/// `POST /{class}/oauth1/access_token` (section 2.3).
pub async fn access_token(
    request: HttpRequest,
    class: Path<RecoveryClass>,
    body: Result<Bytes, actix_web::Error>,
    shared: Data<Shared>,
) -> HttpResponse {
    let class = class.into_inner();
    let mut state = shared.lock();
    let secret = |flows: &Flows, token: &str| flows.temporary.get(token).map(|temporary| temporary.secret.clone());
    let signed = match checked(&request, body, &shared, &mut state.flows, secret) {
        Ok(signed) => signed,
        Err(refused) => return *refused,
    };
    let token = signed.get("oauth_token").unwrap_or_default();
    // Used up whatever comes of it.
    let temporary = state.flows.temporary.remove(token);
    let granted = temporary
        .filter(|temporary| temporary.class == class && temporary.consumer == signed.consumer)
        .and_then(|temporary| temporary.granted)
        .filter(|(_, verifier)| signed.get("oauth_verifier") == Some(verifier));
    let Some((subject, _)) = granted else {
        return refusal(StatusCode::UNAUTHORIZED, "token_rejected");
    };
    let (token, secret) = credentials(&shared, "sbx_o1_");
    let reply = form(&[("oauth_token", token.as_str()), ("oauth_token_secret", &secret), ("user_id", subject)]);
    state.flows.tokens.insert(token, Token { class, consumer: signed.consumer.clone(), secret, subject });
    reply
}

/// `GET /{class}/oauth1/account`: stands for the provider's API (section 3.1).
pub async fn account_of(request: HttpRequest, class: Path<RecoveryClass>, shared: Data<Shared>) -> HttpResponse {
    let class = class.into_inner();
    let mut state = shared.lock();
    let secret = |flows: &Flows, token: &str| flows.tokens.get(token).map(|token| token.secret.clone());
    let signed = match checked(&request, Ok(Bytes::new()), &shared, &mut state.flows, secret) {
        Ok(signed) => signed,
        Err(refused) => return *refused,
    };
    let token = signed.get("oauth_token").and_then(|token| state.flows.tokens.get(token));
    match token.filter(|token| token.class == class && token.consumer == signed.consumer) {
        Some(token) => sent(Reply::json(StatusCode::OK, &serde_json::json!({"sub": token.subject}))),
        None => refusal(StatusCode::UNAUTHORIZED, "token_rejected"),
    }
}

/// A request whose signature is right and that nobody sent before. `secret` is that of the token which it names.
fn checked(
    request: &HttpRequest,
    body: Result<Bytes, actix_web::Error>,
    shared: &Shared,
    flows: &mut Flows,
    secret: impl FnOnce(&Flows, &str) -> Option<String>,
) -> Result<Signed, Box<HttpResponse>> {
    let refused = |problem| Box::new(refusal(StatusCode::UNAUTHORIZED, problem));
    let body = body.map_err(|_| Box::new(refusal(StatusCode::BAD_REQUEST, "parameter_rejected")))?;
    let url = format!("{}{}", shared.base_url, request.uri());
    let signed = Signed::read(request, &url, &body).ok_or_else(|| refused("parameter_absent"))?;
    let consumer_secret = flows.consumers.get(&signed.consumer).ok_or_else(|| refused("consumer_key_unknown"))?;
    let token = signed.get("oauth_token").map(str::to_owned);
    let token_secret = match token {
        Some(token) => secret(flows, &token).ok_or_else(|| refused("token_rejected"))?,
        None => String::new(),
    };
    if !signed.is_right(consumer_secret, &token_secret) {
        return Err(refused("signature_invalid"));
    }
    if let (Some(timestamp), Some(nonce)) = (signed.get("oauth_timestamp"), signed.get("oauth_nonce")) {
        let age =
            timestamp.parse::<i64>().map_or(i64::MAX, |at| (shared.now() / 1000).saturating_sub(at).saturating_abs());
        if age > SKEW {
            return Err(refused("timestamp_refused"));
        }
        if !flows.seen.insert((signed.consumer.clone(), timestamp.to_owned(), nonce.to_owned())) {
            return Err(refused("nonce_used"));
        }
    } else if signed.get("oauth_signature_method") != Some("PLAINTEXT") {
        return Err(refused("parameter_absent"));
    }
    Ok(signed)
}

fn credentials(shared: &Shared, prefix: &str) -> (String, String) {
    let random = || random_text::<32, String>(&*shared.entropy);
    (format!("{prefix}{}", random()), format!("sbx_o1s_{}", random()))
}

fn form(pairs: &[(&str, &str)]) -> HttpResponse {
    let body = Serializer::new(String::new()).extend_pairs(pairs).finish();
    let headers = vec![
        (CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    sent(Reply { status: StatusCode::OK, headers, body: Bytes::from(body) })
}

fn refusal(status: StatusCode, problem: &str) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("application/x-www-form-urlencoded")
        .body(format!("oauth_problem={problem}"))
}
