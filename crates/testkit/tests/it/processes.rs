//! Child processes: environment, output, signals, readiness, the end.

use mortise_testkit::{Http, Launch, Process, ports};
use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

fn shell(script: &str) -> Process {
    Launch::new("sh").args(["-c", script]).env("GIVEN", "this").start()
}

#[tokio::test]
async fn a_child_sees_only_the_given_environment() {
    let mut child = shell("env; echo problem >&2; exit 7");
    assert_eq!(child.ended(SOON).await.code(), Some(7));
    assert!(child.stdout().lines().any(|line| line == "GIVEN=this"), "{}", child.output());
    assert!(!child.stdout().contains("CARGO_MANIFEST_DIR"), "{}", child.output());
    assert_eq!(child.stderr(), "problem\n");
}

#[tokio::test]
async fn sigterm_lets_a_child_finish_and_kill9_does_not() {
    let script = "trap 'echo finishing; exit 3' TERM; echo up; while :; do sleep 0.05; done";
    let mut child = shell(script);
    child.line(SOON, |line| (line == "up").then_some(())).await;
    assert_eq!(child.sigterm(SOON).await.code(), Some(3));
    assert!(child.stdout().ends_with("finishing\n"));

    let mut child = shell(script);
    child.line(SOON, |line| (line == "up").then_some(())).await;
    child.kill9();
    assert_eq!(child.exit_status().unwrap().signal(), Some(9));
    assert_eq!(child.stdout(), "up\n");
}

#[tokio::test]
async fn readiness_is_an_answer_of_200() {
    let port = ports::free().unwrap();
    let script =
        "const server = require('http').createServer((q, s) => s.writeHead(q.url === '/up' ? 200 : 404).end());
                  setTimeout(() => server.listen(Number(process.env.PORT), '127.0.0.1'), 300);";
    let mut child = Launch::new("node").args(["-e", script]).env("PORT", port.to_string()).start();
    child.ready(&format!("http://127.0.0.1:{port}/up"), SOON).await;
    assert_eq!(Http::new().status(&format!("http://127.0.0.1:{port}/other")).await, Some(404));
    drop(child);
    assert_eq!(Http::new().status(&format!("http://127.0.0.1:{port}/up")).await, None, "the child outlived its value");
}

#[tokio::test]
#[should_panic(expected = "the database is on fire")]
async fn a_child_that_ends_before_it_is_ready_tells_why() {
    shell("echo 'the database is on fire' >&2; exit 1").ready("http://127.0.0.1:9/", SOON).await;
}
