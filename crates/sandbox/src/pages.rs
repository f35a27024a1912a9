//! The pages that people see: the consent page and short notices, with one style sheet and no script.

use crate::accounts::Account;
use crate::class::RecoveryClass;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

/// Who asks for what.
#[derive(Template)]
#[template(path = "consent.html")]
pub struct ConsentPage<'a> {
    /// Stands for the whole request in the form.
    pub request: &'a str,
    /// The provider's class, explained in the footer.
    pub class: RecoveryClass,
    /// The client's name.
    pub client: &'a str,
    /// What it asks for.
    pub scopes: Vec<&'a str>,
    /// Who may answer.
    pub accounts: &'a [Account],
    /// Where the browser goes afterwards.
    pub host: &'a str,
}

/// Where a user code is entered.
#[derive(Template)]
#[template(path = "device.html")]
pub struct DevicePage<'a> {
    /// The provider's class.
    pub class: RecoveryClass,
    /// What stands in the field already.
    pub user_code: &'a str,
    /// The client's name.
    pub client: &'a str,
    /// Who may answer.
    pub accounts: &'a [Account],
}

/// Who asks, with OAuth 1.0.
#[derive(Template)]
#[template(path = "oauth1.html")]
pub struct Oauth1Page<'a> {
    /// The provider's class.
    pub class: RecoveryClass,
    /// The temporary token, which stands for the request.
    pub token: &'a str,
    /// The client's name.
    pub client: &'a str,
    /// Who may answer.
    pub accounts: &'a [Account],
}

#[derive(Template)]
#[template(path = "notice.html")]
struct Notice<'a> {
    title: &'a str,
    message: &'a str,
    advice: &'a str,
}

/// The consent page.
pub fn consent(page: &ConsentPage<'_>) -> HttpResponse {
    html(StatusCode::OK, page)
}

/// Where a user code is entered.
pub fn device(page: &DevicePage<'_>) -> HttpResponse {
    html(StatusCode::OK, page)
}

/// The consent page of OAuth 1.0.
pub fn oauth1(page: &Oauth1Page<'_>) -> HttpResponse {
    html(StatusCode::OK, page)
}

/// A user code is decided about: there is nothing to go back to.
pub fn decided(denied: bool) -> HttpResponse {
    let (title, message) = match denied {
        true => ("Nothing was shared", "You said no."),
        false => ("You are done here", "The app that showed you the code goes on by itself."),
    };
    html(StatusCode::OK, &Notice { title, message, advice: "You can close this page." })
}

/// A request that cannot be answered by going back: the person has to start again.
pub fn refused(message: &str) -> HttpResponse {
    let advice = "Nothing was shared. Go back to the app that sent you here and start again.";
    html(StatusCode::BAD_REQUEST, &Notice { title: "This request cannot go on", message, advice })
}

/// The sandbox itself failed.
pub fn failed(message: &str) -> HttpResponse {
    let advice = "Nothing was shared. Look at the sandbox's own messages, then start again.";
    html(StatusCode::INTERNAL_SERVER_ERROR, &Notice { title: "Something went wrong here", message, advice })
}

/// No such address.
pub async fn nowhere() -> HttpResponse {
    let message = "The sandbox has a provider for each recovery class: /n, /m, /g, /u, /s and /f, each with \
                   /authorize, /token, /revoke, /introspect and /userinfo.";
    let advice = "Check the address, or go back to the app that sent you here.";
    html(StatusCode::NOT_FOUND, &Notice { title: "There is no such page", message, advice })
}

/// `GET /assets/sandbox.css`
pub async fn style() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .insert_header(("cache-control", "max-age=300"))
        .insert_header(("x-content-type-options", "nosniff"))
        .body(include_str!("../assets/sandbox.css"))
}

fn html(status: StatusCode, page: &impl Template) -> HttpResponse {
    let Ok(text) = page.render() else {
        return HttpResponse::InternalServerError().finish();
    };
    // No `form-action`: browsers hold it against the redirects that follow the form, and those lead to any client.
    let policy = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'";
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header(("content-security-policy", policy))
        .insert_header(("cache-control", "no-store"))
        .insert_header(("referrer-policy", "no-referrer"))
        .insert_header(("x-content-type-options", "nosniff"))
        .body(text)
}
