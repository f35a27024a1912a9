//! Budgets as people set them, brought to the gates that keep them: of providers by their connectors' manifests, of apps by
//! their settings.
//!
//! Invariant: a gate says what the newest version of its connector says, or what its app's settings say, from the moment
//! that this is stored; a process that died in between is made up for by the next start. Deliberately absent: keeping to
//! them, which the store's claims do.

use crate::{Broker, Fault, Result};
use mortise_connectors::Manifest;
use mortise_domain::ConnectorKey;
use mortise_domain::gate::{GateId, Limits, Rate};
use mortise_store::{App, AppSettings, Connector, Page};
use std::collections::BTreeMap;

/// The most of a rate and of its period, as in manifests.
const MOST_REQUESTS: u32 = 1_000_000;
const LONGEST_PERIOD: u32 = 86_400;
const MOST_AT_ONCE: u32 = 100_000;
/// How many rows one look takes at a start.
const AT_ONCE: u64 = 100;

/// What is wrong with an app's budgets.
pub(crate) fn check(settings: &AppSettings) -> Vec<Fault> {
    let rate = settings.rate_limit;
    let numbers = [
        ("rate_limit/requests", rate.map(|rate| rate.requests), MOST_REQUESTS, "requests"),
        ("rate_limit/seconds", rate.map(|rate| rate.seconds), LONGEST_PERIOD, "seconds (a day at the most)"),
        ("concurrency", settings.concurrency, MOST_AT_ONCE, "requests at once, or leave it out for no limit"),
    ];
    let wrong = numbers.into_iter().filter(|(_, number, most, _)| number.is_some_and(|n| !(1..=*most).contains(&n)));
    let fault = |(path, _, most, what)| Fault {
        pointer: format!("/settings/{path}"),
        detail: format!("use 1 to {most} {what}"),
    };
    wrong.map(fault).collect()
}

fn of_app(settings: &AppSettings) -> Limits {
    let rate = settings.rate_limit.map(|rate| Rate { requests: rate.requests, seconds: rate.seconds });
    Limits { rate, concurrency: settings.concurrency, mint: None }
}

impl Broker {
    /// Brings an app's budgets to its gate.
    pub(crate) async fn limit_app(&self, app: &App) -> Result<()> {
        self.store.gate_limit(GateId::App(app.key), of_app(&app.settings)).await?;
        Ok(())
    }

    /// Brings the budgets of a connector's newest version to its provider's gate.
    pub(crate) async fn limit_provider(&self, key: ConnectorKey, manifest: &str) -> Result<()> {
        let manifest: Manifest = serde_json::from_str(manifest)?;
        self.store.gate_limit(GateId::Provider(key), manifest.auth.limits().gate).await?;
        Ok(())
    }

    /// Brings all budgets to their gates, where they are not there yet.
    pub(crate) async fn limit_all(&self) -> Result<()> {
        let known: BTreeMap<GateId, Limits> =
            self.store.gates().await?.into_iter().map(|gate| (gate.id, gate.limits)).collect();
        let mut wanted = Vec::new();
        for environment in self.store.environment_list().await? {
            let mut page = Page { limit: AT_ONCE, after: None };
            loop {
                let (connectors, next) = self.store.connector_list(environment.key, page).await?;
                wanted.extend(connectors.iter().filter_map(of_connector));
                page.after = next;
                if next.is_none() {
                    break;
                }
            }
            loop {
                let (apps, next) = self.store.app_list(environment.key, page).await?;
                wanted.extend(apps.iter().map(|app| (GateId::App(app.key), of_app(&app.settings))));
                page.after = next;
                if next.is_none() {
                    break;
                }
            }
        }
        let is_news = |(id, limits): &(GateId, Limits)| known.get(id).copied().unwrap_or_default() != *limits;
        for (id, limits) in wanted.into_iter().filter(is_news) {
            self.store.gate_limit(id, limits).await?;
        }
        Ok(())
    }
}

/// A manifest that does not read is not this start's to mend.
fn of_connector(connector: &Connector) -> Option<(GateId, Limits)> {
    match serde_json::from_str::<Manifest>(&connector.manifest) {
        Ok(manifest) => Some((GateId::Provider(connector.key), manifest.auth.limits().gate)),
        Err(error) => {
            tracing::error!(connector = %connector.id, %error, "a stored manifest does not read: its limits are left as they are");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mortise_store::AppRate;

    fn pointers(requests: u32, seconds: u32, concurrency: u32) -> Vec<String> {
        let rate_limit = Some(AppRate { requests, seconds });
        let settings = AppSettings { rate_limit, concurrency: Some(concurrency), ..AppSettings::default() };
        check(&settings).into_iter().map(|fault| fault.pointer).collect()
    }

    #[test]
    fn every_number_that_is_no_budget_is_named() {
        let none: [&str; 0] = [];
        assert_eq!(pointers(1, 1, 1), none);
        assert_eq!(pointers(1_000_000, 86_400, 100_000), none);
        let all = ["/settings/rate_limit/requests", "/settings/rate_limit/seconds", "/settings/concurrency"];
        assert_eq!(pointers(0, 0, 0), all);
        assert_eq!(pointers(1_000_001, 86_401, 100_001), all);
        assert!(check(&AppSettings::default()).is_empty());
    }

    #[test]
    fn settings_without_budgets_are_written_as_they_always_were() {
        let written = serde_json::to_string(&AppSettings::default()).unwrap();
        assert_eq!(written, r#"{"return_urls":[],"variables":{}}"#);
        let budget = r#"{"return_urls":[],"variables":{},"rate_limit":{"requests":5,"seconds":60},"concurrency":2}"#;
        let read: AppSettings = serde_json::from_str(budget).unwrap();
        let rate = Some(Rate { requests: 5, seconds: 60 });
        assert_eq!(of_app(&read), Limits { rate, concurrency: Some(2), mint: None });
    }
}
