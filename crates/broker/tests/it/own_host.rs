//! Providers that their customers run themselves: who may say on which host, and where the app's secret goes.

use crate::bench::Bench;
use mortise_broker::{
    AppInput, AppSettings, ConnectFault, Credentials, Error, Fault, Import, ImportedCredentials, ManifestSource,
    Started,
};
use mortise_connectors::Values;
use mortise_domain::{AccessToken, ClientSecret, PastedSecret, ScopeSet};
use mortise_oauth::Reply;

const LAB: &str = "id: lab\nname: Lab\nauth:\n  type: oauth2\n  grant: authorization_code\n  \
                   authorization_url: https://{host}/authorize\n  token_url: https://{host}/token\n\
                   variables: {host: {type: host, title: Your host}}\n";
const DESK: &str = "id: desk\nname: Desk\nauth:\n  type: api_key\n  credentials: {key: {type: secret, title: Key}}\n  \
                    verification: {url: 'https://{host}/me'}\nvariables: {host: {type: host, title: Your host}}\n\
                    api: {base_url: 'https://{host}', headers: {Authorization: 'Bearer {key}'}}\n";

fn values(host: &str) -> Values {
    Values::from([("host".to_owned(), host.to_owned())])
}

fn app(connector: &str, host: Option<&str>, secret: Option<&str>) -> AppInput {
    AppInput {
        connector: connector.parse().unwrap(),
        connector_version: None,
        client_id: secret.map(|_| "client".to_owned()).unwrap_or_default(),
        client_secret: secret.map(ClientSecret::new),
        scopes: ScopeSet::default(),
        settings: AppSettings {
            return_urls: vec!["https://app.example/done".into()],
            variables: host.map(values).unwrap_or_default(),
            ..AppSettings::default()
        },
    }
}

async fn bench(manifest: &str) -> Bench {
    let bench = Bench::new("F").await;
    bench.broker.register_connector(&bench.caller, ManifestSource::Text(manifest.to_owned())).await.unwrap();
    bench
}

fn faults<T>(outcome: Result<T, Error>) -> Vec<Fault> {
    match outcome.err().expect("refused") {
        Error::Invalid(faults) | Error::Connect(ConnectFault::Fields(faults)) => faults,
        other => panic!("no fault of a field: {other:?}"),
    }
}

fn pointers<T>(outcome: Result<T, Error>) -> Vec<String> {
    faults(outcome).into_iter().map(|fault| fault.pointer).collect()
}

#[tokio::test]
async fn the_app_says_which_host_gets_its_secret() {
    let bench = bench(LAB).await;
    let create = |host| bench.broker.create_app(&bench.caller, "lab".parse().unwrap(), app("lab", host, Some("s")));
    for host in
        [None, Some("169.254.169.254"), Some("localhost"), Some("a.example/x"), Some("x.internal"), Some("a.b.local")]
    {
        assert_eq!(pointers(create(host).await), ["/settings/variables/host"], "{host:?}");
    }
    create(Some("git.acme.example")).await.unwrap();
    // The host stays: the tokens of running connections were issued there.
    let id = "lab".parse().unwrap();
    for (host, secret) in [(Some("git.evil.example"), Some("s2")), (Some("git.evil.example"), None), (None, Some("s2"))]
    {
        let changed = bench.broker.update_app(&bench.caller, &id, app("lab", host, secret)).await;
        assert!(changed.is_err(), "{host:?} {secret:?}");
    }
    bench.broker.update_app(&bench.caller, &id, app("lab", Some("git.acme.example"), Some("s2"))).await.unwrap();
}

#[tokio::test]
async fn a_customer_never_says_where_the_apps_secret_goes() {
    let bench = bench(LAB).await;
    let id = "lab".parse().unwrap();
    bench.broker.create_app(&bench.caller, id, app("lab", Some("git.acme.example"), Some("s"))).await.unwrap();
    let (link, id) = (bench.link(None).await, "lab".parse().unwrap());
    let page = bench.broker.connect_page(&link).await.unwrap();
    let choice = page.choices.iter().find(|choice| choice.app == id).unwrap();
    assert!(choice.fields.is_empty() && choice.host == "git.acme.example", "{choice:?}");
    for host in ["evil.example", "git.acme.example"] {
        let started = bench.broker.start_connect(&link, &id, &values(host)).await;
        assert_eq!(pointers(started), ["/host"], "{host}");
        let tokens = ImportedCredentials {
            access_token: Some(AccessToken::new("at")),
            refresh_token: None,
            expires_at: None,
            scopes: None,
            pasted: Credentials::new(),
        };
        let (customer, app) = ("c1".parse().unwrap(), "lab".parse().unwrap());
        let import = Import { customer, app, variables: values(host), credentials: Some(tokens) };
        assert_eq!(
            pointers(bench.broker.import_connection(&bench.caller, import).await),
            ["/variables/host"],
            "{host}"
        );
    }
    assert!(bench.provider.take_requests().is_empty());
    let Started::Redirect { location, .. } = bench.broker.start_connect(&link, &id, &Values::new()).await.unwrap()
    else {
        panic!("no redirect")
    };
    assert_eq!(location.host_str(), Some("git.acme.example"));
}

#[tokio::test]
async fn who_pastes_what_is_theirs_says_where_it_goes_within_the_policy() {
    let bench = bench(DESK).await;
    bench.broker.create_app(&bench.caller, "desk".parse().unwrap(), app("desk", None, None)).await.unwrap();
    let import = |host: &str| Import {
        customer: "c1".parse().unwrap(),
        app: "desk".parse().unwrap(),
        variables: values(host),
        credentials: Some(ImportedCredentials {
            access_token: None,
            refresh_token: None,
            expires_at: None,
            scopes: None,
            pasted: Credentials::from([("key".to_owned(), PastedSecret::new("k-1"))]),
        }),
    };
    for host in
        ["169.254.169.254", "localhost", "x.localhost", "metadata.google.internal", "desk.local", "a@b.example", ""]
    {
        let refused = bench.broker.import_connection(&bench.caller, import(host)).await;
        assert_eq!(pointers(refused), ["/variables/host"], "{host}");
    }
    assert!(bench.provider.take_requests().is_empty(), "nobody was called");
    bench.provider.reply(Reply::new(204, None, ""));
    let made = bench.broker.import_connection(&bench.caller, import("desk.customer.example")).await.unwrap();
    let sent = bench.provider.take_requests();
    assert_eq!(sent[0].url.as_str(), "https://desk.customer.example/me");
    assert_eq!(made.variables["host"], "desk.customer.example");
    // What the app fixed is no customer's to say.
    bench
        .broker
        .create_app(&bench.caller, "fixed".parse().unwrap(), app("desk", Some("desk.acme.example"), None))
        .await
        .unwrap();
    let mut elsewhere = import("desk.evil.example");
    elsewhere.app = "fixed".parse().unwrap();
    bench.provider.reply(Reply::new(204, None, ""));
    let made = bench.broker.import_connection(&bench.caller, elsewhere).await.unwrap();
    assert_eq!(made.variables["host"], "desk.acme.example");
}
