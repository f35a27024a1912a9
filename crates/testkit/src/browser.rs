//! Debian's Chromium without a window, driven by its own driver program.
//!
//! Every browser has a fresh profile and reaches nothing but what a test opens. The processes end with the value.

mod actions;

use crate::{Launch, Process, http, or_panic};
use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;
use thirtyfour::{ChromiumLikeCapabilities as _, DesiredCapabilities, LoggingPrefsLogLevel, WebDriver};

/// Beyond being headless: no look-ups and downloads of the browser's own, and no sandbox, which root may not have.
const FLAGS: [&str; 13] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-search-engine-choice-screen",
    "--force-color-profile=srgb",
];

/// How often is looked whether what was killed is gone, and after which pause again.
const LOOKS: u32 = 1000;
const PAUSE: Duration = Duration::from_millis(10);

/// A running browser.
#[derive(Debug)]
pub struct Chromium {
    // In the order of their ends: the session first, its driver next, and the profile when nobody writes to it.
    driver: WebDriver,
    _program: Process,
    profile: Profile,
}

#[derive(Debug)]
struct Profile(tempfile::TempDir);

impl Chromium {
    /// Starts a browser with a page of 1280 by 800 pixels.
    ///
    /// # Panics
    /// When Chromium or its driver is not installed, or does not start.
    pub async fn start() -> Self {
        or_panic(Self::try_start().await)
    }

    async fn try_start() -> Result<Self> {
        for program in ["/usr/bin/chromium", "/usr/bin/chromedriver"] {
            if !Path::new(program).exists() {
                return Err(crate::servers::missing(program));
            }
        }
        http::install_tls_provider();
        let profile = Profile(tempfile::Builder::new().prefix("mortise-chromium-").tempdir()?);
        let home = profile.0.path();
        let mut program = Launch::new("/usr/bin/chromedriver")
            .args(["--port=0", "--allowed-ips=127.0.0.1"])
            .env("HOME", home)
            .env("XDG_CONFIG_HOME", home)
            .env("XDG_CACHE_HOME", home)
            .start();
        let port = program.line(Duration::from_secs(30), driver_port).await;

        let mut capabilities = DesiredCapabilities::chrome();
        capabilities.set_binary("/usr/bin/chromium")?;
        for flag in FLAGS {
            capabilities.add_arg(flag)?;
        }
        capabilities.add_arg(&format!("--user-data-dir={}", home.join("profile").display()))?;
        capabilities.add_arg(&format!("--crash-dumps-dir={}", home.join("crashes").display()))?;
        // What the page logs and what its policy blocked is part of what a test looks at.
        capabilities.set_browser_log_level(LoggingPrefsLogLevel::All)?;
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities).await;
        let driver =
            driver.with_context(|| format!("Chromium does not start; its driver says:\n{}", program.output()))?;
        let browser = Self { driver, _program: program, profile };
        browser.try_resize(1280, 800).await?;
        Ok(browser)
    }

    /// The WebDriver session.
    pub fn driver(&self) -> &WebDriver {
        &self.driver
    }

    /// The folder of its profile, which nobody else uses.
    pub fn profile(&self) -> &Path {
        self.profile.0.path()
    }

    /// Gives the page another size, in CSS pixels; 390 by 844 is a phone.
    ///
    /// # Panics
    /// When the browser is gone.
    pub async fn resize(&self, width: u32, height: u32) {
        or_panic(self.try_resize(width, height).await);
    }

    async fn try_resize(&self, width: u32, height: u32) -> Result<()> {
        let screen = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", screen).await.map(drop)
    }

    /// Lets the page see a user who prefers dark (`true`) or light colours.
    ///
    /// # Panics
    /// When the browser is gone.
    pub async fn prefer_dark(&self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        or_panic(self.devtools("Emulation.setEmulatedMedia", media).await.map(drop));
    }

    /// Turns JavaScript off or on for the pages opened from now on.
    ///
    /// # Panics
    /// When the browser is gone.
    pub async fn scripts(&self, allowed: bool) {
        or_panic(self.devtools("Emulation.setScriptExecutionDisabled", json!({ "value": !allowed })).await.map(drop));
    }

    /// Writes what the page shows as a PNG file, making its folder.
    ///
    /// # Panics
    /// When the browser is gone or the file cannot be written.
    pub async fn screenshot(&self, path: impl AsRef<Path>) {
        or_panic(self.try_screenshot(path.as_ref()).await);
    }

    async fn try_screenshot(&self, path: &Path) -> Result<()> {
        let png = self.driver.screenshot_as_png().await?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, png).with_context(|| format!("{} cannot be written", path.display()))
    }

    /// What the page wrote to the console and what the browser complained about since the last call: an empty list for
    /// a page that is in order.
    ///
    /// # Panics
    /// When the browser is gone.
    pub async fn console(&self) -> Vec<String> {
        or_panic(self.try_console().await)
    }

    async fn try_console(&self) -> Result<Vec<String>> {
        let entries = self.driver.get_log("browser").await?;
        Ok(entries.iter().map(|entry| format!("{}: {}", entry.level, entry.message)).collect())
    }

    /// Sends a command of Chromium's DevTools protocol.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Result<Value> {
        self.driver.cdp().send_raw(command, parameters).await.with_context(|| command.to_owned())
    }

    /// Closes the browser in order.
    ///
    /// # Panics
    /// When it does not close.
    pub async fn stop(self) {
        or_panic(self.driver.clone().quit().await.context("the browser does not close"));
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // A session that was not closed would be closed by a blocking request now. The processes end below anyhow.
        drop(self.driver.clone().leak());
        self.profile.end_users();
    }
}

impl Profile {
    /// Kills whatever runs on this profile, which nobody else has, until nothing does: a process that is just being started
    /// is not seen yet, and one that was killed takes a while to be gone.
    fn end_users(&self) {
        for _ in 0..LOOKS {
            if !self.killed() {
                return;
            }
            thread::sleep(PAUSE);
        }
    }

    /// Whether there was anybody to kill.
    fn killed(&self) -> bool {
        let name = self.0.path().to_string_lossy().into_owned();
        let Ok(processes) = fs::read_dir("/proc") else { return false };
        let mut any = false;
        for process in processes.flatten() {
            let command = fs::read(process.path().join("cmdline")).unwrap_or_default();
            if String::from_utf8_lossy(&command).contains(&name) {
                let pid = process.file_name();
                drop(Command::new("sh").args(["-c", "kill -9 \"$1\" 2>/dev/null", "kill"]).arg(pid).status());
                any = true;
            }
        }
        any
    }
}

/// From `ChromeDriver was started successfully on port 33801.`
fn driver_port(line: &str) -> Option<u16> {
    line.split_once("started successfully on port ")?.1.trim_end_matches('.').parse().ok()
}
