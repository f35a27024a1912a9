//! The end of a world: with all faults over, whatever lives has to be refreshed again, and nothing may lie about.

use crate::machine::Machine;
use crate::world::World;
use mortise_broker::{Reason, Spill as _};
use mortise_domain::{ConnectionState, Timestamp};
use mortise_store::{Connection, Ledger as _};
use std::sync::Arc;
use std::time::Duration;

/// How long a living connection may take to be refreshed when somebody asks for it, again and again.
const PATIENCE: Duration = Duration::from_secs(420);
/// How long a dead one may take to be found out, from the end of the token that it still serves and from the next attempt that
/// was planned: after a dozen failures that is some ten minutes away.
const FOUND_OUT: Duration = Duration::from_secs(480);
/// And this much more where the provider refuses the whole app: then what single probes hear is believed after an hour.
const FOUND_OUT_BY_PROBES: Duration = Duration::from_secs(7_200);
/// How long the disks may take to be empty.
const TIDY: Duration = Duration::from_secs(120);

/// Brings everything to an end; answers what could not be.
pub async fn settle(world: &Arc<World>) -> Vec<String> {
    let mut unsettled = Vec::new();
    let ids: Vec<_> = world.books.rows().into_iter().map(|row| row.id).collect();
    for id in ids {
        let begun = world.clock.elapsed();
        loop {
            let row = world.books.connection_get(world.providers.environment, id).await.unwrap().unwrap();
            let alive = is_alive(world, &row);
            let (done, patience, fault) = match (row.state, alive) {
                (ConnectionState::Active, true) => {
                    (refresh(world, &row).await, PATIENCE, "lives and is not refreshed any more")
                }
                (ConnectionState::Active, false) => {
                    let until = |at: Option<Timestamp>| {
                        at.map_or(Duration::ZERO, |at| (at - row.updated_at).to_std().unwrap_or_default())
                    };
                    let (served, planned) = (until(row.expires_at), until(row.next_refresh_at));
                    let held = world.books.held_reason(row.app).map_or(Duration::ZERO, |_| FOUND_OUT_BY_PROBES);
                    (false, FOUND_OUT + served + planned + held, "is dead at its provider and not found out")
                }
                (ConnectionState::NeedsReauth | ConnectionState::Revoked | ConnectionState::Quarantined, _) => break,
                (ConnectionState::Pending | ConnectionState::Held, _) => {
                    (false, Duration::ZERO, "is in a state of its own")
                }
            };
            if done {
                break;
            }
            if world.clock.elapsed() > begun + patience {
                unsettled.push(format!("{id} {fault}"));
                break;
            }
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
    }
    unsettled.extend(tidy(world).await);
    unsettled
}

fn is_alive(world: &World, row: &Connection) -> bool {
    world.refresh_of(row).is_some_and(|token| world.providers.takes(&token))
}

/// Whether somebody who wants a new token now gets one.
async fn refresh(world: &World, row: &Connection) -> bool {
    let Some(process) = world.any_process() else { return false };
    let asked = process.engine.refresh_now(row.environment, row.id, row.generation, Reason::Forced).await;
    matches!(asked, Ok(mortise_broker::Ended::Refreshed))
}

/// Disks are emptied into the books, as long as somebody is there to do it.
async fn tidy(world: &World) -> Option<String> {
    let depth = |machine: &Machine| machine.disk.lock().unwrap().depth();
    let until = world.clock.elapsed() + TIDY;
    while world.clock.elapsed() < until {
        if world.machines.iter().all(|machine| depth(machine) == 0) {
            return None;
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    let depths: Vec<_> = world.machines.iter().map(depth).collect();
    Some(format!("entries still lie on the disks: {depths:?}"))
}
