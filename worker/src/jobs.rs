//! What each job does: a call or two into the broker. Answers how much there was to do.

use crate::{Job, JobError};
use mortise_broker::Broker;
use std::sync::Arc;
use std::time::Duration;

/// Runs a job once.
pub(crate) async fn run(job: Job, broker: &Arc<Broker>) -> Result<usize, JobError> {
    Ok(match job {
        Job::RefreshDue => refresh_due(broker).await?,
        Job::PollDevices => broker.poll_devices().await?,
        Job::ProbeHeldApps => broker.probe_held_apps().await?,
        Job::ApplyHolds => broker.apply_holds().await?,
        Job::RevokeDue => broker.revoke_due().await?,
        Job::MoveConnections => broker.move_connections().await?,
        Job::ReplaySpill => broker.replay_spill().await?,
        Job::WriteUses => broker.write_uses().await?,
        Job::WarnOfEnds => broker.warn_of_ends().await?,
        Job::Measure => broker.measure().await?,
        Job::Sweep => {
            let swept = broker.sweep().await?;
            usize::try_from(swept.attempts + swept.sessions + swept.replies + swept.gates + swept.moves)
                .unwrap_or(usize::MAX)
        }
    })
}

/// A gate that opens before the next tick is waited for, so that a provider's rate is used evenly; not shorter than this,
/// because a claim for many costs what one for a single row does.
const GATHER: Duration = Duration::from_millis(200);
const TICK: Duration = Duration::from_secs(1);

/// Goes on while more is due than there was room for, so that a backlog is not worked off at one batch a tick. What waits
/// for a gate that stays closed is looked for at the next tick, which also finds what is new.
async fn refresh_due(broker: &Arc<Broker>) -> Result<usize, JobError> {
    let mut begun = 0;
    loop {
        let pass = broker.refresh_due().await?;
        begun += pass.begun;
        match pass.opens_in {
            _ if broker.is_draining() => return Ok(begun),
            _ if pass.more && pass.begun > 0 => {}
            _ if pass.more => broker.wait_for_room().await,
            Some(wait) if wait < TICK => tokio::time::sleep(wait.max(GATHER)).await,
            Some(_) | None => return Ok(begun),
        }
    }
}
