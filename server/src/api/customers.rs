//! Customers, named by the ids of the people who run the service.

use super::wire::{Page, PageQuery, Time};
use crate::access::{CustomersRead, CustomersWrite};
use crate::call::Call;
use crate::input::{Id, Json, Nothing};
use crate::problem::Result;
use crate::reply::{self, Reply};
use crate::routes::Routes;
use actix_web::http::StatusCode;
use mortise_broker::{CustomerInput, CustomerView};
use mortise_domain::CustomerId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

pub(super) fn add(routes: &mut Routes) {
    routes
        .add(__path_list_customers, list_customers, &[])
        .add(__path_get_customer, get_customer, &[])
        .add(__path_put_customer, put_customer, &[])
        .add(__path_delete_customer, delete_customer, &[]);
}

/// What is known of a customer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CustomerFields {
    /// How the consent page calls them.
    #[schema(max_length = 200)]
    name: Option<String>,
    /// Anything, as one JSON object of at most 16 KiB.
    #[serde(default)]
    #[schema(value_type = Object, additional_properties)]
    metadata: Map<String, Value>,
}

/// A customer.
#[derive(Debug, Serialize, ToSchema)]
struct Customer {
    /// Their id, chosen by you.
    #[schema(value_type = String)]
    id: CustomerId,
    /// How the consent page calls them.
    #[schema(required = true)]
    name: Option<String>,
    /// Whatever was stored with them.
    #[schema(value_type = Object, additional_properties)]
    metadata: Value,
    /// When they were first put.
    created_at: Time,
    /// When they were put last.
    updated_at: Time,
}

impl From<CustomerView> for Customer {
    fn from(CustomerView { id, name, metadata, created_at, updated_at }: CustomerView) -> Self {
        Self { id, name, metadata, created_at: Time(created_at), updated_at: Time(updated_at) }
    }
}

/// List customers
#[utoipa::path(
    get, path = "/v1/customers", tag = "customers", params(PageQuery),
    responses((status = 200, description = "A page of them.", body = Page<Customer>)),
)]
async fn list_customers(call: Call<CustomersRead, (), PageQuery>) -> Result<Reply> {
    let broker = call.state.broker.clone();
    reply::ok(&Page::<Customer>::of(broker.list_customers(&call.caller, &call.query.into()).await?))
}

/// Get a customer
#[utoipa::path(
    get, path = "/v1/customers/{id}", tag = "customers",
    params(("id" = String, Path, description = "The customer, by your id.")),
    responses((status = 200, description = "The customer.", body = Customer)),
)]
async fn get_customer(call: Call<CustomersRead, Id<CustomerId>>) -> Result<Reply> {
    reply::ok(&Customer::from(call.broker().customer(&call.caller, &call.path.0).await?))
}

/// Create or replace a customer
#[utoipa::path(
    put, path = "/v1/customers/{id}", tag = "customers", request_body = CustomerFields,
    params(("id" = String, Path, description = "The customer, by your id: 1 to 128 characters without `/`.")),
    responses(
        (status = 200, description = "Replaced.", body = Customer),
        (status = 201, description = "Created.", body = Customer),
    ),
)]
async fn put_customer(call: Call<CustomersWrite, Id<CustomerId>, Nothing, Json<CustomerFields>>) -> Result<Reply> {
    let broker = call.state.broker.clone();
    let CustomerFields { name, metadata } = call.body.0;
    let (view, created) = broker.put_customer(&call.caller, &call.path.0, CustomerInput { name, metadata }).await?;
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    reply::json(status, &Customer::from(view))
}

/// Delete a customer
///
/// Every connection is ended, here at once and at the providers as soon as they answer, and the key that sealed the
/// customer's credentials is destroyed.
#[utoipa::path(
    delete, path = "/v1/customers/{id}", tag = "customers",
    params(("id" = String, Path, description = "The customer, by your id.")),
    responses((status = 204, description = "They are gone.")),
)]
async fn delete_customer(call: Call<CustomersWrite, Id<CustomerId>>) -> Result<Reply> {
    call.broker().delete_customer(&call.caller, &call.path.0).await?;
    reply::nothing()
}
