//! Row 21: no room for the spill. A refresh whose reply could be lost is not begun; what is there is served.

use super::hands::{LOOKS, looks};
use super::stage::{ALL, Stage};
use crate::world::START;
use mortise_sandbox::RecoveryClass::F;
use mortise_testkit::faults::SmallDisk;

#[tokio::test]
async fn row_21_the_disk_of_a_workers_spill_is_full() {
    let mut stage = Stage::serving(60, &ALL).await;
    let (made, disk) = (stage.one_each(&ALL).await, SmallDisk::new(64));
    let launch = stage.launch("worker").env("MORTISE_SPILL_DIR", disk.path()).env("MORTISE_LOG", LOOKS);
    let mut worker = disk.apply(launch).start();
    crate::site::logged(&mut worker, "working").await;
    disk.fill(&mut worker).await;
    stage.make_due(&made).await;
    looks(&worker, 3).await;
    assert_eq!(stage.asked(&made), 0, "a refresh was begun that has nowhere to spill");
    for made in &made {
        stage.story.served(&stage.world.provider, made).await;
    }
    disk.empty(&worker);
    stage.wait_for_generation(&made, 2).await;
    assert_eq!(stage.asked(&made), 6);
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.end().await;
}

#[tokio::test]
async fn row_21_the_disk_of_a_servers_spill_is_full() {
    let mut stage = Stage::serving(60, &[F]).await;
    let (made, disk) = (stage.import(F, 1).await.remove(0), SmallDisk::new(64));
    let small = |launch: mortise_testkit::Launch| disk.apply(launch.env("MORTISE_SPILL_DIR", disk.path()));
    let (mut server, api) = stage.server_with("server", small).await;
    let story = stage.story.through(api.clone());
    disk.fill(&mut server).await;
    // Whether or not the server has noticed already.
    assert_eq!(api.refresh(&made.id).await.status, 503);
    assert_eq!(stage.asked(std::slice::from_ref(&made)), 0, "a refresh was begun that has nowhere to spill");
    crate::site::logged(&mut server, "the spill folder cannot be written").await;
    story.served(&stage.world.provider, &made).await;
    let answer = api.refresh(&made.id).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
    assert_eq!(stage.asked(std::slice::from_ref(&made)), 0, "a refresh was begun that has nowhere to spill");
    story.served(&stage.world.provider, &made).await;
    disk.empty(&server);
    super::hands::soon("a refresh", async || api.refresh(&made.id).await.status == 200).await;
    story.served(&stage.world.provider, &made).await;
    assert!(server.sigterm(START).await.success(), "{}", server.output());
    stage.end().await;
}
