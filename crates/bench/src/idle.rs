//! What web service and worker take while nothing happens.

use crate::processor::{Meter, resident_megabytes};
use crate::site::Site;
use anyhow::Result;
use std::time::Duration;

/// How long after the start.
const SETTLED: Duration = Duration::from_secs(5);

/// What was seen on one database. Shares of processors are in percent of one core.
pub(crate) struct Idle {
    pub(crate) server_megabytes: f64,
    pub(crate) server: f64,
    pub(crate) worker_megabytes: f64,
    pub(crate) worker: f64,
    pub(crate) database: Option<f64>,
    pub(crate) others: f64,
}

/// Both processes beside each other, with nothing due. The web service is stopped again.
pub(crate) async fn measure(meter: &Meter, site: &mut Site, seconds: u64) -> Result<Idle> {
    site.serve().await;
    let worker = site.launch(&["worker"]).start();
    tokio::time::sleep(SETTLED).await;
    let begin = meter.now()?;
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let span = meter.since(begin)?;
    let server = site.server_process()?;
    let idle = Idle {
        server_megabytes: resident_megabytes(server)?,
        server: span.percent_of(server),
        worker_megabytes: resident_megabytes(worker.pid())?,
        worker: span.percent_of(worker.pid()),
        database: site.database_process()?.map(|process| span.percent_of(process)),
        others: span.percent_of_others(),
    };
    site.stop().await;
    Ok(idle)
}
