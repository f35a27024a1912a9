//! Settings: a TOML file under `MORTISE_*` variables, checked as a whole before anything starts.

use anyhow::{Context as _, bail};
use ipnet::IpNet;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::Url;

/// Every setting with what it is for; `docs/settings.md` is held against this list by a test.
pub(crate) const SETTINGS: &[(&str, &str)] = &[
    ("database_url", "sqlite:, postgres: or mysql: URL. Required"),
    ("database_url_file", "a file that holds it instead"),
    ("database_connections", "connections of one process to the database; 16"),
    ("listen", "where the web service listens; 127.0.0.1:8080"),
    ("public_url", "where browsers reach it; http:// and the listen address. https, but for loopback"),
    ("key_file", "the key-encryption keys. Required"),
    ("spill_dir", "where grants wait for the database; beside the key file. Must survive a restart"),
    ("egress_allow", "private ranges that may be called, as CIDR separated by commas; none"),
    ("egress_ca_file", "certificates in PEM to trust beside those of the Mozilla programme; none"),
    ("metrics_listen", "where a worker answers GET /metrics; nowhere"),
    ("http_workers", "threads of the web service; as many as cores"),
    ("refresh_concurrency", "refreshes of one process in flight; 64"),
    ("refresh_deadline", "seconds that a refresh waits for a provider at most; 120"),
    ("log", "a tracing filter; info"),
    ("log_format", "text or json; text"),
];

/// As written, before checks. Unknown members are refused.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    database_url: Option<String>,
    database_url_file: Option<PathBuf>,
    database_connections: Option<u32>,
    listen: Option<String>,
    public_url: Option<String>,
    key_file: Option<PathBuf>,
    spill_dir: Option<PathBuf>,
    egress_allow: Option<String>,
    egress_ca_file: Option<PathBuf>,
    metrics_listen: Option<String>,
    http_workers: Option<usize>,
    refresh_concurrency: Option<usize>,
    refresh_deadline: Option<u64>,
    log: Option<String>,
    log_format: Option<String>,
    /// Where this file was named; not a setting of its own.
    #[serde(rename = "config")]
    _config: Option<PathBuf>,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Checked settings.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) database_url: Option<String>,
    pub(crate) database_connections: u32,
    pub(crate) listen: SocketAddr,
    pub(crate) public_url: Url,
    pub(crate) key_file: Option<PathBuf>,
    pub(crate) spill_dir: Option<PathBuf>,
    pub(crate) egress_allow: Vec<IpNet>,
    pub(crate) egress_ca_file: Option<PathBuf>,
    pub(crate) metrics_listen: Option<SocketAddr>,
    pub(crate) http_workers: usize,
    pub(crate) refresh_concurrency: usize,
    pub(crate) refresh_deadline: Duration,
    pub(crate) log: String,
    pub(crate) log_format: LogFormat,
}

impl Settings {
    /// Reads the file, if one is named, and the environment.
    pub(crate) fn load(file: Option<&Path>) -> anyhow::Result<Self> {
        let mut builder = config::Config::builder();
        if let Some(path) = file {
            builder = builder.add_source(config::File::from(path).format(config::FileFormat::Toml));
        }
        builder = builder.add_source(config::Environment::with_prefix("MORTISE").try_parsing(true));
        let written = builder.build().and_then(config::Config::try_deserialize::<Written>);
        Self::check(written.context("the settings (a MORTISE_ variable or a member of the settings file)")?)
    }

    /// The settings of `mortise dev`, which the environment does not change.
    pub(crate) fn dev(data_dir: &Path, listen: SocketAddr) -> anyhow::Result<Self> {
        let path = data_dir.join("mortise.db");
        let path = path.to_str().context("--data-dir: use a path that is valid UTF-8")?;
        Self::check(Written {
            database_url: Some(format!("sqlite://{path}?mode=rwc")),
            listen: Some(listen.to_string()),
            key_file: Some(data_dir.join("keys.json")),
            egress_allow: Some("127.0.0.0/8,::1/128".to_owned()),
            log: std::env::var("MORTISE_LOG").ok().or_else(|| Some("warn".to_owned())),
            ..Written::default()
        })
    }

    fn check(written: Written) -> anyhow::Result<Self> {
        let listen = written.listen.as_deref().unwrap_or("127.0.0.1:8080");
        let listen: SocketAddr = listen.parse().context("listen: use an address and a port, such as 127.0.0.1:8080")?;
        let public_url = written.public_url.unwrap_or_else(|| format!("http://{listen}"));
        let spill = written.key_file.as_ref().and_then(|file| Some(file.parent()?.join("spill")));
        Ok(Self {
            database_url: database_url(written.database_url, written.database_url_file)?,
            database_connections: in_range("database_connections", written.database_connections.unwrap_or(16), 1, 500)?,
            listen,
            public_url: check_public_url(&public_url)?,
            key_file: written.key_file,
            spill_dir: written.spill_dir.or(spill),
            egress_allow: networks(written.egress_allow.as_deref().unwrap_or_default())?,
            egress_ca_file: written.egress_ca_file,
            metrics_listen: match written.metrics_listen {
                Some(address) => {
                    Some(address.parse().context("metrics_listen: use an address and a port, such as 127.0.0.1:9090")?)
                }
                None => None,
            },
            http_workers: in_range("http_workers", written.http_workers.unwrap_or_else(cores), 1, 256)?,
            refresh_concurrency: in_range("refresh_concurrency", written.refresh_concurrency.unwrap_or(64), 1, 10_000)?,
            refresh_deadline: Duration::from_secs(in_range(
                "refresh_deadline",
                written.refresh_deadline.unwrap_or(120),
                1,
                600,
            )?),
            log: written.log.unwrap_or_else(|| "info".to_owned()),
            log_format: match written.log_format.as_deref() {
                None | Some("text") => LogFormat::Text,
                Some("json") => LogFormat::Json,
                Some(_) => bail!("log_format: use `text` or `json`"),
            },
        })
    }

    /// The database, which every command but a few needs.
    pub(crate) fn database_url(&self) -> anyhow::Result<&str> {
        self.database_url.as_deref().context(
            "database_url is not set: set MORTISE_DATABASE_URL, for example to postgres://mortise@localhost/mortise or \
             sqlite:///var/lib/mortise/mortise.db",
        )
    }

    /// The key file.
    pub(crate) fn key_file(&self) -> anyhow::Result<&Path> {
        self.key_file.as_deref().context("key_file is not set: set MORTISE_KEY_FILE and run `mortise keys init` once")
    }

    /// The spill folder.
    pub(crate) fn spill_dir(&self) -> anyhow::Result<PathBuf> {
        self.spill_dir
            .clone()
            .context("spill_dir is not set: set MORTISE_SPILL_DIR to a folder that survives a restart")
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get)
}

fn in_range<N: PartialOrd + std::fmt::Display>(name: &str, value: N, least: N, most: N) -> anyhow::Result<N> {
    if value < least || value > most {
        bail!("{name}: {value} is not allowed: use {least} to {most}");
    }
    Ok(value)
}

fn database_url(url: Option<String>, file: Option<PathBuf>) -> anyhow::Result<Option<String>> {
    let url = match (url, file) {
        (Some(_), Some(_)) => bail!("database_url and database_url_file are both set: set one of them"),
        (None, Some(file)) => {
            let text =
                std::fs::read_to_string(&file).with_context(|| format!("database_url_file: {}", file.display()))?;
            Some(text.trim().to_owned())
        }
        (url, None) => url,
    };
    let known = |url: &String| ["sqlite:", "postgres:", "postgresql:", "mysql:"].iter().any(|s| url.starts_with(s));
    match url {
        // The value is not quoted: it may hold a password.
        Some(url) if !known(&url) => bail!("database_url: use a URL that begins with sqlite:, postgres: or mysql:"),
        url => Ok(url),
    }
}

fn check_public_url(text: &str) -> anyhow::Result<Url> {
    let allowed = "public_url: use https://…, or http:// with a loopback address to try things out";
    let url = Url::parse(text).context(allowed)?;
    let loopback = match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.path() != "/" {
        bail!("public_url: use scheme, host and port only");
    }
    if url.scheme() == "https" || (url.scheme() == "http" && loopback) { Ok(url) } else { bail!("{allowed}") }
}

fn networks(text: &str) -> anyhow::Result<Vec<IpNet>> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let parse = |part: &str| {
        part.parse().with_context(|| format!("egress_allow: `{part}` is not a CIDR range such as 10.0.0.0/8"))
    };
    parts.map(parse).collect()
}

#[cfg(test)]
mod tests;
