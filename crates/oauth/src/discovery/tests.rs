//! Discovery against scripted providers: what is believed, and what is not.

mod reading;

use super::*;
use crate::testing::ScriptedTransport;
use crate::{Reply, SendError};
use mortise_connectors::{Grant, Undiscovered};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const ISSUER: &str = "https://id.acme.example";

fn metadata_of(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "revocation_endpoint": format!("{issuer}/revoke"),
        "registration_endpoint": format!("{issuer}/register"),
        "pushed_authorization_request_endpoint": format!("{issuer}/par"),
        "device_authorization_endpoint": format!("{issuer}/device"),
        "code_challenge_methods_supported": ["plain", "S256"],
        "token_endpoint_auth_methods_supported": ["tls_client_auth", "client_secret_post", "none"],
        "scopes_supported": ["openid", "offline_access"],
        "authorization_response_iss_parameter_supported": true,
        "something_new": {"a": [1]},
    })
}

fn of_issuer(issuer: &str) -> Discovery {
    Discovery { issuer: Some(issuer.to_owned()), ..Discovery::default() }
}

fn of_resource(url: &str) -> Discovery {
    Discovery { protected_resource: Some(url.to_owned()), ..Discovery::default() }
}

fn asked(transport: &ScriptedTransport) -> Vec<String> {
    transport.take_requests().iter().map(|request| request.url.to_string()).collect()
}

fn wanted(grant: Grant, discovery: Discovery) -> Undiscovered {
    Undiscovered { discovery, grant, given: BTreeSet::new(), needed: vec!["token_url"], pkce: true }
}

fn challenge(header: &str) -> Reply {
    Reply { www_authenticate: Some(header.to_owned()), ..Reply::new(401, None, "") }
}

#[tokio::test]
async fn an_issuer_is_looked_for_at_every_well_known_place() {
    let transport = ScriptedTransport::new();
    let issuer = "https://id.acme.example/realms/one";
    transport.json(404, &json!({})).reply(Reply::new(200, None, "<html>")).json(200, &metadata_of(issuer));
    let found = discover(&transport, &of_issuer(issuer)).await.expect("it is there");
    assert_eq!(found.server.token_endpoint.as_deref(), Some("https://id.acme.example/realms/one/token"));
    let places = [
        "https://id.acme.example/.well-known/oauth-authorization-server/realms/one",
        "https://id.acme.example/.well-known/openid-configuration/realms/one",
        "https://id.acme.example/realms/one/.well-known/openid-configuration",
    ];
    assert_eq!(asked(&transport), places);

    transport.json(404, &json!({})).json(404, &json!({}));
    let error = discover(&transport, &of_issuer(ISSUER)).await.expect_err("it is nowhere");
    let places = [
        "https://id.acme.example/.well-known/oauth-authorization-server",
        "https://id.acme.example/.well-known/openid-configuration",
    ];
    assert_eq!((asked(&transport), error.unreachable), (places.map(str::to_owned).to_vec(), false));
    assert_eq!(error.tried.iter().map(|(place, _)| place.as_str()).collect::<Vec<_>>(), places);
}

#[tokio::test]
async fn a_document_is_asked_for_where_it_is_said_to_lie() {
    let transport = ScriptedTransport::new();
    transport.json(200, &metadata_of(ISSUER));
    let wanted = Discovery { url: Some("https://acme.example/meta.json".to_owned()), ..of_issuer(ISSUER) };
    discover(&transport, &wanted).await.expect("it is there");
    assert_eq!(asked(&transport), ["https://acme.example/meta.json"]);
}

/// RFC 8414 section 3.3, to the byte.
#[tokio::test]
async fn p03_another_issuer_is_never_believed() {
    let spellings =
        ["https://id.acme.example/", "https://ID.acme.example", "http://id.acme.example", "https://evil.example", ""];
    for claimed in spellings {
        let transport = ScriptedTransport::new();
        let mut metadata = metadata_of(ISSUER);
        metadata["issuer"] = json!(claimed);
        transport.json(200, &metadata).json(200, &metadata);
        let error = discover(&transport, &of_issuer(ISSUER)).await.expect_err(claimed);
        assert_eq!((error.tried.len(), error.unreachable), (2, false), "{error}");
    }
}

#[tokio::test]
async fn what_may_pass_is_told_from_what_may_not() {
    let transport = ScriptedTransport::new();
    transport.fail(SendError::Timeout).json(503, &json!({}));
    assert!(discover(&transport, &of_issuer(ISSUER)).await.expect_err("it is down").unreachable);
    let refused = || SendError::Refused(crate::EgressRefusal::NoHost);
    transport.fail(refused()).fail(refused());
    assert!(!discover(&transport, &of_issuer(ISSUER)).await.expect_err("we do not ask").unreachable);
}

#[tokio::test]
async fn a_resource_says_where_its_metadata_lies_and_what_it_wants() {
    let transport = ScriptedTransport::new();
    let resource = json!({
        "resource": "https://mcp.acme.example/mcp", "authorization_servers": [ISSUER, "https://other.example"],
        "scopes_supported": ["all"],
    });
    transport
        .reply(challenge(r#"Bearer resource_metadata="https://mcp.acme.example/.well-known/x", scope="read write""#))
        .json(200, &resource)
        .json(200, &metadata_of(ISSUER));
    let wanted_from = of_resource("https://mcp.acme.example/mcp");
    let found = discover(&transport, &wanted_from).await.expect("it is there");
    let places = [
        "https://mcp.acme.example/mcp",
        "https://mcp.acme.example/.well-known/x",
        "https://id.acme.example/.well-known/oauth-authorization-server",
    ];
    assert_eq!(asked(&transport), places);
    let members = members(&found, &wanted(Grant::AuthorizationCode, wanted_from)).expect("it has all that is needed");
    let expected = json!({
        "authorization_url": "https://id.acme.example/authorize",
        "token_url": "https://id.acme.example/token",
        "revocation_url": "https://id.acme.example/revoke",
        "issuer": ISSUER,
        "pushed_authorization_request_url": "https://id.acme.example/par",
        "registration_url": "https://id.acme.example/register",
        "resource": "https://mcp.acme.example/mcp",
        "authorization_response_iss_parameter_supported": true,
        "client_authentication": "none",
        "default_scopes": ["read", "write", "offline_access"],
        "authorization_params": {"prompt": "consent"},
    });
    let members: serde_json::Map<_, _> = members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    assert_eq!(Value::Object(members), expected);
}

#[tokio::test]
async fn a_silent_resource_is_looked_for_at_its_well_known_places() {
    let transport = ScriptedTransport::new();
    let resource = json!({"resource": "https://mcp.acme.example", "authorization_servers": [ISSUER]});
    transport.json(405, &json!({})).json(404, &json!({})).json(200, &resource).json(200, &metadata_of(ISSUER));
    let found = discover(&transport, &of_resource("https://mcp.acme.example/a/mcp")).await.expect("it is there");
    assert_eq!(found.asked_scopes, None);
    let places = [
        "https://mcp.acme.example/a/mcp",
        "https://mcp.acme.example/.well-known/oauth-protected-resource/a/mcp",
        "https://mcp.acme.example/.well-known/oauth-protected-resource",
        "https://id.acme.example/.well-known/oauth-authorization-server",
    ];
    assert_eq!(asked(&transport), places);
}

/// RFC 9728 section 7.3: a resource that names another one could have tokens for that one sent to itself.
#[tokio::test]
async fn p09_a_resource_speaks_for_itself_alone() {
    let url = "https://mcp.acme.example/a/mcp";
    let fine = [
        "https://mcp.acme.example/a/mcp",
        "https://mcp.acme.example/a",
        "https://mcp.acme.example/a/",
        "https://mcp.acme.example",
    ];
    for resource in fine {
        assert!(speaks_for(resource, &Url::parse(url).expect("a URL")), "{resource}");
    }
    let others = [
        "https://api.acme.example/a/mcp",
        "https://mcp.acme.example.evil.example/a/mcp",
        "http://mcp.acme.example/a/mcp",
        "https://mcp.acme.example:444/a/mcp",
        "https://mcp.acme.example/a/mc",
        "https://mcp.acme.example/a/mcp/deeper",
        "https://mcp.acme.example/b",
        "https://u@mcp.acme.example/a",
        "https://mcp.acme.example/a?tenant=1",
        "mcp",
    ];
    for resource in others {
        let transport = ScriptedTransport::new();
        let metadata = json!({"resource": resource, "authorization_servers": [ISSUER]});
        transport.json(401, &json!({})).json(200, &metadata).json(200, &metadata);
        let error = discover(&transport, &of_resource(url)).await.expect_err(resource);
        assert!(error.to_string().contains("about the resource"), "{error}");
        assert_eq!(transport.remaining(), 0, "its authorization server was asked");
    }
}

#[tokio::test]
async fn p09_only_a_server_that_the_resource_names_is_asked() {
    let transport = ScriptedTransport::new();
    let resource =
        json!({"resource": "https://mcp.acme.example/mcp", "authorization_servers": ["https://other.example"]});
    transport.json(401, &json!({})).json(200, &resource);
    let wanted = Discovery { issuer: Some(ISSUER.to_owned()), ..of_resource("https://mcp.acme.example/mcp") };
    let error = discover(&transport, &wanted).await.expect_err("the resource does not trust it");
    assert!(error.to_string().contains("does not name"), "{error}");
    let nobody = json!({"resource": "https://mcp.acme.example/mcp", "authorization_servers": []});
    transport.json(401, &json!({})).json(200, &nobody);
    discover(&transport, &of_resource("https://mcp.acme.example/mcp")).await.expect_err("it names nobody");
}

/// RFC 9700 section 4.8.
#[test]
fn a08_no_downgrade() {
    let server = |methods: Value| {
        let mut metadata = metadata_of(ISSUER);
        metadata["code_challenge_methods_supported"] = methods;
        read(metadata.to_string().as_bytes()).expect("metadata")
    };
    let found = |methods: Value, resource: Option<&str>| Discovered {
        server: server(methods),
        resource: resource.map(|resource| ResourceMetadata {
            resource: resource.to_owned(),
            authorization_servers: vec![ISSUER.to_owned()],
            scopes_supported: Vec::new(),
        }),
        asked_scopes: None,
    };
    let taken = |found: Discovered, pkce| {
        let wanted = Undiscovered { pkce, ..wanted(Grant::AuthorizationCode, of_issuer(ISSUER)) };
        members(&found, &wanted).is_ok()
    };
    assert!(taken(found(json!(["S256"]), None), true));
    assert!(taken(found(json!(null), None), true), "many say nothing and take it all the same");
    assert!(!taken(found(json!(["plain"]), None), true));
    assert!(!taken(found(json!([]), None), true));
    assert!(taken(found(json!(["plain"]), None), false), "the author gave a reason");
    let mcp = Some("https://mcp.acme.example/mcp");
    assert!(taken(found(json!(["S256"]), mcp), true));
    assert!(!taken(found(json!(null), mcp), true), "a protected resource's server has to say it");
}

#[test]
fn each_grant_takes_what_it_has_a_use_for() {
    let found = Discovered {
        server: read(metadata_of(ISSUER).to_string().as_bytes()).expect("metadata"),
        resource: None,
        asked_scopes: None,
    };
    let names = |grant| {
        let members = members(&found, &wanted(grant, of_issuer(ISSUER))).expect("it has all that is needed");
        members.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    let robot = ["token_url", "revocation_url", "registration_url", "client_authentication"];
    assert_eq!(names(Grant::ClientCredentials), robot);
    assert_eq!(names(Grant::DeviceCode)[..2], ["token_url", "device_authorization_url"]);
    assert!(names(Grant::AuthorizationCode).contains(&"issuer"));
    let mut bare = found.clone();
    bare.server.token_endpoint = None;
    let error = members(&bare, &wanted(Grant::ClientCredentials, of_issuer(ISSUER))).expect_err("no token endpoint");
    assert!(error.to_string().contains("`token_url`"), "{error}");
    let mut odd = found;
    odd.server.token_endpoint_auth_methods_supported = Some(vec!["tls_client_auth".to_owned()]);
    members(&odd, &wanted(Grant::ClientCredentials, of_issuer(ISSUER))).expect_err("no way that is taken by itself");
    odd.server.token_endpoint_auth_methods_supported = None;
    let members = members(&odd, &wanted(Grant::ClientCredentials, of_issuer(ISSUER))).expect("RFC 8414's default");
    assert!(members.contains(&("client_authentication", json!("client_secret_basic"))));
}
