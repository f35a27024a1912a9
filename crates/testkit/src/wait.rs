//! Waiting for what happens elsewhere: polling with a deadline, so that a test never sleeps longer than it must.

use anyhow::{Result, bail};
use mortise_domain::{Clock as _, SystemClock};
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(20);

/// Asks `probe` until it answers with something, an error, or `within` has passed.
pub fn blocking<T>(within: Duration, mut probe: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let clock = SystemClock::new();
    loop {
        if let Some(found) = probe()? {
            return Ok(found);
        }
        if clock.monotonic() > within {
            bail!("nothing after {within:?}");
        }
        std::thread::sleep(PAUSE);
    }
}

/// Asks `probe` until it answers with something, an error, or `within` has passed.
pub async fn until<T>(within: Duration, mut probe: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let clock = SystemClock::new();
    loop {
        if let Some(found) = probe().await? {
            return Ok(found);
        }
        if clock.monotonic() > within {
            bail!("nothing after {within:?}");
        }
        tokio::time::sleep(PAUSE).await;
    }
}
