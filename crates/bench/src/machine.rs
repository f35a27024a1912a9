//! What the figures were taken on, without its name.

use anyhow::Result;
use std::process::Command;

/// One line each; `databases` are those of the measured program.
pub(crate) fn description(databases: &str) -> Result<Vec<String>> {
    let cpu = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ").map(|(_, name)| name));
    let memory = std::fs::read_to_string("/proc/meminfo")?;
    let kibibytes = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB"));
    let gibibytes = kibibytes.and_then(|text| text.parse::<u64>().ok()).unwrap_or_default() as f64 / 1024.0 / 1024.0;
    let system = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let system = system.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).unwrap_or("Linux").trim_matches('"');
    let cores = std::thread::available_parallelism()?;
    Ok(vec![
        format!(
            "{cores} cores ({}), {gibibytes:.0} GiB, {system}, Linux {}",
            model.unwrap_or("unknown"),
            said("uname", &["-r"])
        ),
        databases.to_owned(),
        said("rustc", &["--version"]),
        profile().to_owned(),
    ])
}

/// The load generator's version.
pub(crate) fn load_generator() -> String {
    said("wrk", &["-v"])
}

/// Whether the figures mean anything.
const fn profile() -> &'static str {
    if cfg!(debug_assertions) { "**Development build: a trial run, not a measurement**" } else { "Release build" }
}

/// The first line that a program prints; some print their version as an error.
fn said(program: &str, arguments: &[&str]) -> String {
    let Ok(output) = Command::new(program).args(arguments).output() else { return format!("{program} unknown") };
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next().unwrap_or_default();
    line.split(" Copyright").next().unwrap_or_default().trim().to_owned()
}
