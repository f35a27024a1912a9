//! A small disk is full for the process that has it, and for nobody else.

use mortise_testkit::faults::SmallDisk;
use mortise_testkit::{Launch, wait};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_full_disk_has_no_room_until_it_is_emptied() {
    let disk = SmallDisk::new(64);
    let script = "echo kept >first || exit 3; n=0
        while :; do n=$((n + 1)); if cp first next; then echo \"$n written\"; else echo \"$n refused\"; fi; rm -f next; sleep 0.02; done";
    let words = ["-c".to_owned(), format!("cd '{}' && {script}", disk.path().display())];
    let mut writer = disk.apply(Launch::new("sh").args(words)).start();
    writer.line(SOON, |line| line.ends_with("written").then_some(())).await;
    // A copy that was there while the disk was filled leaves room for the next one.
    let full = wait::until(SOON, async || {
        disk.fill(&mut writer).await;
        Ok(writer.stdout().lines().last().is_some_and(|line| line.ends_with("refused")).then_some(()))
    });
    full.await.unwrap();
    assert!(writer.stderr().contains("No space left on device"), "{}", writer.output());
    assert_eq!(std::fs::read_to_string(disk.seen_by(&writer).join("first")).unwrap(), "kept\n");
    assert_eq!(std::fs::read_dir(disk.path()).unwrap().count(), 0, "only the process sees it");

    disk.empty(&writer);
    let lines = writer.stdout().lines().count();
    let again = wait::until(SOON, async || {
        let output = writer.stdout();
        Ok(output.lines().skip(lines + 1).any(|line| line.ends_with("written")).then_some(()))
    });
    again.await.unwrap();
}
