//! Programs as child processes: the built `mortise` and the servers that the kit starts.
//!
//! A child gets only the environment that the test gives it, writes its output to files and is killed with its value. Where
//! a test fails, the end of that output is shown.
//! It stays in the test's process group, so a runner that ends a stuck test ends its children too.

use crate::{or_panic, wait};
use anyhow::{Context as _, Result, anyhow, bail};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// What to start, and how.
#[derive(Debug)]
pub struct Launch {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    folder: Option<PathBuf>,
}

impl Launch {
    /// A program by its path or its name.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), arguments: Vec::new(), environment: Vec::new(), folder: None }
    }

    /// The built `mortise` program.
    ///
    /// # Panics
    /// When it is not built.
    pub fn mortise() -> Self {
        Self::new(or_panic(mortise_program()))
    }

    /// Adds arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Sets a variable; the child sees no other than these, `PATH`, `HOME` and `RUST_BACKTRACE`.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Runs in this folder instead of a fresh one that goes with the process.
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Has another program start this one, which ends in becoming it: its own arguments come first, then this program's
    /// path and arguments.
    pub(crate) fn through<S: AsRef<OsStr>>(mut self, program: &str, arguments: impl IntoIterator<Item = S>) -> Self {
        let own = arguments.into_iter().map(|argument| argument.as_ref().to_owned());
        let inner = std::mem::replace(&mut self.program, program.into());
        self.arguments = own.chain([inner.into_os_string()]).chain(self.arguments).collect();
        self
    }

    /// Starts the program.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(self) -> Process {
        or_panic(self.try_start())
    }

    fn try_start(self) -> Result<Process> {
        let own = tempfile::Builder::new().prefix("mortise-process-").tempdir()?;
        let (out, err) = (own.path().join("stdout.log"), own.path().join("stderr.log"));
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear().envs(kept()).envs(self.environment);
        match &self.folder {
            Some(folder) => command.current_dir(folder),
            None => command.current_dir(own.path()),
        };
        command.stdin(Stdio::null()).stdout(File::create(&out)?).stderr(File::create(&err)?);
        let child = command.spawn().with_context(|| format!("{} cannot be started", self.program.display()))?;
        let called = self.arguments.join(OsStr::new(" "));
        let called = format!("{} {} ({})", self.program.display(), called.display(), child.id());
        Ok(Process { called, child, out, err, _own: own })
    }
}

/// A running or ended child process.
#[derive(Debug)]
pub struct Process {
    /// The program and its arguments.
    called: String,
    child: Child,
    out: PathBuf,
    err: PathBuf,
    _own: tempfile::TempDir,
}

impl Process {
    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, or `None` while it runs.
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Everything written to standard output so far.
    pub fn stdout(&self) -> String {
        read(&self.out)
    }

    /// Everything written to standard error so far.
    pub fn stderr(&self) -> String {
        read(&self.err)
    }

    /// Both outputs so far, for messages and for secret searches.
    pub fn output(&self) -> String {
        format!("{}{}", self.stdout(), self.stderr())
    }

    /// Waits until a GET of `url` answers 200.
    ///
    /// # Panics
    /// When the process ends first, or after `within`; the message holds the output.
    pub async fn ready(&mut self, url: &str, within: Duration) {
        let http = crate::Http::new();
        let answered = wait::until(within, async || {
            if let Some(status) = self.exit_status() {
                bail!("the process ended: {status}");
            }
            Ok(http.status(url).await.filter(|status| *status == 200))
        });
        let answered = answered.await;
        or_panic(answered.with_context(|| format!("{url} does not answer 200; the output:\n{}", self.output())));
    }

    /// Waits for the first line on standard output that `pick` takes something from.
    ///
    /// # Panics
    /// When the process ends first, or after `within`; the message holds the output.
    pub async fn line<T>(&mut self, within: Duration, pick: impl Fn(&str) -> Option<T>) -> T {
        let found = wait::until(within, async || {
            // Looked at before the output, so that the last line of a process that ended is not missed.
            let ended = self.exit_status();
            let output = self.stdout();
            // A line counts when its end is written.
            let lines = output.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
            match (lines.into_iter().find_map(&pick), ended) {
                (Some(found), _) => Ok(Some(found)),
                (None, Some(status)) => bail!("the process ended: {status}"),
                (None, None) => Ok(None),
            }
        });
        let found = found.await;
        or_panic(found.with_context(|| format!("the awaited line was not written; the output:\n{}", self.output())))
    }

    /// Ends it as a power cut would (SIGKILL) and waits for the end.
    pub fn kill9(&mut self) {
        // It may have ended by itself, which is as good.
        drop(self.child.kill());
        drop(self.child.wait());
    }

    /// Sends a signal by name, such as `TERM`, `STOP` or `CONT`.
    ///
    /// # Panics
    /// When the process is gone.
    pub fn signal(&mut self, name: &str) {
        or_panic(self.try_signal(name));
    }

    fn try_signal(&mut self, name: &str) -> Result<()> {
        if let Some(status) = self.exit_status() {
            bail!("SIG{name} came too late: the process ended: {status}; the output:\n{}", self.output());
        }
        // Not reaped yet, so the id is still this child's.
        let script = "kill -s \"$1\" \"$2\"";
        let sent = Command::new("sh").args(["-c", script, "kill", name, &self.pid().to_string()]).status()?;
        if sent.success() { Ok(()) } else { Err(anyhow!("kill -s {name} failed: {sent}")) }
    }

    /// Asks it to stop (SIGTERM) and waits.
    ///
    /// # Panics
    /// When it has not ended after `within`; the message holds the output.
    pub async fn sigterm(&mut self, within: Duration) -> ExitStatus {
        self.signal("TERM");
        self.ended(within).await
    }

    /// Waits until it ends by itself.
    ///
    /// # Panics
    /// When it has not ended after `within`; the message holds the output.
    pub async fn ended(&mut self, within: Duration) -> ExitStatus {
        let status = wait::until(within, async || Ok(self.exit_status())).await;
        or_panic(status.with_context(|| format!("the process does not end; the output:\n{}", self.output())))
    }
}

impl Drop for Process {
    #[expect(clippy::print_stderr, reason = "the runner shows what a failed test wrote")]
    fn drop(&mut self) {
        self.kill9();
        if std::thread::panicking() {
            eprintln!("{} said at last:\n{}", self.called, end_of(&self.output(), LAST));
        }
    }
}

/// So many lines of a process are shown where its test fails.
const LAST: usize = 60;

fn end_of(output: &str, lines: usize) -> &str {
    let begin = output.trim_end().rmatch_indices('\n').nth(lines - 1);
    begin.map_or(output, |(at, _)| &output[at + 1..])
}

fn kept() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| ["PATH", "HOME", "RUST_BACKTRACE"].iter().any(|kept| name == kept))
}

fn read(path: &Path) -> String {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// `target/debug/mortise` beside this test program, or what the runner says.
fn mortise_program() -> Result<PathBuf> {
    if let Some(path) = ["NEXTEST_BIN_EXE_mortise", "CARGO_BIN_EXE_mortise"].iter().find_map(std::env::var_os) {
        return Ok(path.into());
    }
    let here = std::env::current_exe()?;
    let beside = here.parent().and_then(Path::parent).map(|folder| folder.join("mortise"));
    beside.filter(|path| path.exists()).ok_or_else(|| anyhow!("mortise is not built: cargo build -p mortise"))
}

#[cfg(test)]
mod tests {
    use super::end_of;

    #[test]
    fn the_last_lines_are_shown() {
        for (output, lines, end) in
            [("", 2, ""), ("a\n", 2, "a\n"), ("a\nb\n", 2, "a\nb\n"), ("a\nb\nc\n", 2, "b\nc\n"), ("a\nb\nc", 1, "c")]
        {
            assert_eq!(end_of(output, lines), end, "{output:?}");
        }
    }
}
