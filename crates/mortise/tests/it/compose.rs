//! `docker-compose.yml`, held against the program and against what its header tells to paste. That its syntax is right and
//! which services it has is tested beside the kit.

use crate::world::START;
use mortise_testkit::{Launch, workspace_root};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

struct Compose {
    text: String,
    document: Value,
}

impl Compose {
    fn read() -> Self {
        let text = std::fs::read_to_string(workspace_root().join("docker-compose.yml")).unwrap();
        let document = serde_saphyr::from_str(&text).unwrap();
        Self { text, document }
    }

    fn services(&self) -> &serde_json::Map<String, Value> {
        self.document["services"].as_object().unwrap()
    }

    /// Services that run the program.
    fn programs(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.services().iter().filter(|(_, service)| service["image"] == "mortise")
    }

    /// The commands of the header, in order.
    fn pasted(&self) -> Vec<&str> {
        let header = self.text.lines().take_while(|line| line.starts_with('#'));
        header.filter_map(|line| line.strip_prefix("#   ")).collect()
    }
}

/// `ENV` of the image: `NAME=value` words.
fn image_environment() -> BTreeMap<String, String> {
    let dockerfile = std::fs::read_to_string(workspace_root().join("Dockerfile")).unwrap();
    let lines = dockerfile.lines().filter_map(|line| line.strip_prefix("ENV "));
    let words = lines.flat_map(|line| line.split(' ').map(|word| word.split_once('=').unwrap()));
    words.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// `${NAME:-default}` as its default.
fn default_of(value: &str) -> &str {
    value
        .strip_prefix("${")
        .and_then(|rest| rest.split_once(":-"))
        .map_or(value, |(_, rest)| rest.trim_end_matches('}'))
}

#[test]
fn every_service_waits_for_what_it_needs() {
    let compose = Compose::read();
    let condition = |service: &str, on: &str| compose.services()[service]["depends_on"][on]["condition"].clone();
    assert!(compose.services()["postgres"]["healthcheck"]["test"].is_array());
    assert_eq!(condition("migrate", "postgres"), "service_healthy");
    for service in ["server-1", "server-2", "worker-1", "worker-2"] {
        assert_eq!(condition(service, "migrate"), "service_completed_successfully", "{service}");
    }
}

#[test]
fn secrets_and_volumes_are_declared_and_used() {
    let compose = Compose::read();
    let declared = |kind: &str| compose.document[kind].as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let used = |member: &str| {
        let lists = compose.services().values().filter_map(|service| service[member].as_array());
        lists
            .flatten()
            .map(|item| item.as_str().unwrap().split(':').next().unwrap().to_owned())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(used("secrets"), declared("secrets"));
    let named: BTreeSet<_> = used("volumes").into_iter().filter(|volume| !volume.starts_with('.')).collect();
    assert_eq!(named, declared("volumes"));
    // Every process that refreshes has a folder of its own that outlives it, and time to bring its refreshes home.
    let mut spills = BTreeSet::new();
    for (name, service) in
        compose.programs().filter(|(name, _)| name.starts_with("server") || name.starts_with("worker"))
    {
        let [volume, keys] = [0, 1].map(|at| service["volumes"][at].as_str().unwrap());
        assert_eq!(keys, "./secrets/keys:/run/keys:ro");
        assert!(environment(service)["MORTISE_KEY_FILE"].starts_with("/run/keys/"), "{name}");
        assert!(volume.ends_with(":/var/lib/mortise") && spills.insert(volume), "{name}: {volume}");
        assert_eq!(service["stop_grace_period"], "150s", "{name}");
    }
    assert_eq!(spills.len(), 4);
    assert!(image_environment()["MORTISE_SPILL_DIR"].starts_with("/var/lib/mortise/"));
}

/// Everything of the header that needs no engine is pasted into a shell, and the program starts on what comes of it.
#[tokio::test]
async fn the_header_makes_what_the_services_need() {
    let compose = Compose::read();
    let folder = tempfile::tempdir().unwrap();
    let pasted = compose.pasted();
    let (engine, shell): (Vec<_>, Vec<_>) = pasted.into_iter().partition(|line| line.starts_with("docker "));
    let script = format!("umask 077\n{}", shell.join("\n"));
    let made = Command::new("sh").args(["-euc", &script]).current_dir(folder.path()).status().unwrap();
    assert!(made.success(), "{script}");
    for line in engine {
        let words: Vec<_> = line.split(' ').collect();
        let ["docker", "compose", command, rest @ ..] = words.as_slice() else { panic!("{line}") };
        let service = rest.iter().find(|word| !word.starts_with('-'));
        assert!(["run", "up", "exec"].contains(command), "{line}");
        assert!(service.is_none_or(|service| compose.services().contains_key(*service)), "{line}");
    }
    let init = keys_init(&compose, folder.path()).await;
    assert_eq!(init.permissions().mode() & 0o777, 0o600);
    for (name, secret) in compose.document["secrets"].as_object().unwrap() {
        let file = std::fs::metadata(folder.path().join(secret["file"].as_str().unwrap()));
        let mode = file.unwrap_or_else(|error| panic!("{name}: {error}")).permissions().mode();
        // The program's own account has to read it, whoever made it.
        assert!(mode & 0o004 != 0, "{name} has mode {mode:o}");
    }
    let secrets = folder.path().join("secrets");
    assert_eq!(std::fs::metadata(&secrets).unwrap().permissions().mode() & 0o777, 0o700);
    let url = std::fs::read_to_string(secrets.join("database-url")).unwrap();
    let password = std::fs::read_to_string(secrets.join("database-password")).unwrap();
    assert_eq!(url, format!("postgres://mortise:{}@postgres/mortise", password.trim()));
    assert!(password.trim().len() >= 32, "a password worth the name");

    for (name, service) in compose.programs() {
        let mut launch = Launch::mortise().args(["config", "check"]);
        for (name, value) in environment(service) {
            launch = launch.env(name, value.replace("/run/secrets", secrets.to_str().unwrap()));
        }
        let mut process = launch.start();
        assert!(process.ended(START).await.success(), "{name}: {}", process.stderr());
        let out = process.stdout();
        assert!(out.contains("database_url = set") && out.contains("listen = 0.0.0.0:8080"), "{name}:\n{out}");
    }
}

/// The image's variables under the service's.
fn environment(service: &Value) -> BTreeMap<String, String> {
    let mut all = image_environment();
    let own = service["environment"].as_object().unwrap();
    all.extend(own.iter().map(|(name, value)| (name.clone(), default_of(value.as_str().unwrap()).to_owned())));
    all
}

/// What the `keys` service does, but for the change of account, which takes root.
async fn keys_init(compose: &Compose, folder: &Path) -> std::fs::Metadata {
    let service = &compose.services()["keys"];
    let entrypoint = service["entrypoint"][2].as_str().unwrap();
    let (owner, program) = entrypoint.split_once(" && exec ").unwrap();
    assert_eq!((owner, service["user"].as_str()), ("chown 10001 /run/keys", Some("0:0")));
    assert!(program.starts_with("setpriv --reuid=10001 ") && program.ends_with(" mortise keys \"$$@\""), "{program}");
    let dockerfile = std::fs::read_to_string(workspace_root().join("Dockerfile")).unwrap();
    assert!(dockerfile.contains("--uid 10001"), "the image's account is another one");
    let (here, inside) = service["volumes"][0].as_str().unwrap().split_once(':').unwrap();
    let keys = folder.join(here);
    std::fs::create_dir_all(&keys).unwrap();
    let file = environment(service)["MORTISE_KEY_FILE"].replace(inside, keys.to_str().unwrap());
    let command = service["command"][0].as_str().unwrap();
    let mut process = Launch::mortise().args(["keys", command]).env("MORTISE_KEY_FILE", &file).start();
    assert!(process.ended(START).await.success(), "{}", process.output());
    std::fs::metadata(file).unwrap()
}
