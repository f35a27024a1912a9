//! `mortise worker`: the background worker.

use crate::settings::Settings;
use crate::{assemble, stop};
use mortise_worker::Runner;

pub(super) async fn run(settings: &Settings) -> anyhow::Result<()> {
    let assembled = assemble::checked_broker(settings).await?;
    let runner = Runner::new(assembled.broker.clone(), assembled.clock.clone());
    let ticker = runner.start().await?;
    tracing::info!("working");
    stop::requested().await?;
    tracing::info!("stopping: refreshes in flight come to their end first");
    runner.stop(ticker).await?;
    tracing::info!("stopped");
    Ok(())
}
