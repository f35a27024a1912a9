//! What a log promises: of a crash at any byte, of a disk that fails, of several processes, and of time.

mod crash;
mod disk;
mod folder;
mod processes;
mod time;

use super::*;
use mortise_domain::{ManualClock, OsEntropy};
use std::fs;
use tempfile::TempDir;

/// A folder with a clock, and as many processes as a test wants.
struct Ground {
    folder: TempDir,
    clock: Arc<ManualClock>,
}

impl Ground {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), clock: Arc::new(ManualClock::at_unix(1_700_000_000)) }
    }

    fn spill(&self) -> PathBuf {
        self.folder.path().join("spill")
    }

    async fn process(&self) -> SpillLog {
        self.with(Arc::new(RealDisk)).await
    }

    async fn with(&self, disk: Arc<dyn Disk>) -> SpillLog {
        let log = SpillLog::on(disk, self.spill(), self.clock.clone(), Arc::new(OsEntropy));
        log.prepare().await.unwrap();
        log
    }

    /// The names in the folder, sorted.
    fn names(&self) -> Vec<String> {
        let files = fs::read_dir(self.spill()).unwrap();
        let mut names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The only file in the folder.
    fn segment(&self) -> PathBuf {
        let names = self.names();
        assert_eq!(names.len(), 1, "{names:?}");
        self.spill().join(&names[0])
    }

    /// A folder as a crash would leave it: with a copy of what is here, cut to `length` in its only segment.
    fn crashed_at(&self, length: usize) -> Self {
        let crashed = Self { folder: tempfile::tempdir().unwrap(), clock: self.clock.clone() };
        fs::create_dir(crashed.spill()).unwrap();
        let bytes = fs::read(self.segment()).unwrap();
        fs::write(crashed.spill().join(self.segment().file_name().unwrap()), &bytes[..length]).unwrap();
        crashed
    }
}

async fn put(log: &SpillLog, entry: &str) -> Ticket {
    log.put(entry.as_bytes().to_vec()).await.unwrap()
}

fn text(entry: &[u8]) -> String {
    String::from_utf8(entry.to_vec()).unwrap()
}

/// What is left, in the test's hand.
async fn left(log: &SpillLog) -> (Vec<String>, Vec<Ticket>) {
    log.left().await.unwrap().into_iter().map(|left| (text(&left.entry), left.ticket)).unzip()
}

/// What is left, let go of again.
async fn waiting(log: &SpillLog) -> Vec<String> {
    left(log).await.0
}

/// Every page of what was settled.
async fn recent(log: &SpillLog) -> Vec<String> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = log.recent(after).await.unwrap();
        all.extend(page.entries.iter().map(|entry| text(entry)));
        match page.next {
            Some(next) => after = Some(next),
            None => return all,
        }
    }
}

async fn settle_all(log: &SpillLog) {
    for ticket in left(log).await.1 {
        log.settle(ticket).await;
    }
}
