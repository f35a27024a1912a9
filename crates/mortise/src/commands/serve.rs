//! `mortise serve`: the web service.

use crate::assemble;
use crate::settings::Settings;
use crate::stop::Stop;
use anyhow::Context as _;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use mortise_server::State;
use std::net::TcpListener;
use std::sync::Arc;

pub(super) async fn run(settings: &Settings) -> anyhow::Result<()> {
    let mut stop = Stop::listen()?;
    let assembled = tokio::select! {
        assembled = assemble::checked_broker(settings) => assembled?,
        () = stop.requested() => return Ok(()),
    };
    let (state, listener) = (state(&assembled, metrics()?), listen(settings)?);
    tracing::info!(listen = %settings.listen, public_url = %settings.public_url, "serving");
    let server = mortise_server::run(state, listener, settings.http_workers)?;
    let handle = server.handle();
    let broker = assembled.broker.clone();
    let stopper = async move {
        stop.requested().await;
        handle.stop(true).await;
        broker.begin_drain();
    };
    // Grants that the database was away for are stored here, too: no worker looks into this process's folder.
    let tended = async { tokio::join!(assembled.broker.tend_spill(), assembled.broker.tend_uses()) };
    let (served, (), ((), ())) = tokio::join!(server, stopper, tended);
    assembled.broker.drain().await;
    tracing::info!("stopped");
    Ok(served?)
}

pub(super) fn state(assembled: &assemble::Assembled, metrics: PrometheusHandle) -> Arc<State> {
    Arc::new(State::new(assembled.broker.clone(), assembled.clock.clone(), metrics))
}

pub(super) fn listen(settings: &Settings) -> anyhow::Result<TcpListener> {
    TcpListener::bind(settings.listen).with_context(|| format!("listen: {} cannot be listened on", settings.listen))
}

pub(super) fn metrics() -> anyhow::Result<PrometheusHandle> {
    recorder()?.install_recorder().context("the metrics recorder")
}

pub(super) fn recorder() -> anyhow::Result<PrometheusBuilder> {
    PrometheusBuilder::new().set_buckets(mortise_server::DURATION_BUCKETS).context("the metrics' buckets")
}
