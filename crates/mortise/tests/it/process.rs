//! The API held against its own document by a fuzzer that nobody here wrote.

use mortise_testkit::{Launch, ports, workspace_root};
use std::process::Command;
use std::time::Duration;

/// What must hold for whatever is sent: no 5xx, no status, type or body that the document does not promise, no method that
/// it does not name, and no route that answers without a key.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,\
                      unsupported_method,ignored_auth";

#[tokio::test(flavor = "multi_thread")]
async fn the_api_keeps_its_document_whatever_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let address = || format!("127.0.0.1:{}", ports::free().unwrap());
    let (listen, sandbox) = (address(), address());
    let arguments = ["dev", "--listen", &listen, "--sandbox-listen", &sandbox];
    let mut dev = Launch::mortise().args(arguments).folder(folder.path()).start();
    let word = |line: &str| line.split_whitespace().find(|word| word.starts_with("mrt_")).map(str::to_owned);
    let key = dev.line(Duration::from_secs(60), word).await;
    dev.ready(&format!("http://{listen}/readyz"), Duration::from_secs(60)).await;

    let mut fuzzer = Command::new(workspace_root().join("target/schemathesis/bin/schemathesis"));
    fuzzer.args(["run", &format!("http://{listen}/openapi.json"), "--header", &format!("Authorization: Bearer {key}")]);
    fuzzer.args(["--phases", "examples,coverage,fuzzing", "--max-examples", "12", "--seed", "7", "--no-color"]);
    // Environments are never deleted, and the metrics page is text for another reader.
    fuzzer.args(["--checks", CHECKS, "--exclude-path-regex", "/v1/environments|/metrics"]).current_dir(folder.path());
    let output = tokio::task::spawn_blocking(move || fuzzer.output()).await.unwrap();
    let output = output.expect("schemathesis is there: run scripts/install-test-deps");
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{report}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(report.contains("passed"), "{report}");
}
