//! The supervisor script, with a plain `sleep` for a server.

use super::*;
use std::process::Child;
use std::time::SystemTime;

const SOON: Duration = Duration::from_secs(20);

struct Supervised {
    folder: tempfile::TempDir,
    supervisor: Child,
}

impl Supervised {
    fn start(server: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("data")).unwrap();
        for name in ["users.lock", "used", "port"] {
            fs::write(path(name), "x").unwrap();
        }
        let mut command = Command::new("sh");
        command.args(["-c", include_str!("supervise.sh"), "supervise.sh"]).arg(folder.path()).args(["30", "TERM"]);
        // The process id of the server is written where the test finds it.
        command.args(["sh", "-c", &format!("echo $$ >\"$1/server.pid\"; exec {server}"), "sh"]).arg(folder.path());
        let supervisor = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let written = || Ok(fs::read_to_string(path("server.pid")).ok().filter(|text| text.ends_with('\n')).map(drop));
        wait::blocking(SOON, written).unwrap();
        Self { folder, supervisor }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn server_runs(&self) -> bool {
        let pid = fs::read_to_string(self.path("server.pid")).unwrap();
        Path::new("/proc").join(pid.trim()).exists()
    }

    fn ask_to_stop(&self) {
        let pid = self.supervisor.id().to_string();
        run(Command::new("sh").args(["-c", "kill -s TERM \"$1\"", "kill", &pid])).unwrap();
    }

    fn ended(&mut self) {
        wait::blocking(SOON, || Ok(self.supervisor.try_wait()?)).unwrap();
    }

    fn hold(&self) -> File {
        let users = File::open(self.path("users.lock")).unwrap();
        users.lock_shared().unwrap();
        users
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        drop(self.supervisor.kill());
        drop(self.supervisor.wait());
        let pid = fs::read_to_string(self.path("server.pid")).unwrap_or_default();
        drop(Command::new("sh").args(["-c", "kill -9 \"$1\" 2>/dev/null", "kill", pid.trim()]).status());
    }
}

#[test]
fn ends_when_asked_and_leaves_no_data() {
    let mut supervised = Supervised::start("sleep 600");
    assert!(supervised.server_runs());
    supervised.ask_to_stop();
    supervised.ended();
    assert!(!supervised.server_runs());
    assert!(!supervised.path("data").exists() && !supervised.path("port").exists());
}

#[test]
fn is_not_taken_from_a_test_that_uses_it() {
    let mut supervised = Supervised::start("sleep 600");
    let user = supervised.hold();
    supervised.ask_to_stop();
    std::thread::sleep(Duration::from_millis(500));
    assert!(supervised.server_runs() && supervised.path("port").exists());
    drop(user);
    supervised.ask_to_stop();
    supervised.ended();
    assert!(!supervised.server_runs());
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the age of a file is told in the system's own time")]
fn ends_by_itself_when_nobody_comes() {
    let mut supervised = Supervised::start("sleep 600");
    let long_ago = SystemTime::now() - Duration::from_secs(31 * 60);
    File::options().write(true).open(supervised.path("used")).unwrap().set_modified(long_ago).unwrap();
    supervised.ended();
    assert!(!supervised.server_runs());
}

#[test]
fn ends_when_its_folder_is_cleaned_away() {
    let mut supervised = Supervised::start("sleep 600");
    for name in ["users.lock", "used"] {
        fs::remove_file(supervised.path(name)).unwrap();
    }
    supervised.ended();
    assert!(!supervised.server_runs());
}

#[test]
fn ends_with_a_server_that_dies() {
    let mut supervised = Supervised::start("sleep 0.2");
    supervised.ended();
    assert!(!supervised.server_runs());
}
