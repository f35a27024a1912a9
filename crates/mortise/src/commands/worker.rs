//! `mortise worker`: the background worker.

use super::serve;
use crate::assemble;
use crate::settings::Settings;
use crate::stop::Stop;
use anyhow::Context as _;
use mortise_worker::Runner;

pub(super) async fn run(settings: &Settings) -> anyhow::Result<()> {
    let mut stop = Stop::listen()?;
    let assembled = tokio::select! {
        assembled = assemble::checked_broker(settings) => assembled?,
        () = stop.requested() => return Ok(()),
    };
    if let Some(address) = settings.metrics_listen {
        let metrics = serve::recorder()?.with_http_listener(address).install();
        metrics.with_context(|| format!("metrics_listen: {address} cannot be listened on"))?;
    }
    let runner = Runner::new(assembled.broker.clone(), assembled.clock.clone());
    let ticker = runner.start().await?;
    tracing::info!("working");
    stop.requested().await;
    tracing::info!("stopping: refreshes in flight come to their end first");
    runner.stop(ticker).await?;
    tracing::info!("stopped");
    Ok(())
}
