//! Row 23: a replica's wall clock is wrong, and changes its mind in between. Leases, plans and ends of tokens are the
//! database's business; the wall clock only dates lines.

use super::hands::soon;
use super::stage::Stage;
use crate::world::START;
use mortise_sandbox::RecoveryClass::F;
use mortise_testkit::faults::FakeClock;

const JUMPS: [i64; 4] = [300, -300, 31_536_000, -31_536_000];

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
