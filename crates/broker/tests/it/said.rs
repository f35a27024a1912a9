//! Apps whose own credentials fetch a token: who says whose data that is.

use crate::bench::Bench;
use mortise_broker::{AppInput, AppSettings, ConnectFault, Error, Import, ManifestSource, NewSession, Started};
use mortise_connectors::Values;
use mortise_domain::{ClientSecret, ScopeSet};
use mortise_oauth::Reply;

const TENANTS: &str = "id: fleet\nname: Fleet\nauth:\n  type: oauth2\n  grant: client_credentials\n  \
                       token_url: https://{region}.fleet.example/{tenant}/token\nvariables:\n  \
                       tenant: {type: path_segment, title: Your tenant}\n  \
                       region: {type: enum, title: Region, values: [eu, us]}\n";

fn values(pairs: &[(&str, &str)]) -> Values {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

async fn bench(fixed: &[(&str, &str)]) -> Bench {
    let bench = Bench::new("F").await;
    bench.broker.register_connector(&bench.caller, ManifestSource::Text(TENANTS.to_owned())).await.unwrap();
    let app = AppInput {
        connector: "fleet".parse().unwrap(),
        connector_version: None,
        client_id: "client".into(),
        client_secret: Some(ClientSecret::new("secret")),
        scopes: ScopeSet::default(),
        settings: AppSettings { variables: values(fixed), ..AppSettings::default() },
    };
    bench.broker.create_app(&bench.caller, "fleet".parse().unwrap(), app).await.unwrap();
    bench
}

fn session(apps: Option<&[&str]>) -> NewSession {
    NewSession {
        customer: "c1".parse().unwrap(),
        apps: apps.map(|apps| apps.iter().map(|id| id.parse().unwrap()).collect()),
        connection: None,
        return_url: None,
        expires_in: None,
    }
}

fn token() -> Reply {
    Reply::new(200, Some("application/json"), r#"{"access_token":"at","token_type":"Bearer","expires_in":3600}"#)
}

#[tokio::test]
async fn a_page_that_could_not_ask_is_not_offered() {
    let bench = bench(&[]).await;
    let refused = bench.broker.create_session(&bench.caller, session(Some(&["fleet"]))).await;
    let Err(Error::Invalid(faults)) = refused else { panic!("{refused:?}") };
    assert_eq!(faults[0].pointer, "/apps/0");
    assert!(faults[0].detail.contains("`tenant`") && faults[0].detail.contains("POST /v1/connections"), "{faults:?}");
    let all = bench.broker.create_session(&bench.caller, session(None)).await.unwrap();
    let page = bench.broker.connect_page(all.token.expose()).await.unwrap();
    assert!(page.choices.iter().all(|choice| choice.app.as_str() != "fleet"), "{:?}", page.choices);
}

#[tokio::test]
async fn a_customer_chooses_from_the_list_and_names_nobody() {
    let bench = bench(&[("tenant", "t1")]).await;
    let link = bench.broker.create_session(&bench.caller, session(Some(&["fleet"]))).await.unwrap();
    let page = bench.broker.connect_page(link.token.expose()).await.unwrap();
    let asked: Vec<_> = page.choices[0].fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(asked, ["region"]);
    let id = "fleet".parse().unwrap();
    let named = values(&[("tenant", "t2"), ("region", "eu")]);
    let refused = bench.broker.start_connect(link.token.expose(), &id, &named).await;
    let Err(Error::Connect(ConnectFault::Fields(faults))) = refused else { panic!("{refused:?}") };
    assert_eq!(faults[0].pointer, "/tenant");
    assert!(bench.provider.take_requests().is_empty());
}

#[tokio::test]
async fn what_the_backend_said_stays_when_the_customer_connects_again() {
    let bench = bench(&[]).await;
    bench.provider.reply(token());
    let import = Import {
        customer: "c1".parse().unwrap(),
        app: "fleet".parse().unwrap(),
        variables: values(&[("tenant", "t7"), ("region", "us")]),
        credentials: None,
    };
    let made = bench.broker.import_connection(&bench.caller, import).await.unwrap();
    let link = bench.broker.create_session(&bench.caller, session(Some(&["fleet"]))).await.unwrap();
    bench.provider.take_requests();
    bench.provider.reply(token());
    let id = "fleet".parse().unwrap();
    let again = bench.broker.start_connect(link.token.expose(), &id, &values(&[("region", "eu")])).await.unwrap();
    let Started::Done { connection, .. } = again else { panic!("{again:?}") };
    assert_eq!(connection, made.id);
    let asked = bench.provider.take_requests();
    assert_eq!(asked[0].url.as_str(), "https://eu.fleet.example/t7/token");
}
