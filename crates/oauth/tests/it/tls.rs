//! A server that cannot prove who it is gets no byte of a request.

use crate::{egress, post};
use mortise_oauth::{SendError, Transport as _};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};
use std::io::Read as _;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

/// Made for `localhost` and 127.0.0.1, signed by nobody.
const CERTIFICATE: &[u8] = include_bytes!("data/self-signed.crt");
const KEY: &[u8] = include_bytes!("data/self-signed.key");

fn self_signed() -> Arc<ServerConfig> {
    let chain = vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_no_client_auth().with_single_cert(chain, key).unwrap())
}

#[tokio::test]
async fn a_self_signed_certificate_is_refused_before_the_request() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut tls = ServerConnection::new(self_signed()).unwrap();
        let handshake = tls.complete_io(&mut stream);
        let mut clear = Vec::new();
        // What of the request was decrypted; an error here is the client's alert or the end of the stream.
        let read = tls.reader().read_to_end(&mut clear);
        (handshake.is_err(), read.is_err(), clear)
    });
    let error = egress().send(post(&format!("https://{address}/token"))).await.unwrap_err();
    assert!(matches!(error, SendError::Tls) && !error.was_sent(), "{error}");
    let (refused, _, clear) = server.join().unwrap();
    assert!(refused && clear.is_empty());
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_refused_before_the_request() {
    let server = crate::server::Server::start(|mut peer| async move {
        peer.write("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
        peer.request().await;
    })
    .await;
    let url = server.url().replace("http:", "https:");
    let error = egress().send(post(&url)).await.unwrap_err();
    assert!(matches!(error, SendError::Tls) && !error.was_sent(), "{error}");
    assert!(server.requests().is_empty());
}
