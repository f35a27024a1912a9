//! What each job does: a call or two into the broker. Answers how much there was to do.

use crate::{Job, JobError};
use mortise_broker::Broker;
use std::sync::Arc;

/// Runs a job once.
pub(crate) async fn run(job: Job, broker: &Arc<Broker>) -> Result<usize, JobError> {
    Ok(match job {
        Job::RefreshDue => refresh_due(broker).await?,
        Job::ProbeHeldApps => broker.probe_held_apps().await?,
        Job::RevokeDue => broker.revoke_due().await?,
        Job::ReplaySpill => broker.replay_spill().await?,
        Job::WriteUses => broker.write_uses().await?,
        Job::WarnOfEnds => broker.warn_of_ends().await?,
        Job::Measure => broker.measure().await?,
        Job::Sweep => {
            let swept = broker.sweep().await?;
            usize::try_from(swept.attempts + swept.sessions + swept.replies + swept.gates).unwrap_or(usize::MAX)
        }
    })
}

/// Goes on while more is due than there was room for, so that a backlog is not worked off at one batch a tick.
async fn refresh_due(broker: &Arc<Broker>) -> Result<usize, JobError> {
    let mut begun = 0;
    loop {
        let pass = broker.refresh_due().await?;
        begun += pass.begun;
        if !pass.more || broker.is_draining() {
            return Ok(begun);
        }
        if pass.begun == 0 {
            broker.wait_for_room().await;
        }
    }
}
