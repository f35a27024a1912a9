//! Manifests that leave their addresses to the provider, MCP servers by address, clients that register themselves, and the
//! walls between issuers: against a scripted provider, so that each request is seen.

use super::bench::{Bench, PUBLIC, assert_problem};
use mortise_domain::ApiScope;
use mortise_oauth::{Outbound, Reply};
use reqwest::Method;
use serde_json::{Value, json};

const ISSUER: &str = "https://id.acme.example";

fn metadata(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "registration_endpoint": format!("{issuer}/register"),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "none"],
    })
}

fn manifest() -> Value {
    let auth = json!({"type": "oauth2", "grant": "authorization_code", "discovery": {"issuer": ISSUER}});
    json!({"id": "acme", "name": "Acme", "auth": auth})
}

fn asked(bench: &Bench) -> Vec<String> {
    bench.provider.take_requests().iter().map(|request| request.url.to_string()).collect()
}

fn body(request: &Outbound) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

/// Registers the connector `acme` as `issuer` describes itself, or its next version.
async fn discovered(bench: &Bench, issuer: &str, version: u64) -> Value {
    bench.provider.json(200, &metadata(issuer));
    let mut text = manifest();
    text["auth"]["discovery"]["issuer"] = json!(issuer);
    let answer = match version {
        1 => bench.post("/v1/connectors", &text).await.expect(201),
        _ => bench.put("/v1/connectors/acme", &text).await.expect(200),
    };
    bench.provider.take_requests();
    let made = answer.json();
    assert_eq!(made["version"], version, "{made}");
    made
}

fn registered(client: &str) -> Value {
    json!({"client_id": client, "client_secret": format!("{client}-secret"), "client_secret_expires_at": 0})
}

#[actix_web::test]
async fn what_is_left_out_is_found_and_pinned() {
    let bench = Bench::new().await;
    bench.provider.json(200, &metadata(ISSUER));
    let shown = bench.post("/v1/connectors/validate", &manifest()).await.expect(200).json();
    assert_eq!((&shown["valid"], &shown["discovered"]["token_url"]), (&json!(true), &json!(format!("{ISSUER}/token"))));
    assert_eq!(asked(&bench), [format!("{ISSUER}/.well-known/oauth-authorization-server")]);

    let made = discovered(&bench, ISSUER, 1).await;
    let auth = &made["manifest"]["auth"];
    assert_eq!((&auth["issuer"], &auth["token_url"]), (&json!(ISSUER), &json!(format!("{ISSUER}/token"))));
    assert_eq!(auth["client_authentication"], "client_secret_basic");
    // What came out of it can be sent back as it is, and is no new version.
    bench.provider.json(200, &metadata(ISSUER));
    let again = bench.put("/v1/connectors/acme", &made["manifest"]).await.expect(200).json();
    assert_eq!(again, made);
}

#[actix_web::test]
async fn a_key_that_may_only_read_sends_nobody_out() {
    let bench = Bench::new().await;
    let key = bench.key_in("dev", &[ApiScope::ConnectorsRead]).await;
    let check = |manifest: &Value| {
        let request = bench.bare(Method::POST, "/v1/connectors/validate").bearer_auth(&key);
        bench.send(request.json(manifest))
    };
    assert_problem(&check(&manifest()).await, 403, "forbidden_scope");
    assert!(asked(&bench).is_empty());
    let mut written = manifest();
    written["auth"]["token_url"] = json!(format!("{ISSUER}/token"));
    written["auth"]["authorization_url"] = json!(format!("{ISSUER}/authorize"));
    written["auth"].as_object_mut().unwrap().remove("discovery");
    assert_eq!(check(&written).await.expect(200).json()["valid"], true);
}

/// Security reference P03: told, and never adopted by itself.
#[actix_web::test]
async fn p03_a_swapped_host_is_told_and_not_adopted() {
    let bench = Bench::new().await;
    let made = discovered(&bench, ISSUER, 1).await;
    bench.provider.json(200, &metadata(ISSUER));
    let same = bench.post("/v1/connectors/acme/discover", &json!({})).await.expect(200).json();
    assert_eq!(same, json!({"version": 1, "outcome": "same", "detail": null, "changes": []}));

    let mut swapped = metadata(ISSUER);
    swapped["token_endpoint"] = json!("https://evil.example/token");
    swapped["revocation_endpoint"] = json!(format!("{ISSUER}/revoke"));
    bench.provider.json(200, &swapped);
    let told = bench.post("/v1/connectors/acme/discover", &json!({})).await.expect(200).json();
    assert_eq!((&told["outcome"], &told["version"]), (&json!("differs"), &json!(1)), "{told}");
    let change = |index: usize, member: &str| told["changes"][index][member].clone();
    assert_eq!((change(0, "path"), change(0, "effect")), (json!("/auth/token_url"), json!("host")), "{told}");
    assert_eq!(change(0, "before"), format!("{ISSUER}/token"));
    assert_eq!(change(0, "after"), "https://evil.example/token");
    assert_eq!(change(1, "path"), "/auth/revocation_url", "{told}");

    let mut another = metadata(ISSUER);
    another["issuer"] = json!("https://evil.example");
    bench.provider.json(200, &another).json(404, &json!({}));
    let failed = bench.post("/v1/connectors/acme/discover", &json!({})).await.expect(200).json();
    assert_eq!((&failed["outcome"], &failed["changes"]), (&json!("failed"), &json!([])), "{failed}");
    assert!(failed["detail"].as_str().unwrap().contains("about the issuer `https://evil.example`"), "{failed}");
    assert_eq!(bench.get("/v1/connectors/acme").await.expect(200).json(), made, "nothing has moved");
    assert_problem(&bench.post("/v1/connectors/other/discover", &json!({})).await, 404, "not_found");
}

/// What an author wrote is not what was found, and what was chosen among what there is is no news of the provider's.
#[actix_web::test]
async fn what_was_written_or_chosen_is_no_difference() {
    let bench = Bench::new().await;
    let mut written = manifest();
    written["auth"]["revocation_url"] = json!(format!("{ISSUER}/end"));
    let mut more = metadata(ISSUER);
    more["revocation_endpoint"] = json!(format!("{ISSUER}/revoke"));
    bench.provider.json(200, &more);
    let shown = bench.post("/v1/connectors/validate", &written).await.expect(200).json();
    let found = shown["discovered"].as_object().unwrap();
    assert!(found.contains_key("token_url") && !found.contains_key("revocation_url"), "{shown}");

    let resource = json!({
        "resource": "https://mcp.acme.example/mcp", "authorization_servers": [ISSUER], "scopes_supported": ["tools"],
    });
    let publish = || {
        let challenge = r#"Bearer resource_metadata="https://mcp.acme.example/meta""#;
        let refused = Reply { www_authenticate: Some(challenge.to_owned()), ..Reply::new(401, None, "") };
        bench.provider.reply(refused).json(200, &resource).json(200, &metadata(ISSUER));
    };
    publish();
    let mut made =
        bench.post("/v1/connectors", &json!({"mcp": "https://mcp.acme.example/mcp"})).await.expect(201).json();
    assert_eq!(made["manifest"]["auth"]["default_scopes"], json!(["tools"]));
    made["manifest"]["auth"]["default_scopes"] = json!(["mine"]);
    publish();
    bench.put("/v1/connectors/mcp-acme-example", &made["manifest"]).await.expect(200);
    publish();
    let told = bench.post("/v1/connectors/mcp-acme-example/discover", &json!({})).await.expect(200).json();
    assert_eq!(told, json!({"version": 2, "outcome": "same", "detail": null, "changes": []}));
}

#[actix_web::test]
async fn what_cannot_be_found_is_said_at_its_place() {
    let bench = Bench::new().await;
    bench.provider.json(404, &json!({})).json(500, &json!({}));
    let problem = assert_problem(&bench.post("/v1/connectors", &manifest()).await, 422, "invalid_manifest");
    let error = &problem["errors"][0];
    assert_eq!(
        (&error["code"], &error["pointer"]),
        (&json!("discovery_failed"), &json!("/auth/discovery")),
        "{problem}"
    );
    assert!(error["detail"].as_str().unwrap().contains("status 500") && error["line"].is_u64(), "{problem}");
    asked(&bench);
    // Nothing is asked for a manifest that is wrong anyway, nor where egress does not let anybody go.
    let mut broken = manifest();
    broken["auth"]["scopez"] = json!([]);
    assert_problem(&bench.post("/v1/connectors", &broken).await, 422, "invalid_manifest");
    let mut inside = manifest();
    inside["auth"]["discovery"] = json!({"protected_resource": "http://127.0.0.1:9/mcp"});
    let problem = assert_problem(&bench.post("/v1/connectors", &inside).await, 422, "invalid_manifest");
    assert_eq!(problem["errors"][0]["code"], "egress_refused", "{problem}");
    assert_eq!(asked(&bench), Vec::<String>::new());
    // What was found has to be a manifest too.
    let mut odd = metadata(ISSUER);
    odd["token_endpoint"] = json!("http://id.acme.example/token");
    bench.provider.json(200, &odd);
    let problem = assert_problem(&bench.post("/v1/connectors", &manifest()).await, 422, "invalid_manifest");
    assert_eq!(problem["errors"][0]["pointer"], "/auth/token_url", "{problem}");
    // And its hosts are judged like those that somebody wrote.
    odd["token_endpoint"] = json!("http://127.0.0.1:9/token");
    bench.provider.json(200, &odd).json(200, &odd);
    let shown = bench.post("/v1/connectors/validate", &manifest()).await.expect(200).json();
    assert_eq!(
        (&shown["valid"], &shown["diagnostics"][0]["code"]),
        (&json!(false), &json!("egress_refused")),
        "{shown}"
    );
    let problem = assert_problem(&bench.post("/v1/connectors", &manifest()).await, 422, "invalid_manifest");
    assert_eq!(problem["errors"][0]["code"], "egress_refused", "{problem}");
    let by_hand = super::bench::ACME;
    bench.manifest(Method::POST, "/v1/connectors", by_hand).await.expect(201);
    assert_problem(&bench.post("/v1/connectors/acme/discover", &json!({})).await, 422, "invalid_request");
}

#[actix_web::test]
async fn an_mcp_server_is_registered_by_its_address() {
    let bench = Bench::new().await;
    let challenge = r#"Bearer resource_metadata="https://mcp.acme.example/meta", scope="tools""#;
    let resource = json!({"resource": "https://mcp.acme.example/mcp", "authorization_servers": [ISSUER]});
    let refused = Reply { www_authenticate: Some(challenge.to_owned()), ..Reply::new(401, None, "") };
    bench.provider.reply(refused).json(200, &resource).json(200, &metadata(ISSUER));
    let made = bench.post("/v1/connectors", &json!({"mcp": "https://mcp.acme.example/mcp"})).await.expect(201).json();
    assert_eq!(made["id"], "mcp-acme-example");
    let auth = &made["manifest"]["auth"];
    let expected = json!({
        "resource": "https://mcp.acme.example/mcp", "issuer": ISSUER, "client_authentication": "none",
        "default_scopes": ["tools"], "registration_url": format!("{ISSUER}/register"),
    });
    for (member, value) in expected.as_object().unwrap() {
        assert_eq!(&auth[member], value, "{member}: {auth}");
    }
    assert_eq!(made["manifest"]["api"]["base_url"], "https://mcp.acme.example/mcp");
    let tokenless = bench.provider.take_requests();
    assert!(tokenless.iter().all(|request| request.headers.iter().all(|header| header.name != "authorization")));
    assert_problem(&bench.post("/v1/connectors", &json!({"mcp": "nonsense"})).await, 422, "invalid_manifest");
    assert_problem(
        &bench.post("/v1/connectors", &json!({"mcp": "https://a.example", "x": 1})).await,
        422,
        "invalid_manifest",
    );
}

#[actix_web::test]
async fn an_app_registers_its_client() {
    let bench = Bench::new().await;
    discovered(&bench, ISSUER, 1).await;
    bench.provider.json(201, &registered("c-1"));
    let new = json!({
        "id": "acme", "connector": "acme", "registration": "dynamic", "client_name": "Acme sync", "scopes": ["a"],
        "initial_access_token": "canary-initial",
    });
    let app = bench.post("/v1/apps", &new).await.expect(201).json();
    assert_eq!((&app["client_id"], &app["has_client_secret"]), (&json!("c-1"), &json!(true)));
    let expected = json!({"method": "dynamic", "issuer": ISSUER, "client_secret_expires_at": null});
    assert_eq!(app["registration"], expected);
    assert!(!app.to_string().contains("canary") && !app.to_string().contains("c-1-secret"), "{app}");
    let [sent] = <[Outbound; 1]>::try_from(bench.provider.take_requests()).unwrap();
    assert_eq!(sent.url.as_str(), format!("{ISSUER}/register"));
    let expected = json!({
        "client_name": "Acme sync", "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_basic", "redirect_uris": [app["redirect_uri"]], "scope": "a",
    });
    assert_eq!(body(&sent), expected);
    let authorization = sent.headers.iter().find(|header| header.name == "authorization");
    assert_eq!(authorization.map(|header| header.value.as_str()), Some("Bearer canary-initial"));

    // A change that says nothing of the client keeps it.
    let kept = bench.put("/v1/apps/acme", &json!({"connector": "acme", "scopes": ["b"]})).await.expect(200).json();
    assert_eq!((&kept["client_id"], &kept["registration"]), (&app["client_id"], &app["registration"]));
    // Another one takes its place, and nothing of the first stays.
    bench.provider.json(201, &registered("c-2"));
    let again = json!({"connector": "acme", "registration": "dynamic"});
    let again = bench.put("/v1/apps/acme", &again).await.expect(200).json();
    assert_eq!((&again["client_id"], &again["previous_secret_expires_at"]), (&json!("c-2"), &json!(null)));
    assert_eq!(body(&bench.provider.take_requests()[0])["client_name"], "acme");
}

#[actix_web::test]
async fn a_client_that_is_not_registered_makes_no_app() {
    let bench = Bench::new().await;
    discovered(&bench, ISSUER, 1).await;
    let new = |more: Value| {
        let mut body = json!({"id": "acme", "connector": "acme", "registration": "dynamic"});
        body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        body
    };
    let pointer = |problem: Value| problem["errors"][0]["pointer"].as_str().unwrap().to_owned();
    // Nothing is sent for a request that is wrong by itself.
    for (more, at) in [
        (json!({"client_id": "mine"}), "/registration"),
        (json!({"client_secret": "mine"}), "/registration"),
        (json!({"client_name": " "}), "/client_name"),
        (json!({"settings": {"return_urls": ["nonsense"]}}), "/settings/return_urls/0"),
    ] {
        let problem = assert_problem(&bench.post("/v1/apps", &new(more)).await, 422, "invalid_request");
        assert_eq!(pointer(problem), at);
    }
    let alone = json!({"id": "acme", "connector": "acme", "client_id": "c", "client_secret": "s", "client_name": "x"});
    assert_eq!(pointer(assert_problem(&bench.post("/v1/apps", &alone).await, 422, "invalid_request")), "/client_name");
    assert_eq!(asked(&bench), Vec::<String>::new());

    bench.provider.json(400, &json!({"error": "invalid_client_metadata", "error_description": "no"}));
    let problem = assert_problem(&bench.post("/v1/apps", &new(json!({}))).await, 422, "invalid_request");
    assert!(problem["errors"][0]["detail"].as_str().unwrap().contains("invalid_client_metadata"), "{problem}");
    bench.provider.json(503, &json!({}));
    assert_problem(&bench.post("/v1/apps", &new(json!({}))).await, 503, "provider_unavailable");
    let mut other = registered("c-1");
    other["redirect_uris"] = json!(["https://evil.example/"]);
    bench.provider.json(201, &other);
    assert_problem(&bench.post("/v1/apps", &new(json!({}))).await, 422, "invalid_request");
    assert_problem(&bench.get("/v1/apps/acme").await, 404, "not_found");
    bench.provider.json(201, &registered("c-1"));
    bench.post("/v1/apps", &new(json!({}))).await.expect(201);
    asked(&bench);
    let taken = assert_problem(&bench.post("/v1/apps", &new(json!({}))).await, 409, "already_exists");
    assert_eq!(taken["detail"], "This app exists already: `PUT /v1/apps/{id}` changes it.");
    assert_eq!(asked(&bench), Vec::<String>::new(), "a client would be left over");
}

#[actix_web::test]
async fn a_client_may_be_named_by_a_document() {
    let bench = Bench::new().await;
    discovered(&bench, ISSUER, 1).await;
    let new =
        json!({"id": "acme", "connector": "acme", "registration": "client_id_metadata_document", "scopes": ["a"]});
    let problem = assert_problem(&bench.post("/v1/apps", &new).await, 422, "invalid_request");
    assert!(problem["errors"][0]["detail"].as_str().unwrap().contains("client_authentication: none"), "{problem}");
    let mut public = manifest();
    public["auth"]["client_authentication"] = json!("none");
    bench.provider.json(200, &metadata(ISSUER));
    bench.put("/v1/connectors/acme", &public).await.expect(200);
    let app = bench.post("/v1/apps", &new).await.expect(201).json();
    let id = app["client_id"].as_str().unwrap();
    let path = id.strip_prefix(PUBLIC).expect("an address of ours");
    assert!(path.starts_with("/oauth/clients/"), "{id}");
    let document = bench.send(bench.bare(Method::GET, path)).await.expect(200).json();
    let expected = json!({
        "client_id": id, "client_name": "acme", "redirect_uris": [app["redirect_uri"]], "scope": "a",
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    });
    assert_eq!(document, expected);
    bench.delete("/v1/apps/acme").await.expect(204);
    assert_problem(&bench.send(bench.bare(Method::GET, path)).await, 404, "not_found");
    assert_problem(&bench.send(bench.bare(Method::GET, "/oauth/clients/nonsense")).await, 404, "not_found");
}

/// Security reference P09 and RFC 9700 section 4.4: what one issuer gave is never shown to another.
#[actix_web::test]
async fn p09_a_client_belongs_to_its_issuer() {
    let bench = Bench::new().await;
    discovered(&bench, ISSUER, 1).await;
    bench.provider.json(201, &registered("c-1"));
    bench.post("/v1/apps", &json!({"id": "acme", "connector": "acme", "registration": "dynamic"})).await.expect(201);
    bench.provider.take_requests();
    discovered(&bench, "https://other.example", 2).await;
    // The app stays where it is, and does not follow with the client that only the first issuer knows.
    assert_eq!(bench.get("/v1/apps/acme").await.expect(200).json()["connector_version"], 1);
    let follow = json!({"connector": "acme", "connector_version": 2});
    assert_problem(&bench.put("/v1/apps/acme", &follow).await, 409, "in_use");
    assert_eq!(asked(&bench), Vec::<String>::new());
    // With another client it does; the second issuer hears nothing of the first one's.
    bench.provider.json(201, &registered("c-2"));
    let anew = json!({"connector": "acme", "connector_version": 2, "registration": "dynamic"});
    let app = bench.put("/v1/apps/acme", &anew).await.expect(200).json();
    assert_eq!((&app["client_id"], &app["registration"]["issuer"]), (&json!("c-2"), &json!("https://other.example")));
    let sent = bench.provider.take_requests();
    assert!(sent.iter().all(|request| !String::from_utf8_lossy(&request.body).contains("c-1")));
    assert_eq!(sent.iter().map(|request| request.url.as_str()).collect::<Vec<_>>(), ["https://other.example/register"]);
    assert_eq!(app["previous_secret_expires_at"], json!(null));
}
