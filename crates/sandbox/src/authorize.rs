//! The authorization endpoint (RFC 6749 section 3.1): a consent page, and the decision that its form posts.

mod implicit;
mod request;

use crate::accounts::ACCOUNTS;
use crate::answer::Answer;
use crate::class::RecoveryClass;
use crate::ledger::CodeRecord;
use crate::pages::{self, ConsentPage};
use crate::pending::Pending;
use crate::shared::Shared;
use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use mortise_domain::random_text;
use request::{Refusal, check};
use url::Url;

/// How long a code may wait for its exchange, in milliseconds.
const CODE_LIFETIME: i64 = 60_000;

/// `GET /{class}/authorize`: grants nothing by itself.
pub async fn page(request: HttpRequest, class: Path<RecoveryClass>, shared: Data<Shared>) -> HttpResponse {
    let class = class.into_inner();
    let now = shared.now();
    let mut state = shared.lock();
    let pending = match check(request.query_string(), class, &state, now) {
        Ok(pending) => pending,
        Err(Refusal::Shown(message)) => return pages::refused(message),
        Err(Refusal::Returned { redirect_uri, state: echoed, error, description }) => {
            let issuer = state.settings(class).iss.then(|| shared.issuer(class));
            let answer = [("error", error), ("error_description", description)];
            return go_back(&redirect_uri, &answer, echoed.as_deref(), issuer.as_deref());
        }
    };
    let id: String = random_text::<32, String>(&*shared.entropy);
    let page = ConsentPage {
        request: &id,
        class,
        client: state.clients.get(&pending.client_id).map_or(pending.client_id.as_str(), |client| &client.name),
        scopes: pending.scopes.iter().collect(),
        accounts: &ACCOUNTS,
        host: &host(&pending.redirect_uri),
    };
    let response = pages::consent(&page);
    state.pending.put(id, pending);
    response
}

/// `POST /{class}/authorize`: the person's decision about an open page, once.
pub async fn decide(class: Path<RecoveryClass>, answer: Answer, shared: Data<Shared>) -> HttpResponse {
    let (class, Answer { fields, allowed }) = (class.into_inner(), answer);
    let now = shared.now();
    let mut state = shared.lock();
    let Some(pending) = fields.get("request").and_then(|id| state.pending.take(id, class, now)) else {
        return pages::refused("This page was answered already, or stood open for too long.");
    };
    let issuer = state.settings(class).iss.then(|| shared.issuer(class));
    let Some(account) = allowed else {
        let answer = [("error", "access_denied"), ("error_description", "the user said no")];
        if pending.implicit {
            return implicit::go_back(&pending, &answer);
        }
        return go_back(&pending.redirect_uri, &answer, pending.state.as_deref(), issuer.as_deref());
    };
    if pending.implicit {
        return implicit::granted(&mut state, &shared, &pending, account.id);
    }
    let Pending { client_id, redirect_uri, scopes, state: echoed, challenge, .. } = pending;
    let record = CodeRecord {
        class,
        client_id,
        subject: account.id.to_owned(),
        scopes,
        redirect_uri: redirect_uri.clone(),
        challenge,
        expires_at: now.saturating_add(CODE_LIFETIME),
        presented: false,
        family: None,
    };
    let code = state.ledger.issue_code(record, now, &*shared.entropy);
    if shared.save(&state).is_err() {
        return pages::failed("The sandbox cannot write its state file.");
    }
    go_back(&redirect_uri, &[("code", code.expose())], echoed.as_deref(), issuer.as_deref())
}

/// RFC 6749 section 4.1.2 with the `iss` of RFC 9207. 303, so that the form is not posted onwards.
fn go_back(redirect_uri: &str, answer: &[(&str, &str)], state: Option<&str>, issuer: Option<&str>) -> HttpResponse {
    let Ok(mut url) = Url::parse(redirect_uri) else {
        return pages::refused("The address to go back to is not a URL.");
    };
    url.query_pairs_mut()
        .extend_pairs(answer)
        .extend_pairs(state.map(|state| ("state", state)))
        .extend_pairs(issuer.map(|issuer| ("iss", issuer)));
    HttpResponse::SeeOther()
        .insert_header((LOCATION, url.as_str()))
        .insert_header(("cache-control", "no-store"))
        .insert_header(("referrer-policy", "no-referrer"))
        .finish()
}

fn host(uri: &str) -> String {
    Url::parse(uri).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}
