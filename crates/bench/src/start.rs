//! How long a start takes: from exec to the first good answer of `/readyz`.

use crate::figures::median;
use crate::site::Site;
use anyhow::{Result, bail};
use mortise_domain::{Clock as _, SystemClock};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The median of several starts of the web service, which is not running before or afterwards.
pub(crate) async fn milliseconds(site: &mut Site, starts: usize) -> Result<f64> {
    let mut seen = Vec::new();
    for _ in 0..starts {
        let clock = SystemClock::new();
        let begin = clock.monotonic();
        let mut server = site.launch(&["serve"]).start();
        while !ready(site.listen).await {
            if let Some(status) = server.exit_status() {
                bail!("the web service ended: {status}\n{}", server.output());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        seen.push((clock.monotonic() - begin).as_secs_f64() * 1e3);
        site.server = Some(server);
        site.stop().await;
    }
    Ok(median(seen.into_iter()))
}

/// Without a client library, whose own start would be measured too.
async fn ready(listen: SocketAddr) -> bool {
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {listen}\r\nConnection: close\r\n\r\n");
    let answer = async {
        let mut stream = TcpStream::connect(listen).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut status = [0_u8; 12];
        stream.read_exact(&mut status).await?;
        std::io::Result::Ok(status)
    };
    answer.await.is_ok_and(|status| status == *b"HTTP/1.1 200")
}
