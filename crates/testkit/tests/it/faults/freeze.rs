//! A process that stands still writes nothing, and goes on where it was.

use mortise_testkit::faults::{freeze, thaw};
use mortise_testkit::{Launch, wait};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_frozen_process_stands_still_until_it_is_thawed() {
    let mut ticker = Launch::new("sh").args(["-c", "while :; do echo tick; sleep 0.02; done"]).start();
    ticker.line(SOON, |line| (line == "tick").then_some(())).await;
    freeze(&mut ticker).await;
    let before = ticker.stdout();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(ticker.stdout(), before);
    assert_eq!(ticker.exit_status(), None);
    thaw(&mut ticker).await;
    wait::until(SOON, async || Ok((ticker.stdout().len() > before.len()).then_some(()))).await.unwrap();
}
