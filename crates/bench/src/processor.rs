//! Who used the processors: read from `/proc` before and after, in clock ticks.

use anyhow::{Context as _, Result};
use mortise_domain::{Clock as _, SystemClock};
use std::collections::HashMap;
use std::process::Command;
use std::time::Duration;

/// The parent of all threads of the kernel.
const KERNEL_THREADS: u32 = 2;

/// The work of a process in ticks.
#[derive(Debug, Clone, Copy)]
struct Entry {
    parent: u32,
    own: u64,
    /// Of children that have ended and been waited for.
    ended_children: u64,
}

/// The processors' time, measured between two moments.
pub(crate) struct Meter {
    clock: SystemClock,
    hertz: f64,
}

/// A moment.
pub(crate) struct Moment {
    at: Duration,
    busy: u64,
    entries: HashMap<u32, Entry>,
}

/// What passed between two moments.
pub(crate) struct Span {
    pub(crate) seconds: f64,
    hertz: f64,
    before: Moment,
    after: Moment,
}

impl Meter {
    pub(crate) fn new() -> Result<Self> {
        let ticks = Command::new("getconf").arg("CLK_TCK").output().context("getconf")?;
        let hertz = String::from_utf8_lossy(&ticks.stdout).trim().parse().context("getconf CLK_TCK")?;
        Ok(Self { clock: SystemClock::new(), hertz })
    }

    /// Now.
    pub(crate) fn now(&self) -> Result<Moment> {
        let stat = std::fs::read_to_string("/proc/stat")?;
        let fields: Vec<u64> =
            stat.lines().next().unwrap_or_default().split_whitespace().skip(1).flat_map(str::parse).collect();
        // user nice system idle iowait irq softirq steal: all but idle and iowait, stolen time too.
        let busy = [0, 1, 2, 5, 6, 7].iter().filter_map(|index| fields.get(*index)).sum();
        let ids = std::fs::read_dir("/proc")?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        // A process that ends in between is missing, and counted with its parent.
        let entries = ids.filter_map(|id: u32| Some((id, entry(id)?))).collect();
        Ok(Moment { at: self.clock.monotonic(), busy, entries })
    }

    /// What passed since.
    pub(crate) fn since(&self, before: Moment) -> Result<Span> {
        let after = self.now()?;
        let seconds = (after.at - before.at).as_secs_f64();
        Ok(Span { seconds, hertz: self.hertz, before, after })
    }
}

impl Moment {
    /// The ticks of a process with everything beneath it.
    fn of(&self, process: u32) -> u64 {
        let own = self.entries.get(&process).map_or(0, |entry| entry.own + entry.ended_children);
        let children = self.entries.iter().filter(|(_, entry)| entry.parent == process);
        own + children.map(|(id, _)| self.of(*id)).sum::<u64>()
    }
}

impl Span {
    /// Percent of one core that a process and everything beneath it took.
    pub(crate) fn percent_of(&self, process: u32) -> f64 {
        self.percent(self.after.of(process).saturating_sub(self.before.of(process)))
    }

    /// Percent of one core that everybody else took: what is neither this program nor beneath it, nor one of the kernel's
    /// own threads, which mostly write for those who are measured.
    pub(crate) fn percent_of_others(&self) -> f64 {
        let of = |process: u32| self.after.of(process).saturating_sub(self.before.of(process));
        let busy = self.after.busy.saturating_sub(self.before.busy);
        self.percent(busy.saturating_sub(of(std::process::id())).saturating_sub(of(KERNEL_THREADS)))
    }

    fn percent(&self, ticks: u64) -> f64 {
        100.0 * ticks as f64 / self.hertz / self.seconds
    }
}

/// Fields of `/proc/<id>/stat` (proc(5)), counted after the name, which may hold blanks.
fn entry(id: u32) -> Option<Entry> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    let parent = u32::try_from(number(1)?).ok()?;
    Some(Entry { parent, own: number(11)? + number(12)?, ended_children: number(13)? + number(14)? })
}

/// The memory of a process that is in use, in megabytes (10^6 bytes).
pub(crate) fn resident_megabytes(process: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1024.0 / 1e6)
}
