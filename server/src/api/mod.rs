//! The REST API under `/v1`: one file a resource, with its wire structs beside its handlers.
//!
//! A handler turns what was sent into one call of a use case and the outcome into an answer. Invariant: request structs
//! refuse unknown members; nothing but `tokens` answers with a provider's token.

mod api_keys;
mod apps;
mod catalog;
mod client_documents;
mod connect_sessions;
mod connections;
mod connectors;
mod customers;
mod discovery;
mod environments;
mod holds;
mod moves;
mod tokens;
mod versions;
mod wire;

use crate::routes::Routes;

/// Adds every route; those of tokens first, because most requests are for them.
pub(crate) fn add(routes: &mut Routes) {
    tokens::add(routes);
    connections::add(routes);
    connect_sessions::add(routes);
    customers::add(routes);
    apps::add(routes);
    connectors::add(routes);
    discovery::add(routes);
    client_documents::add(routes);
    catalog::add(routes);
    api_keys::add(routes);
    versions::add(routes);
    moves::add(routes);
    holds::add(routes);
    environments::add(routes);
}
