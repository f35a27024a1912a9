//! The implicit grant (RFC 6749 section 4.2): the token itself goes back, behind the `#`.

use crate::pages;
use crate::pending::Pending;
use crate::shared::Shared;
use crate::state::State;
use crate::token::issue_tokens;
use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use url::Url;
use url::form_urlencoded::Serializer;

/// Issues a token, and no refresh token (section 4.2.2).
pub fn granted(state: &mut State, shared: &Shared, pending: &Pending, subject: &str) -> HttpResponse {
    let family =
        state.ledger.open(pending.class, &pending.client_id, Some(subject), pending.scopes.clone(), shared.now());
    let Some(issued) = issue_tokens(state, shared, family, None, false, pending.scopes.clone()) else {
        return pages::failed("The grant vanished.");
    };
    if shared.save(state).is_err() {
        return pages::failed("The sandbox cannot write its state file.");
    }
    let (life, scope) = (issued.seconds.to_string(), pending.scopes.join(" "));
    let answer = [
        ("access_token", issued.access.expose()),
        ("token_type", "Bearer"),
        ("expires_in", life.as_str()),
        ("scope", scope.as_str()),
    ];
    go_back(pending, &answer)
}

/// Sends the browser back with `answer` in the fragment.
pub fn go_back(pending: &Pending, answer: &[(&str, &str)]) -> HttpResponse {
    let Ok(mut url) = Url::parse(&pending.redirect_uri) else {
        return pages::refused("The address to go back to is not a URL.");
    };
    let state = pending.state.as_deref().map(|state| ("state", state));
    let fragment = Serializer::new(String::new()).extend_pairs(answer).extend_pairs(state).finish();
    url.set_fragment(Some(&fragment));
    HttpResponse::SeeOther()
        .insert_header((LOCATION, url.as_str()))
        .insert_header(("cache-control", "no-store"))
        .insert_header(("referrer-policy", "no-referrer"))
        .finish()
}
