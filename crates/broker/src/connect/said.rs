//! Who says what is filled in: the app, the backend, or the customer on the consent page.
//!
//! Invariant: where the app's own credentials are all that a token takes, no customer says whose data it is for. What the
//! backend said of a connection stays when its customer connects again.

use crate::filled_in::filled_in;
use crate::loaded::LoadedApp;
use crate::{Broker, ConnectFault, Error, Fault, Result};
use mortise_connectors::{Manifest, Values};
use mortise_domain::CustomerKey;
use mortise_oauth::EgressPolicy;
use mortise_store::App;

const NOT_YOURS: &str = "this is not the customer's to say: leave it out";

impl Broker {
    /// What the backend said of the connection that the customer has at the app.
    pub(super) async fn said_by_backend(
        &self,
        manifest: &Manifest,
        app: &App,
        customer: CustomerKey,
    ) -> Result<Values> {
        let there = self.store.connection_find(app.environment, customer, app.key).await?;
        let values = there.into_iter().flat_map(|connection| connection.variables);
        Ok(values.filter(|(name, _)| only_the_backend_fills(manifest, name)).collect())
    }

    /// Refuses an app for whose consent page something is missing that customers are not asked for.
    pub(super) async fn check_said(&self, app: &App, customer: CustomerKey, place: &str) -> Result<()> {
        let Some(name) = self.unsaid(app, customer).await? else { return Ok(()) };
        let detail = format!(
            "`{name}` says whose data the app's own credentials fetch, so customers are not asked for it: fix it in the \
             app's `settings.variables`, or make this connection with POST /v1/connections and `variables`"
        );
        Err(Error::invalid(place, detail))
    }

    /// The first variable that only the backend may fill in, and that nobody has.
    pub(super) async fn unsaid(&self, app: &App, customer: CustomerKey) -> Result<Option<String>> {
        let manifest = self.apps.manifest(app, app.connector_version).await?;
        let open = manifest.variables.iter().filter(|(name, variable)| {
            only_the_backend_fills(&manifest, name)
                && variable.default.is_none()
                && !app.settings.variables.contains_key(*name)
        });
        let open: Vec<&String> = open.map(|(name, _)| name).collect();
        if open.is_empty() {
            return Ok(None);
        }
        let said = self.said_by_backend(&manifest, app, customer).await?;
        Ok(open.into_iter().find(|name| !said.contains_key(*name)).cloned())
    }
}

/// The admin's fixed values, what the backend `said`, and the customer's, which can override neither.
pub(super) fn merged_values(egress: &EgressPolicy, app: &LoadedApp, given: &Values, said: Values) -> Result<Values> {
    let given = given.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name.clone(), value.clone()));
    let mut all: Values = given.collect();
    let presumed = all.keys().filter(|name| only_the_backend_fills(&app.manifest, name));
    let faults: Vec<_> = presumed.map(|name| Fault { pointer: format!("/{name}"), detail: NOT_YOURS.into() }).collect();
    if !faults.is_empty() {
        return Err(ConnectFault::Fields(faults).into());
    }
    all.extend(said);
    filled_in(egress, app, &all, "").map_err(|faults| ConnectFault::Fields(faults).into())
}

fn only_the_backend_fills(manifest: &Manifest, name: &str) -> bool {
    let known = manifest.variables.contains_key(name);
    known && !manifest.customers_fill(name) && !manifest.only_the_app_fills(name)
}
