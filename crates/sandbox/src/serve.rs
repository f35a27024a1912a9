//! The protocol endpoints over HTTP: a request's flight with its waits on the real clock.
//!
//! Invariant: a request takes effect whether or not its client still waits.

use crate::arrival::Arrival;
use crate::class::RecoveryClass;
use crate::flight::{Flight, Shaped};
use crate::inbound::{Inbound, Unreadable};
use crate::log::Endpoint;
use crate::reply::ReplyBody;
use crate::shared::Shared;
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What the protocol endpoints need besides the state.
pub struct Serving {
    pub shared: Arc<Shared>,
    /// Requests that go on although their client may have left.
    pub tasks: TaskTracker,
    pub stopping: CancellationToken,
}

/// `POST /{class}/token`
pub async fn token(
    request: HttpRequest,
    class: Path<RecoveryClass>,
    body: Result<Bytes, actix_web::Error>,
    serving: Data<Serving>,
) -> HttpResponse<ReplyBody> {
    serve(&serving, *class, Endpoint::Token, &request, body).await
}

/// `POST /{class}/revoke`
pub async fn revoke(
    request: HttpRequest,
    class: Path<RecoveryClass>,
    body: Result<Bytes, actix_web::Error>,
    serving: Data<Serving>,
) -> HttpResponse<ReplyBody> {
    serve(&serving, *class, Endpoint::Revoke, &request, body).await
}

/// `POST /{class}/introspect`
pub async fn introspect(
    request: HttpRequest,
    class: Path<RecoveryClass>,
    body: Result<Bytes, actix_web::Error>,
    serving: Data<Serving>,
) -> HttpResponse<ReplyBody> {
    serve(&serving, *class, Endpoint::Introspect, &request, body).await
}

/// `GET /{class}/userinfo`
pub async fn userinfo(
    request: HttpRequest,
    class: Path<RecoveryClass>,
    serving: Data<Serving>,
) -> HttpResponse<ReplyBody> {
    serve(&serving, *class, Endpoint::Userinfo, &request, Ok(Bytes::new())).await
}

async fn serve(
    serving: &Serving,
    class: RecoveryClass,
    endpoint: Endpoint,
    request: &HttpRequest,
    body: Result<Bytes, actix_web::Error>,
) -> HttpResponse<ReplyBody> {
    let inbound = Inbound::read(class, endpoint, request.headers().clone(), body.map_err(|_| Unreadable));
    let flight = Flight::begin(&serving.shared, inbound);
    if flight.is_prompt() {
        return respond(flight.process().shape());
    }
    let id = flight.id();
    let client = Client { shared: &serving.shared, id, left: CancellationToken::new(), answered: false };
    let (stopping, left) = (serving.stopping.clone(), client.left.clone());
    let work = async move {
        if !pause(&stopping, flight.wait()).await {
            return None;
        }
        let outbound = flight.process();
        match outbound.wait() {
            Some(length) => pause(&stopping, length).await.then_some(outbound),
            None => {
                tokio::select! {
                    () = left.cancelled() => {}
                    () = stopping.cancelled() => {}
                }
                None
            }
        }
    };
    // As a task of its own, so that a client that leaves does not stop it.
    let worked = serving.tasks.spawn(work).await;
    client.answered();
    match worked {
        Ok(Some(outbound)) => respond(outbound.shape()),
        Ok(None) | Err(_) => respond(Shaped::vanished(Arrival::new(Arc::clone(&serving.shared), id, None))),
    }
}

/// Waits; `false` if the sandbox stopped meanwhile.
async fn pause(stopping: &CancellationToken, length: Duration) -> bool {
    if length.is_zero() {
        return true;
    }
    tokio::select! {
        () = tokio::time::sleep(length) => true,
        () = stopping.cancelled() => false,
    }
}

/// Notices when a client closes its connection instead of waiting for the reply: actix-web then lets go of the handler.
struct Client<'a> {
    shared: &'a Shared,
    id: u64,
    left: CancellationToken,
    answered: bool,
}

impl Client<'_> {
    fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for Client<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.shared.note_departure(self.id);
            self.left.cancel();
        }
    }
}

fn respond(shaped: Shaped) -> HttpResponse<ReplyBody> {
    let Shaped { reply, announced, drip, ending, arrival } = shaped;
    let body = ReplyBody::new(reply.body, announced, drip, ending, arrival);
    let mut response = HttpResponse::with_body(reply.status, body);
    for (name, value) in reply.headers {
        response.headers_mut().insert(name, value);
    }
    response
}
