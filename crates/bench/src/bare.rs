//! The bare handler: the framework with nothing behind it, as the measured program sets it up. What it answers is as long
//! as a token answer without its token.

use actix_web::{App, HttpResponse, HttpServer, web};
use anyhow::Context as _;
use mortise_testkit::{Launch, Process, ports};
use std::net::SocketAddr;
use std::time::Duration;

const ANSWER: &str = concat!(
    r#"{"connection":"conn_0199a0000000700080000000000000ff","access_token":"#,
    r#""0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","token_type":"Bearer","#,
    r#""expires_at":"2036-11-21T00:00:00Z","expires_in":315360000,"refresh_after":"2036-11-20T23:45:00Z","#,
    r#""granted_scopes":[],"missing_scopes":[],"extra":{}}"#,
);

/// Serves until it is killed.
pub(crate) fn serve(listen: SocketAddr, workers: usize) -> anyhow::Result<()> {
    let answer = || async { HttpResponse::Ok().content_type("application/json").body(ANSWER) };
    actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || App::new().default_service(web::to(answer))).workers(workers);
        Ok(server.bind(listen)?.run().await?)
    })
}

/// The handler as a running process.
pub(crate) struct Bare {
    pub(crate) process: Process,
    pub(crate) base: String,
}

impl Bare {
    /// Starts it on a spare port.
    pub(crate) async fn start(workers: usize) -> anyhow::Result<Self> {
        let (port, program) = (ports::free()?, std::env::current_exe().context("this program's path")?);
        let listen = format!("127.0.0.1:{port}");
        let arguments = ["bare".to_owned(), "--listen".to_owned(), listen, "--workers".to_owned(), workers.to_string()];
        let mut process = Launch::new(program).args(arguments).start();
        let base = format!("http://127.0.0.1:{port}");
        process.ready(&base, Duration::from_secs(30)).await;
        Ok(Self { process, base })
    }
}
