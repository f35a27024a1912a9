//! A provider that asks for certificates (RFC 8705): each app shows its own, and nobody another's.

use crate::post;
use mortise_oauth::{ClientIdentity, Egress, EgressPolicy, IdentityFault, SendError, Transport as _};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

const AUTHORITY: &[u8] = include_bytes!("data/authority.crt");
const CERTIFICATE: &[u8] = include_bytes!("data/provider.crt");
const KEY: &[u8] = include_bytes!("data/provider.key");
const CLIENT_A: &str = include_str!("data/client-a.pem");
const CLIENT_B: &str = include_str!("data/client-b.pem");

fn authority() -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(AUTHORITY).unwrap()
}

/// A server that takes no client without a certificate of the authority.
fn demanding() -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(authority()).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().unwrap();
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let chain = vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
    Arc::new(builder.with_client_cert_verifier(verifier).with_single_cert(chain, key).unwrap())
}

/// Every request by the certificate that its connection showed.
type Seen = Arc<Mutex<Vec<CertificateDer<'static>>>>;

fn serve() -> (SocketAddr, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, seen, config) = (listener.local_addr().unwrap(), Seen::default(), demanding());
    let noted = seen.clone();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (config, noted) = (config.clone(), noted.clone());
            thread::spawn(move || answer(stream, config, &noted));
        }
    });
    (address, seen)
}

fn answer(stream: TcpStream, config: Arc<ServerConfig>, seen: &Seen) {
    let mut tls = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
    let mut buffer = [0_u8; 4096];
    while let Ok(1..) = tls.read(&mut buffer) {
        let shown = tls.conn.peer_certificates().unwrap()[0].clone().into_owned();
        seen.lock().unwrap().push(shown);
        if tls.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").is_err() {
            return;
        }
    }
}

fn egress() -> Egress {
    Egress::trusting(EgressPolicy { allow: vec!["127.0.0.0/8".parse().unwrap()] }, AUTHORITY).unwrap()
}

#[tokio::test]
async fn each_app_shows_its_own_certificate_also_over_connections_that_are_kept() {
    let ((address, seen), egress) = (serve(), egress());
    let clients = [CLIENT_A, CLIENT_B].map(|pem| ClientIdentity::read(pem).unwrap());
    let order = [0, 1, 0, 0, 1, 1];
    for client in order {
        let mut request = post(&format!("https://{address}/token"));
        request.client_identity = Some(clients[client].clone());
        assert_eq!(egress.send(request).await.unwrap().status, 200);
    }
    let certificates = [CLIENT_A, CLIENT_B].map(|pem| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap());
    let expected: Vec<_> = order.iter().map(|client| certificates[*client].clone()).collect();
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[tokio::test]
async fn without_a_certificate_no_request_arrives() {
    let ((address, seen), egress) = (serve(), egress());
    egress.send(post(&format!("https://{address}/token"))).await.unwrap_err();
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_authority_of_the_operators_own_is_trusted_only_where_it_was_named() {
    let (address, seen) = serve();
    let mut request = post(&format!("https://{address}/token"));
    request.client_identity = Some(ClientIdentity::read(CLIENT_A).unwrap());
    let error = crate::egress().send(request).await.unwrap_err();
    assert!(matches!(error, SendError::Tls), "{error}");
    assert!(seen.lock().unwrap().is_empty());
}

#[test]
fn what_is_no_authority_is_not_trusted() {
    for pem in [&b""[..], b"hunter2", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert!(Egress::trusting(EgressPolicy::default(), pem).is_err(), "{pem:?}");
    }
}

#[test]
fn what_is_no_certificate_with_its_key_is_refused() {
    let (certificate, key) = CLIENT_A.split_once("-----BEGIN PRIVATE KEY-----").unwrap();
    let other_key = CLIENT_B.split_once("-----BEGIN PRIVATE KEY-----").unwrap().1;
    let joined = |key: &str| format!("{certificate}-----BEGIN PRIVATE KEY-----{key}");
    for (text, fault) in [
        ("hunter2".to_owned(), IdentityFault::NoCertificate),
        (format!("-----BEGIN PRIVATE KEY-----{key}"), IdentityFault::NoCertificate),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned(), IdentityFault::NoKey),
        (certificate.to_owned(), IdentityFault::NoKey),
        (joined(key).replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"), IdentityFault::NoKey),
        (joined(other_key), IdentityFault::Mismatch),
    ] {
        assert_eq!(ClientIdentity::read(&text).err(), Some(fault), "{text}");
    }
    assert_eq!(format!("{:?}", ClientIdentity::read(CLIENT_A).unwrap()), "ClientIdentity(…)");
}
