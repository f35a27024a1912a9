//! The page of the device flow (RFC 8628 section 3.3): a code to enter at the provider. It asks for itself again every few
//! seconds, without a script; that changes nothing, because the worker is who asks the provider.

use super::super::callback::FLOW_COOKIE;
use super::super::look::When;
use super::super::{cookies, fault, html};
use super::{to_done, way_back};
use crate::State;
use actix_web::cookie::SameSite;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use mortise_broker::{ConnectFault, DevicePage, DeviceStep, flow_cookie_name};
use mortise_domain::{AttemptId, FlowCookie};
use url::Url;

#[derive(Template)]
#[template(path = "device.html")]
struct DeviceTemplate {
    provider: String,
    user_code: String,
    /// Where the button leads, with the code in it where the provider can take it so.
    address: String,
    /// What somebody types into another device.
    typed: String,
    host: String,
    /// Whether the provider has the code already when it is opened by the button.
    carried: bool,
    expires: When,
}

impl DeviceTemplate {
    fn of(page: DevicePage) -> Self {
        let typed = |url: &Url| {
            let text = url.as_str();
            text.split_once("://").map_or(text, |(_, rest)| rest).trim_end_matches('/').to_owned()
        };
        Self {
            typed: typed(&page.verification_uri),
            host: page.verification_uri.host_str().unwrap_or_default().to_owned(),
            carried: page.verification_uri_complete.is_some(),
            address: page.verification_uri_complete.unwrap_or(page.verification_uri).into(),
            provider: page.provider,
            user_code: page.user_code,
            expires: When::clock(page.expires_at),
        }
    }
}

/// `GET /connect/{token}/device/{attempt}`
pub(in super::super) async fn show(
    state: web::Data<State>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
) -> HttpResponse {
    let (token, attempt) = path.into_inner();
    let Ok(attempt) = uuid::Uuid::try_parse(&attempt).map(AttemptId::from_uuid) else {
        return fault::page(&state, &request, &ConnectFault::UnknownLink.into(), None);
    };
    let flows = cookies::all(&request).filter(|(name, _)| name.contains(FLOW_COOKIE));
    let flows: Vec<_> = flows.map(|(name, value)| (name.to_owned(), FlowCookie::new(value))).collect();
    let step = state.broker.device_step(&token, attempt, &flows).await;
    let mut answer = match step {
        Ok(DeviceStep::Waiting(page)) => return html::page(&state, StatusCode::OK, &DeviceTemplate::of(page)),
        Ok(
            DeviceStep::AwaitingCompletion { return_url: url } | DeviceStep::Connected { return_url: Some(url), .. },
        ) => html::see_other(&state, url.as_str()).finish(),
        Ok(DeviceStep::Connected { provider, return_url: None, .. }) => to_done(&state, Some(&provider)),
        Err(error) => return fault::page(&state, &request, &error, way_back(&token)),
    };
    let name = flow_cookie_name(attempt, state.broker.config().secure_cookies());
    let spent = cookies::lasting(&state, name, String::new(), SameSite::Lax, 0);
    if let Err(error) = answer.add_cookie(&spent) {
        tracing::warn!(%error, "a flow cookie could not be taken back");
    }
    answer
}
