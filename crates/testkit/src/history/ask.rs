//! Asks a server of the program for its side of a history.

use super::Connection;
use crate::{Http, or_panic};
use anyhow::Context as _;
use serde_json::Value;

impl Connection {
    /// A connection with its whole timeline. `api` presents a key that may read it, `base` is the server's URL.
    ///
    /// # Panics
    /// When the server answers anything but that.
    pub async fn ask(api: &Http, base: &str, id: &str, families: Vec<u64>) -> Self {
        let url = format!("{base}/v1/connections/{id}");
        let view = api.get(&url).await.expect(200).json();
        let (mut lines, mut more) = (Vec::new(), String::new());
        loop {
            let mut page = api.get(&format!("{url}/events?limit=100{more}")).await.expect(200).json();
            match page["items"].take() {
                Value::Array(items) => lines.extend(items),
                other => or_panic(Err(anyhow::anyhow!("no page of a timeline: {other}"))),
            }
            match page["next_cursor"].as_str() {
                Some(cursor) => more = format!("&cursor={cursor}"),
                None => break,
            }
        }
        or_panic(Self::of_api(view, &lines, families).with_context(|| format!("the connection {id}")))
    }
}
