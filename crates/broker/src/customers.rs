//! Customers, named by the ids of the people who run the broker.

use crate::{Broker, Caller, Error, Listing, PageRequest, Result};
use mortise_domain::{ApiScope, CustomerId, CustomerKey, Timestamp};
use mortise_store::{Customer, StoreError};
use serde_json::json;

/// What is known of a customer.
#[derive(Debug, Clone, Default)]
pub struct CustomerInput {
    /// How the consent page calls them, at most 200 characters.
    pub name: Option<String>,
    /// Anything, as one JSON object of at most 16 KiB.
    pub metadata: serde_json::Map<String, serde_json::Value>,
}

/// A customer as it is shown.
#[derive(Debug, Clone)]
pub struct CustomerView {
    /// Their id.
    pub id: CustomerId,
    /// Their name.
    pub name: Option<String>,
    /// Whatever was stored with them.
    pub metadata: serde_json::Value,
    /// When they were first put.
    pub created_at: Timestamp,
    /// When they were put last.
    pub updated_at: Timestamp,
}

impl From<Customer> for CustomerView {
    fn from(row: Customer) -> Self {
        let Customer { id, name, metadata, created_at, updated_at, .. } = row;
        Self { id, name, metadata, created_at, updated_at }
    }
}

impl Broker {
    /// Creates or replaces a customer; says whether it was created.
    pub async fn put_customer(
        &self,
        caller: &Caller,
        id: &CustomerId,
        input: CustomerInput,
    ) -> Result<(CustomerView, bool)> {
        caller.require(ApiScope::CustomersWrite)?;
        if input.name.as_ref().is_some_and(|name| name.chars().count() > 200 || name.chars().any(char::is_control)) {
            return Err(Error::invalid("/name", "use at most 200 characters without control characters"));
        }
        let metadata = check_metadata(input.metadata)?;
        let key = CustomerKey::generate(&*self.clock, &*self.entropy);
        let (env, now) = (caller.environment, self.clock.now());
        let (row, created) = self.store.customer_put(env, key, id, input.name.as_deref(), &metadata, now).await?;
        Ok((row.into(), created))
    }

    /// One customer.
    pub async fn customer(&self, caller: &Caller, id: &CustomerId) -> Result<CustomerView> {
        caller.require(ApiScope::CustomersRead)?;
        Ok(self.customer_row(caller, id).await?.into())
    }

    /// The environment's customers.
    pub async fn list_customers(&self, caller: &Caller, page: &PageRequest) -> Result<Listing<CustomerView>> {
        caller.require(ApiScope::CustomersRead)?;
        Ok(Listing::of(self.store.customer_list(caller.environment, page.read()?).await?, CustomerView::from))
    }

    /// Deletes a customer: every connection is revoked, here at once and at the providers as soon as they answer, and
    /// the data key that sealed their credentials is destroyed.
    pub async fn delete_customer(&self, caller: &Caller, id: &CustomerId) -> Result<()> {
        caller.require(ApiScope::CustomersWrite)?;
        let customer = self.customer_row(caller, id).await?;
        let ids = loop {
            let connections = self.store.connections_of_customer(caller.environment, customer.key).await?;
            let mut endings = Vec::with_capacity(connections.len());
            for connection in &connections {
                endings.push(self.revoker.ending_of(connection, json!({"key": caller.key})).await?);
            }
            let ids: Vec<_> = endings.iter().flat_map(|ending| &ending.revocations).map(|r| r.id).collect();
            match self.store.customer_delete(caller.environment, customer.key, &endings, self.clock.now()).await {
                Ok(true) => break ids,
                Ok(false) => return Err(Error::NotFound("customer")),
                // A refresh was stored in between: the tokens to revoke are others now.
                Err(StoreError::Stale(_)) => continue,
                Err(error) => return Err(error.into()),
            }
        };
        self.secrets.data_keys.forget(customer.key).await;
        self.revoker.revoke_soon(ids).await;
        Ok(())
    }

    pub(crate) async fn customer_row(&self, caller: &Caller, id: &CustomerId) -> Result<Customer> {
        self.store.customer_get(caller.environment, id).await?.ok_or(Error::NotFound("customer"))
    }
}

pub(crate) fn check_metadata(metadata: serde_json::Map<String, serde_json::Value>) -> Result<serde_json::Value> {
    let metadata = serde_json::Value::Object(metadata);
    if metadata.to_string().len() > 16 * 1024 {
        return Err(Error::invalid("/metadata", "use at most 16 KiB of JSON"));
    }
    Ok(metadata)
}
