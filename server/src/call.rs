//! One request of the API from its head to its answer: let the caller in, read, call the handler, render.
//!
//! Invariant: in this order, so that nothing is learnt and nothing is read without a key. What changes something runs to
//! its end even if the caller hangs up.

use crate::State;
use crate::access::Access;
use crate::idempotency;
use crate::input::{self, Body, Nothing, PathInput};
use crate::problem::{Code, Context, Problem, Result};
use crate::reply::Reply;
use crate::telemetry::RequestId;
use actix_web::http::Method;
use actix_web::web::Payload;
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, web};
use mortise_broker::Broker;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// What a handler is given: who calls, and what was sent.
pub(crate) struct Call<A: Access, P = (), Q = Nothing, B = ()> {
    pub(crate) state: web::Data<State>,
    pub(crate) id: RequestId,
    pub(crate) caller: A::Caller,
    pub(crate) path: P,
    pub(crate) query: Q,
    pub(crate) body: B,
}

impl<A: Access, P, Q, B> Call<A, P, Q, B> {
    pub(crate) fn broker(&self) -> &Arc<Broker> {
        &self.state.broker
    }

    pub(crate) fn context(&self) -> Context<'_> {
        Context { state: &self.state, id: self.id }
    }
}

/// A handler: a function from a [`Call`] to an answer.
pub(crate) trait Handler<A: Access, P, Q, B>: Copy + 'static {
    /// Carries the call out.
    fn handle(self, call: Call<A, P, Q, B>) -> impl Future<Output = Result<Reply>> + 'static;
}

impl<A: Access, P, Q, B, F, T> Handler<A, P, Q, B> for F
where
    F: Fn(Call<A, P, Q, B>) -> T + Copy + 'static,
    T: Future<Output = Result<Reply>> + 'static,
{
    fn handle(self, call: Call<A, P, Q, B>) -> impl Future<Output = Result<Reply>> + 'static {
        self(call)
    }
}

/// Whether an `Idempotency-Key` is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeats {
    /// No: doing it again is harmless, or refused.
    Harmless,
    /// Yes: it makes something.
    Kept,
}

/// Answers a request.
pub(crate) async fn serve<A, P, Q, B, H>(
    handler: H,
    repeats: Repeats,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse
where
    A: Access,
    P: PathInput,
    Q: DeserializeOwned + 'static,
    B: Body,
    H: Handler<A, P, Q, B>,
{
    let Some(state) = request.app_data::<web::Data<State>>().cloned() else {
        return HttpResponse::InternalServerError().finish();
    };
    let Some(id) = request.extensions().get::<RequestId>().copied() else {
        return HttpResponse::InternalServerError().finish();
    };
    let context = Context { state: &state, id };
    match answered(handler, repeats, &state, id, request, payload).await {
        Ok(answer) => answer,
        Err(problem) => problem.answer(context),
    }
}

async fn answered<A, P, Q, B, H>(
    handler: H,
    repeats: Repeats,
    state: &web::Data<State>,
    id: RequestId,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse>
where
    A: Access,
    P: PathInput,
    Q: DeserializeOwned + 'static,
    B: Body,
    H: Handler<A, P, Q, B>,
{
    let caller = A::admit(state, &request).await?;
    let path = P::read(&request)?;
    let query = input::query(request.query_string())?;
    let (kind, bytes) =
        if B::TYPES.is_empty() { ("", web::Bytes::new()) } else { input::bytes::<B>(&request, payload).await? };
    let body = B::read(kind, &bytes)?;
    let key = match (repeats, A::known(&caller)) {
        (Repeats::Kept, Some(caller)) => idempotency::key(&request, caller, &bytes)?,
        (Repeats::Harmless, _) | (Repeats::Kept, None) => None,
    };
    let call = Call { state: state.clone(), id, caller, path, query, body };
    if request.method() == Method::GET {
        return Ok(handler.handle(call).await?.answer());
    }
    let state = state.clone();
    let work = async move {
        let handled = handler.handle(call);
        match key {
            None => handled.await.map(Reply::answer),
            Some(key) => idempotency::once(Context { state: &state, id }, &key, handled).await,
        }
    };
    // On this worker, and to its end: a caller who hangs up must not cut a grant off between provider and database.
    actix_web::rt::spawn(work).await.map_err(Problem::from)?
}

/// The answer to a method that a path does not know.
pub(crate) fn wrong_method(request: &HttpRequest, allowed: &str) -> HttpResponse {
    let problem = Problem::new(Code::MethodNotAllowed, format!("Use {allowed}."));
    refuse(request, problem.with_header(actix_web::http::header::ALLOW, allowed))
}

/// The answer to a path that nobody knows.
pub(crate) fn unknown(request: &HttpRequest) -> HttpResponse {
    refuse(request, Problem::new(Code::NotFound, "There is nothing at this address; `/docs` lists what there is."))
}

fn refuse(request: &HttpRequest, problem: Problem) -> HttpResponse {
    let state = request.app_data::<web::Data<State>>();
    match (state, request.extensions().get::<RequestId>()) {
        (Some(state), Some(id)) => problem.answer(Context { state, id: *id }),
        _ => HttpResponse::build(problem.code().status()).finish(),
    }
}
