//! Putting a broker together from settings.

use crate::settings::Settings;
use anyhow::Context as _;
use mortise_broker::{Broker, BrokerConfig};
use mortise_domain::{Clock, OsEntropy, SystemClock};
use mortise_oauth::{Egress, EgressPolicy};
use mortise_store::Store;
use mortise_vault::load_key_file;
use std::sync::Arc;

/// The broker with the seams that whoever runs it needs too.
pub(crate) struct Assembled {
    pub(crate) broker: Arc<Broker>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// A broker that has opened its database and its keys, and checked nothing yet.
pub(crate) async fn broker(settings: &Settings) -> anyhow::Result<Assembled> {
    // What is not set is said before what is set wrongly.
    let (_, key_file) = (settings.database_url()?, settings.key_file()?);
    let keyring = load_key_file(key_file)?;
    let store = store(settings).await?;
    let egress = EgressPolicy { allow: settings.egress_allow.clone() };
    let transport = match &settings.egress_ca_file {
        Some(path) => {
            let pem =
                std::fs::read(path).with_context(|| format!("egress_ca_file: {} cannot be read", path.display()))?;
            Egress::trusting(egress.clone(), &pem).with_context(|| format!("egress_ca_file: {}", path.display()))?
        }
        None => Egress::new(egress.clone()).context("the outbound HTTP client")?,
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let config = BrokerConfig {
        public_url: settings.public_url.clone(),
        egress,
        spill_dir: settings.spill_dir()?,
        refresh_concurrency: settings.refresh_concurrency,
        refresh_deadline: settings.refresh_deadline,
    };
    let broker = Broker::new(store, keyring, Arc::new(transport), clock.clone(), Arc::new(OsEntropy), config);
    let broker = broker.with_key_file(key_file.to_owned());
    Ok(Assembled { broker: Arc::new(broker), clock })
}

/// A broker that passed the checks of a start.
pub(crate) async fn checked_broker(settings: &Settings) -> anyhow::Result<Assembled> {
    let assembled = broker(settings).await?;
    assembled.broker.check().await?;
    Ok(assembled)
}

pub(crate) async fn store(settings: &Settings) -> anyhow::Result<Store> {
    let url = settings.database_url()?;
    Store::connect(url, settings.database_connections).await.context("the database of MORTISE_DATABASE_URL")
}
