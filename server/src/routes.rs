//! The one registration: every route of the API is added here once, and both the service and its OpenAPI document come
//! out of it.
//!
//! Invariant: scope, security, header parameters and problem answers of the document are derived from the types that the
//! handler is made of, so that the two cannot drift apart.

use crate::access::Access;
use crate::call::{self, Handler, Repeats};
use crate::input::{Body, PathInput};
use crate::problem::Code;
use crate::telemetry::Meters;
use actix_web::guard::fn_guard;
use actix_web::http::Method;
use actix_web::{HttpRequest, Route, web};
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{Components, OpenApi, Paths};
use utoipa_actix_web::OpenApiFactory;

mod document;

/// Routes in the order in which they are tried, with what the document says of them.
pub(crate) struct Routes {
    resources: Vec<(String, Vec<(Method, Route)>)>,
    paths: Paths,
    components: Components,
}

impl Routes {
    pub(crate) fn new() -> Self {
        Self { resources: Vec::new(), paths: Paths::new(), components: Components::new() }
    }

    /// Adds a route. `codes` are the problems that only this route has.
    pub(crate) fn add<D, A, P, Q, B, H>(&mut self, entry: D, handler: H, codes: &[Code]) -> &mut Self
    where
        D: OpenApiFactory,
        A: Access,
        P: PathInput,
        Q: DeserializeOwned + 'static,
        B: Body,
        H: Handler<A, P, Q, B>,
    {
        self.insert(entry, handler, Repeats::Harmless, codes)
    }

    /// Adds a route that makes something and takes an `Idempotency-Key`.
    pub(crate) fn create<D, A, P, Q, B, H>(&mut self, entry: D, handler: H, codes: &[Code]) -> &mut Self
    where
        D: OpenApiFactory,
        A: Access,
        P: PathInput,
        Q: DeserializeOwned + 'static,
        B: Body,
        H: Handler<A, P, Q, B>,
    {
        self.insert(entry, handler, Repeats::Kept, codes)
    }

    fn insert<D, A, P, Q, B, H>(&mut self, entry: D, handler: H, repeats: Repeats, codes: &[Code]) -> &mut Self
    where
        D: OpenApiFactory,
        A: Access,
        P: PathInput,
        Q: DeserializeOwned + 'static,
        B: Body,
        H: Handler<A, P, Q, B>,
    {
        let mut codes: BTreeSet<_> = codes.iter().copied().collect();
        codes.insert(Code::Internal);
        if A::SCOPE.is_some() {
            codes.extend([Code::Unauthorized, Code::ForbiddenScope, Code::InvalidRequest, Code::Unavailable]);
        }
        if P::PRESENT {
            codes.insert(Code::NotFound);
        }
        if !B::TYPES.is_empty() {
            codes.extend([Code::MalformedRequest, Code::PayloadTooLarge, Code::UnsupportedMediaType]);
        }
        if repeats == Repeats::Kept {
            codes.extend([Code::IdempotencyInFlight, Code::IdempotencyMismatch]);
        }
        let mut schemas = Vec::new();
        entry.schemas(&mut schemas);
        self.components.schemas.extend(schemas);
        for (path, mut item) in entry.paths().paths {
            for (method, operation) in operations(&mut item) {
                document::complete(operation, A::SCOPE, repeats, &codes);
                let run = move |request: HttpRequest, payload| call::serve(handler, repeats, request, payload);
                self.route(&path, method.clone(), web::method(method).to(run));
            }
            match self.paths.paths.get_mut(&path) {
                Some(known) => known.merge_operations(item),
                None => drop(self.paths.paths.insert(path, item)),
            }
        }
        self
    }

    fn route(&mut self, path: &str, method: Method, route: Route) {
        match self.resources.iter_mut().find(|(known, _)| *known == path) {
            Some((_, routes)) => routes.push((method, route)),
            None => self.resources.push((path.to_owned(), vec![(method, route)])),
        }
    }

    /// Puts the routes into a service.
    pub(crate) fn configure(self, config: &mut web::ServiceConfig) {
        let templates: Vec<_> = self.resources.iter().map(|(path, _)| path.clone()).collect();
        for (path, routes) in self.resources {
            let methods: Vec<_> = routes.iter().map(|(method, _)| method.clone()).collect();
            let also_an_id = templates.iter().any(|template| *template != path && fits(template, &path));
            let taken = methods.clone();
            let allowed = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
            let meters = Meters::new(&path, methods);
            let wrong = move |request: HttpRequest| std::future::ready(call::wrong_method(&request, &allowed));
            let mut resource = web::resource(path).app_data(meters).default_service(web::to(wrong));
            if also_an_id {
                // `/v1/connectors/validate` takes what it knows; for all else it is the connector of that id.
                resource = resource.guard(fn_guard(move |context| taken.contains(&context.head().method)));
            }
            config.service(routes.into_iter().fold(resource, |resource, (_, route)| resource.route(route)));
        }
    }

    /// The OpenAPI document.
    pub(crate) fn openapi(self) -> OpenApi {
        document::assemble(self.paths, self.components)
    }
}

/// Whether a path without parameters could be meant by `template`.
fn fits(template: &str, path: &str) -> bool {
    let segments = || template.split('/').zip(path.split('/'));
    template.split('/').count() == path.split('/').count()
        && segments().all(|(t, p)| t == p || (t.starts_with('{') && !p.starts_with('{')))
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let PathItem { get, post, put, patch, delete, .. } = item;
    let known = [
        (Method::GET, get),
        (Method::POST, post),
        (Method::PUT, put),
        (Method::PATCH, patch),
        (Method::DELETE, delete),
    ];
    known.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}
