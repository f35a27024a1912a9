//! `mortise dev`, as a newcomer meets it: what it prints is what works, and what it began goes on after a restart.

use crate::world::api::Api;
use crate::world::visitor::{Visitor, title_of, to};
use crate::world::{PATIENCE, START};
use mortise_testkit::{Http, Launch, Process, ports, wait};
use serde_json::{Value, json};

struct Dev {
    folder: tempfile::TempDir,
    listen: String,
    sandbox: String,
}

/// What it printed.
struct Greeting {
    console: String,
    link: String,
    key: String,
    curl: String,
}

impl Dev {
    fn new() -> Self {
        let address = || format!("127.0.0.1:{}", ports::free().unwrap());
        Self { folder: tempfile::tempdir().unwrap(), listen: address(), sandbox: address() }
    }

    fn launch(&self) -> Launch {
        // The data folder is the default one, under where it was started.
        let arguments = ["dev", "--listen", &self.listen, "--sandbox-listen", &self.sandbox];
        Launch::mortise().args(arguments).folder(self.folder.path())
    }

    async fn start(&self) -> (Process, Greeting) {
        let mut process = self.launch().start();
        let curl = process.line(START, |line| line.trim().starts_with("curl ").then(|| line.trim().to_owned())).await;
        let printed = process.stdout();
        let word = |start: &str| {
            let found = printed.split_whitespace().find(|word| word.starts_with(start));
            found.unwrap_or_else(|| panic!("no {start} in {printed}")).to_owned()
        };
        let base = format!("http://{}", self.listen);
        let greeting = Greeting {
            console: word(&format!("{base}/console")),
            link: word(&format!("{base}/connect/")),
            key: word("mrt_"),
            curl,
        };
        (process, greeting)
    }

    fn api(&self, greeting: &Greeting) -> Api {
        Api::new(format!("http://{}", self.listen)).with_key(greeting.key.clone())
    }

    /// Access tokens of the sandbox live so many seconds from now on.
    async fn lifetime(&self, seconds: u32) {
        let url = format!("http://{}/control/classes/f", self.sandbox);
        Http::new().post(&url, &json!({ "access_token_lifetime": seconds })).await.expect(200);
    }

    /// What the sandbox's own API says to a token.
    async fn userinfo(&self, token: &str) -> Value {
        Http::new().with_bearer(token).get(&format!("http://{}/f/userinfo", self.sandbox)).await.expect(200).json()
    }

    async fn totals(&self) -> Value {
        Http::new().get(&format!("http://{}/control/oracle", self.sandbox)).await.expect(200).json()["totals"].clone()
    }
}

/// Runs a line as somebody would who pasted it into a shell, and reads the JSON that it prints.
async fn pasted(line: &str) -> Value {
    let mut shell = Launch::new("sh").args(["-c", line]).start();
    let status = shell.ended(START).await;
    assert!(status.success(), "{line}: {status}\n{}", shell.output());
    serde_json::from_str(&shell.stdout()).unwrap_or_else(|error| panic!("{line}: {error}:\n{}", shell.output()))
}

#[tokio::test]
async fn from_nothing_to_a_token_and_on_after_a_restart() {
    let dev = Dev::new();
    let (mut first, greeting) = dev.start().await;
    dev.lifetime(16).await;
    let before = pasted(&greeting.curl).await;
    assert_eq!((&before["status"], &before["code"]), (&json!(404), &json!("not_found")), "nobody has consented yet");

    let done = Visitor::new().consent(&greeting.link, "sandbox").await;
    assert!(done.contains("/connect/done"), "{done}");
    let answer = pasted(&greeting.curl).await;
    assert_eq!(dev.userinfo(answer["access_token"].as_str().unwrap()).await["sub"], "alex");
    let connection = answer["connection"].as_str().unwrap().to_owned();
    let api = dev.api(&greeting);
    api.wait_for_event(&connection, "refreshed", 2).await;
    first.signal("INT");
    assert!(first.ended(START).await.success(), "{}", first.output());
    assert_no_secret_in_the_log(&first);

    let (mut second, again) = dev.start().await;
    assert_eq!((&again.key, &again.curl), (&greeting.key, &greeting.curl));
    assert_ne!(again.link, greeting.link, "a used link was offered again");
    let known = api.events(&connection).await.iter().filter(|kind| *kind == "refreshed").count();
    api.wait_for_event(&connection, "refreshed", known + 2).await;
    dev.lifetime(600).await;
    api.refresh(&connection).await.expect(200);
    let answer = pasted(&again.curl).await;
    assert_eq!(answer["connection"], connection);
    assert_eq!(dev.userinfo(answer["access_token"].as_str().unwrap()).await["sub"], "alex");
    let totals = dev.totals().await;
    assert_eq!((&totals["reuse_events"], &totals["overlaps"], &totals["grants"]), (&json!(0), &json!(0), &json!(1)));
    assert!(second.sigterm(START).await.success(), "{}", second.output());
    assert_no_secret_in_the_log(&second);
}

/// Standard output shows the first key on purpose; the log on standard error shows nothing.
fn assert_no_secret_in_the_log(process: &Process) {
    let log = process.stderr();
    for secret in ["sbx_at_", "sbx_rt_", "sbx_code_", "sandbox-secret", "mrt_"] {
        assert!(!log.contains(secret), "the log holds `{secret}`:\n{log}");
    }
}

#[tokio::test]
async fn two_of_them_never_share_a_folder() {
    let dev = Dev::new();
    let (mut first, greeting) = dev.start().await;
    // With the same ports, and with others: neither may write to what the first one uses.
    let other = Dev::new();
    for (listen, sandbox) in [(&dev.listen, &dev.sandbox), (&other.listen, &other.sandbox)] {
        let launch = Launch::mortise().args(["dev", "--listen", listen, "--sandbox-listen", sandbox]);
        let mut second = launch.folder(dev.folder.path()).start();
        let status = second.ended(START).await;
        assert!(!status.success(), "a second one runs on the same folder:\n{}", second.output());
        let said = second.stderr();
        assert!(said.contains(".mortise") && said.contains("running"), "not clear: {said}");
        assert!(!said.contains("panicked"), "{said}");
    }
    assert_eq!(pasted(&greeting.curl).await["code"], "not_found", "the first one goes on");
    first.kill9();
    // A power cut leaves nothing behind that would keep the next one out.
    let (mut next, again) = dev.start().await;
    assert_eq!(again.key, greeting.key);
    assert!(next.sigterm(START).await.success(), "{}", next.output());
}

/// The sandbox's address is part of every connection's history. On another port the demo starts afresh, by itself.
#[tokio::test]
async fn another_port_for_the_sandbox_still_leads_to_a_token() {
    let mut dev = Dev::new();
    let (mut first, greeting) = dev.start().await;
    Visitor::new().consent(&greeting.link, "sandbox").await;
    assert!(first.sigterm(START).await.success(), "{}", first.output());
    dev.sandbox = format!("127.0.0.1:{}", ports::free().unwrap());
    let (mut second, again) = dev.start().await;
    assert_eq!(again.key, greeting.key);
    // What was connected at the old address keeps its app.
    let (_, port) = dev.sandbox.rsplit_once(':').unwrap();
    Visitor::new().consent(&again.link, &format!("sandbox-{port}")).await;
    let answer = pasted(&again.curl).await;
    assert_eq!(dev.userinfo(answer["access_token"].as_str().unwrap()).await["sub"], "alex");
    dev.api(&again).refresh(answer["connection"].as_str().unwrap()).await.expect(200);
    assert!(second.sigterm(START).await.success(), "{}", second.output());
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let dev = Dev::new();
    let taken = std::net::TcpListener::bind(&dev.listen).unwrap();
    let mut process = dev.launch().start();
    assert!(!process.ended(START).await.success());
    let said = process.stderr();
    assert!(said.contains(&dev.listen) && said.contains("listen"), "not clear: {said}");
    drop(taken);
}

#[tokio::test]
async fn it_stops_while_a_refresh_is_under_way_and_loses_nothing() {
    let dev = Dev::new();
    let (mut first, greeting) = dev.start().await;
    let done = Visitor::new().consent(&greeting.link, "sandbox").await;
    assert!(done.contains("/connect/done"), "{done}");
    let connection = pasted(&greeting.curl).await["connection"].as_str().unwrap().to_owned();
    let api = dev.api(&greeting);
    let script = json!({"class": "f", "grant_type": "refresh_token", "action": {"delay_ms": 2000, "delay": "after"}});
    Http::new().post(&format!("http://{}/control/script", dev.sandbox), &script).await.expect(200);
    let refreshing = api.refresh(&connection);
    let stopping = async {
        let under_way = wait::until(PATIENCE, async || Ok((dev.totals().await["issued"] == 2).then_some(())));
        under_way.await.unwrap();
        first.signal("TERM");
    };
    let (answer, ()) = tokio::join!(refreshing, stopping);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(first.ended(START).await.success(), "{}", first.output());

    let (mut second, _) = dev.start().await;
    api.refresh(&connection).await.expect(200);
    let totals = dev.totals().await;
    assert_eq!((&totals["reuse_events"], &totals["issued"]), (&json!(0), &json!(3)), "the rotation was lost");
    assert!(second.sigterm(START).await.success(), "{}", second.output());
}

#[tokio::test]
async fn the_pages_it_names_are_there() {
    let dev = Dev::new();
    let (mut process, greeting) = dev.start().await;
    let mut visitor = Visitor::new();
    let page = visitor.get(&greeting.link).await.expect(200).body;
    assert!(title_of(&page).contains("Sandbox provider"), "{page}");
    let console = visitor.get(&greeting.console).await;
    let console = if console.status == 303 { visitor.get(&absolute(&dev, &to(&console))).await } else { console };
    assert!(console.expect(200).body.contains("<form"), "the console asks for the key");
    for path in ["/docs", "/docs/", "/openapi.json", "/healthz", "/readyz"] {
        let answer = visitor.get(&format!("http://{}{path}", dev.listen)).await;
        assert!([200, 301, 302, 303, 307, 308].contains(&answer.status), "{path}: {answer:?}");
    }
    assert!(process.sigterm(START).await.success(), "{}", process.output());
}

fn absolute(dev: &Dev, location: &str) -> String {
    if location.starts_with('/') { format!("http://{}{location}", dev.listen) } else { location.to_owned() }
}
