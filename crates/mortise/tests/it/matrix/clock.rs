//! Row 23: a replica's wall clock is wrong, and changes its mind in between. Leases, plans and ends of tokens are the
//! database's business; the wall clock only dates lines.

use super::hands::{LOOKS, looks, soon, uuid_of};
use super::stage::{ALL, Stage};
use crate::world::START;
use mortise_sandbox::RecoveryClass::F;
use mortise_testkit::faults::FakeClock;

const JUMPS: [i64; 4] = [300, -300, 31_536_000, -31_536_000];
/// The database's clock in unix milliseconds.
const NOW: &str = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// A server whose clock is wrong hands out no token that has ended, and asks for no new one while the old one lives.
#[tokio::test]
async fn row_23_a_servers_clock_is_wrong() {
    let mut stage = Stage::serving(60, &[F]).await;
    let live = stage.import(F, 1).await.remove(0);
    let clock = FakeClock::new();
    let (mut server, api) = stage.server_with("server", |launch| clock.apply(launch)).await;
    let story = stage.story.through(api);
    story.served(&stage.world.provider, &live).await;
    stage.world.provider.lifetime(F, 3);
    let short = stage.import(F, JUMPS.len()).await;
    stage.world.provider.lifetime(F, 3600);
    let ended = async || {
        let alive = stage.world.provider.grants(F).iter().filter(|grant| !grant.alive_access_tokens.is_empty()).count();
        alive == 1
    };
    soon("the end of the short tokens", ended).await;
    for (jump, short) in JUMPS.into_iter().zip(short) {
        clock.set(jump);
        for _ in 0..3 {
            story.served(&stage.world.provider, &live).await;
            story.served(&stage.world.provider, &short).await;
        }
        assert_eq!(stage.asked(std::slice::from_ref(&live)), 0, "{jump} s: a live token was renewed");
        assert_eq!(stage.asked(std::slice::from_ref(&short)), 1, "{jump} s: an ended token was renewed twice");
    }
    assert!(server.sigterm(START).await.success(), "{}", server.output());
    stage.end_without_history().await;
}

/// A worker whose clock jumps between its request and the reply: nobody else's row is touched, and what it stores is planned
/// and ends by the right time.
#[tokio::test]
async fn row_23_a_workers_clock_jumps_in_the_middle_of_an_attempt() {
    let mut stage = Stage::serving(60, &ALL).await;
    let (made, others) = (stage.one_each(&ALL).await, stage.one_each(&ALL).await);
    let clock = FakeClock::new();
    let mut worker = clock.apply(stage.launch("worker").env("MORTISE_LOG", LOOKS)).start();
    for (jump, generation) in JUMPS.into_iter().zip(2..) {
        stage.hold_replies();
        stage.make_due(&made).await;
        looks(&worker, 2).await;
        stage.wait_for_requests(&made, 6 * (generation as usize - 1)).await;
        let lease = format!("SELECT max(lease_until) - {NOW} FROM connections WHERE lease_until IS NOT NULL");
        clock.set(jump);
        let left = stage.gate.number(&lease).await;
        // No jump is as short as that.
        assert!((0..=120_000).contains(&left), "a lease of {left} ms");
        stage.wire.heal().await;
        stage.wait_for_generation(&made, generation).await;
        for made in &made {
            let uuid = uuid_of(&made.id);
            for column in ["expires_at", "next_refresh_at"] {
                let left =
                    stage.gate.number(&format!("SELECT {column} - {NOW} FROM connections WHERE id = '{uuid}'")).await;
                assert!((1_000_000..=3_600_000).contains(&left), "{jump} s: {column} is {left} ms away");
            }
        }
    }
    assert_eq!(stage.asked(&others), 0, "rows that were not due were refreshed");
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.end_without_history().await;
}
