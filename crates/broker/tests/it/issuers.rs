//! What one issuer gave is never shown to another (RFC 9700 section 4.4; security reference P09).

use crate::bench::Bench;
use mortise_broker::{AppInput, ConnectFault, Error, ManifestSource};

/// The same connector at another issuer, as its second version.
async fn moved(bench: &Bench) {
    let manifest = "id: acme\nname: Acme\nauth:\n  type: oauth2\n  grant: authorization_code\n  \
         authorization_url: https://other.example/authorize\n  token_url: https://other.example/token\n  \
         revocation_url: https://other.example/revoke\n  recovery_class: F\n  issuer: https://other.example\n";
    let source = ManifestSource::Text(manifest.to_owned());
    let id = "acme".parse().unwrap();
    assert_eq!(bench.broker.update_connector(&bench.caller, &id, source).await.unwrap().version, 2);
}

fn app_there(bench: &Bench) -> AppInput {
    AppInput { connector_version: Some(2), ..bench.app("canary-secret-of-the-other") }
}

/// A flow that began at the first issuer comes back when the app has gone to the second.
#[tokio::test]
async fn a_flow_does_not_show_the_new_secret_to_the_old_issuer() {
    let bench = Bench::new("F").await;
    let flow = bench.start(&bench.link(None).await).await;
    moved(&bench).await;
    bench.broker.update_app(&bench.caller, &"acme".parse().unwrap(), app_there(&bench)).await.unwrap();
    let answer = bench.finish(&flow, &[("code", "code"), ("state", &flow.state)]).await;
    assert!(matches!(answer, Err(Error::Connect(ConnectFault::StaleState))), "{answer:?}");
    assert_eq!(bench.provider.take_requests().len(), 0, "the old issuer was asked with the new client");
}

#[tokio::test]
async fn an_app_with_connections_stays_with_its_issuer() {
    let bench = Bench::new("F").await;
    let connection = bench.connect().await;
    moved(&bench).await;
    let id = "acme".parse().unwrap();
    let refused = bench.broker.update_app(&bench.caller, &id, app_there(&bench)).await;
    assert!(matches!(refused, Err(Error::InUse { .. })), "{refused:?}");
    bench.provider.take_requests();
    bench.make_due().await;
    bench.provider.json(200, &crate::bench::tokens(2));
    bench.work().await;
    let sent = bench.provider.take_requests();
    assert_eq!(sent.iter().map(|request| request.url.as_str()).collect::<Vec<_>>(), ["https://acme.example/token"]);
    assert_eq!(bench.token(connection, None).await.unwrap().access_token.expose(), "at-2");
}
