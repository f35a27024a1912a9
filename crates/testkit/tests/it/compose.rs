//! `docker-compose.yml`, read by Docker's own reader: no engine is needed for that.

use mortise_testkit::workspace_root;
use std::collections::BTreeSet;
use std::process::{Command, Output};

/// The plugin of Docker's packages or the program of Debian's.
fn compose(arguments: &[&str]) -> Output {
    let plugin = Command::new("docker").args(["compose", "version"]).output();
    let mut command = match plugin {
        Ok(output) if output.status.success() => {
            let mut command = Command::new("docker");
            command.arg("compose");
            command
        }
        _ => Command::new("docker-compose"),
    };
    // When neither is there: scripts/install-test-deps.
    command.args(["--file", "docker-compose.yml"]).args(arguments).current_dir(workspace_root()).output().unwrap()
}

#[test]
fn the_compose_file_is_valid() {
    let output = compose(&["config", "--quiet"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_compose_file_names_the_whole_topology() {
    let output = compose(&["config", "--services"]);
    let services: BTreeSet<_> = std::str::from_utf8(&output.stdout).unwrap().lines().collect();
    for service in ["postgres", "migrate", "server-1", "server-2", "worker-1", "worker-2"] {
        assert!(services.contains(service), "{service} is not one of {services:?}");
    }
}
