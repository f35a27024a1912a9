//! A process's wall clock jumps while it runs; its monotonic clock and everybody else's do not.

use mortise_testkit::Launch;
use mortise_testkit::faults::FakeClock;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);
const SCRIPT: &str = "const fs = require('fs'); let n = 0;
    setInterval(() => { n += 1; console.log([n, Date.now(), Math.round(performance.now())].join(' ')) }, 20);";

/// Wall and monotonic clock of the process in ms, after the line that was written last.
async fn read(process: &mut mortise_testkit::Process) -> (i64, i64) {
    let lines = process.stdout().lines().count() as i64;
    process
        .line(SOON, |line| {
            let numbers: Vec<i64> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
            // The line after the next was begun after this call.
            (numbers.len() == 3 && numbers[0] > lines + 1).then(|| (numbers[1], numbers[2]))
        })
        .await
}

#[tokio::test]
async fn a_jump_moves_the_wall_clock_and_not_the_monotonic_one() {
    let clock = FakeClock::new();
    let mut process = clock.apply(Launch::new("node").args(["-e", SCRIPT])).start();
    let (mut wall, mut monotonic) = read(&mut process).await;
    for (seconds, jump) in [(300, 300), (-300, -600), (31_536_000, 31_536_300), (0, -31_536_000)] {
        clock.set(seconds);
        let (next_wall, next_monotonic) = read(&mut process).await;
        let passed = next_monotonic - monotonic;
        assert!((0..30_000).contains(&passed), "the monotonic clock jumped by {passed} ms");
        let off = next_wall - wall - passed - jump * 1000;
        assert!(off.abs() < 20_000, "at {seconds} s the wall clock is off by {off} ms");
        (wall, monotonic) = (next_wall, next_monotonic);
    }
}
