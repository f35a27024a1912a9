//! Quick runs as whole processes: each writes its section and its plot, and leaves nothing behind.

use mortise_testkit::{Launch, Process};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(400);

/// A folder for the report, and one for everything that a run makes and has to remove.
struct Place {
    report: tempfile::TempDir,
    temporary: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let (report, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        // The database server runs under an account of its own and has its data in there.
        std::fs::set_permissions(temporary.path(), Permissions::from_mode(0o755)).unwrap();
        Self { report, temporary }
    }

    fn out(&self) -> PathBuf {
        self.report.path().join("figures.md")
    }

    fn bench(&self, figure: &str) -> Process {
        // The program that is measured stands beside this one.
        let launch = Launch::new(env!("CARGO_BIN_EXE_mortise-bench")).args(["--quick", "--figure", figure, "--out"]);
        launch.args([self.out()]).env("TMPDIR", self.temporary.path()).start()
    }

    /// Ports are locked by files that stay.
    fn assert_nothing_is_left(&self) {
        let left = std::fs::read_dir(self.temporary.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let left: Vec<_> = left.filter(|name| name != "mortise-ports").collect();
        assert!(left.is_empty(), "left behind: {left:?}");
        let of = |id: &str| std::fs::read(Path::new("/proc").join(id).join("cmdline")).unwrap_or_default();
        let ids = std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().into_string().ok());
        let own = self.temporary.path().to_string_lossy().into_owned();
        let running = ids.map(|id| String::from_utf8_lossy(&of(&id)).into_owned());
        let running: Vec<_> = running.filter(|command| command.contains(&own)).collect();
        assert!(running.is_empty(), "still running: {running:?}");
    }
}

async fn measured(figure: &str, rows: &[&str]) -> String {
    let place = Place::new();
    let mut bench = place.bench(figure);
    let status = bench.ended(PATIENCE).await;
    assert!(status.success(), "{status}\n{}", bench.output());
    let report = std::fs::read_to_string(place.out()).unwrap();
    for row in rows {
        assert!(report.contains(&format!("\n| {row}")), "no row {row}:\n{report}");
    }
    let (_, section) = report.split_once(&format!("<!-- figure: {figure} -->")).unwrap();
    // Either way it is said how quiet the machine was.
    assert!(section.contains("others took") && section.contains("- **Development build"), "{report}");
    assert!(report.contains(&format!("](figures/{figure}.svg)")), "{report}");
    let plot = std::fs::read_to_string(place.report.path().join(format!("figures/{figure}.svg"))).unwrap();
    assert!(plot.starts_with("<svg ") && plot.ends_with("</svg>\n") && !plot.contains("NaN"), "{plot}");
    place.assert_nothing_is_left();
    report
}

#[tokio::test(flavor = "multi_thread")]
async fn rotations_are_counted_and_none_is_lost_or_done_twice() {
    let report = measured("rotations", &["duplicates in ", "losses in ", "rules of a history broken"]).await;
    assert!(!report.contains("**missed**"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_provider_sees_no_refresh_token_twice() {
    let report = measured("provider", &["refresh tokens presented again", "rules of a history broken"]).await;
    assert!(!report.contains("**missed**") && !report.contains(" 0 in 0 rotations"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn throughput_stands_beside_few_and_beside_many_idle_connections() {
    let rows = ["PostgreSQL, 50 idle", "PostgreSQL, 2000 idle", "SQLite, 50 idle", "SQLite, 2000 idle"];
    measured("throughput", &rows).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_herd_is_counted_by_the_second_and_nobody_is_given_up() {
    let report = measured("herd", &["busiest second over the mean one", "requests in 7 s of outage"]).await;
    assert!(report.contains("connections given up or lost, rotations done twice | 0 | 0 | met"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_others_are_measured_with_and_without_one_that_hangs() {
    let report = measured("hung", &["callers, p99 ms", "worker, p99 ms late"]).await;
    assert!(report.contains("not done:\n0;") || report.contains("not done: 0;"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_returns_and_every_pair_is_there() {
    let report = measured("comeback", &["seconds until a token is served", "1 | "]).await;
    assert!(report.contains("connections given up, rotations done twice | 0 | 0 | met"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_stopped_cleans_up_and_leaves_the_report_as_it_was() {
    let place = Place::new();
    std::fs::write(place.out(), "as it was").unwrap();
    let mut bench = place.bench("hung");
    let begun = mortise_testkit::wait::until(PATIENCE, async || {
        Ok(std::fs::read_dir(place.temporary.path())?.nth(2).is_some().then_some(()))
    });
    begun.await.unwrap();
    let status = bench.sigterm(PATIENCE).await;
    assert!(!status.success() && bench.stderr().contains("stopped by SIGTERM"), "{}", bench.output());
    assert_eq!(std::fs::read_to_string(place.out()).unwrap(), "as it was");
    place.assert_nothing_is_left();
}
