//! Customers of a real provider: the program and the provider are introduced to each other, and everybody consents on the
//! provider's own pages, as they would in a browser.

use crate::site::Site;
use anyhow::{Context as _, Result};
use mortise_domain::ConnectionId;
use mortise_testkit::visitor::{Visitor, to};
use mortise_testkit::{Http, OidcConfig, OidcProvider, oidc_manifest};
use serde_json::json;
use std::collections::HashMap;
use tokio::task::JoinSet;

/// Connector and app are called so.
const NAME: &str = "certified";
/// Customers who consent at once.
const AT_ONCE: usize = 4;

/// A provider whose access tokens live so many seconds, and whose token requests wait so many milliseconds. It has to know
/// the app's callback before it starts, and the connector the provider's port: the connector gets a second version, which
/// the app moves to.
pub(super) async fn introduced(site: &Site, lifetime: u32, latency: u32) -> OidcProvider {
    let (api, url) = (site.api(), |path: &str| format!("{}/v1{path}", site.base));
    api.post(&url("/connectors"), &oidc_manifest(NAME, "http://127.0.0.1:9")).await.expect(201);
    let config = OidcConfig { access_token_lifetime: lifetime, latency, ..OidcConfig::new("") };
    let mut app = json!({
        "connector": NAME,
        "client_id": config.client_id,
        "client_secret": config.client_secret,
        "scopes": ["openid", "offline_access"],
    });
    let mut moved = app.clone();
    moved["connector_version"] = json!(2);
    app["id"] = json!(NAME);
    let made = api.post(&url("/apps"), &app).await.expect(201).json();
    let redirect_uris = made["redirect_uri"].as_str().into_iter().map(str::to_owned).collect();
    let provider = OidcProvider::start(OidcConfig { redirect_uris, ..config }).await;
    api.put(&url(&format!("/connectors/{NAME}")), &oidc_manifest(NAME, provider.issuer())).await.expect(200);
    api.put(&url(&format!("/apps/{NAME}")), &moved).await.expect(200);
    provider
}

/// Everybody connects, a few at a time. By customer, who is called the same at the provider.
pub(super) async fn connected(site: &Site, count: usize) -> Result<HashMap<String, ConnectionId>> {
    let (mut all, mut some) = (HashMap::new(), JoinSet::new());
    for number in 0..count {
        if some.len() == AT_ONCE
            && let Some(done) = some.join_next().await
        {
            all.extend([done??]);
        }
        some.spawn(connect(site.api(), format!("{}/v1", site.base), format!("customer-{number}")));
    }
    while let Some(done) = some.join_next().await {
        all.extend([done??]);
    }
    Ok(all)
}

async fn connect(api: Http, base: String, customer: String) -> Result<(String, ConnectionId)> {
    api.put(&format!("{base}/customers/{customer}"), &json!({})).await.expect(201);
    let wanted = json!({"customer": customer, "apps": [NAME]});
    let session = api.post(&format!("{base}/connect-sessions"), &wanted).await.expect(201).json();
    let (link, id) = (session["url"].as_str().context("a link")?, session["id"].as_str().context("a session's id")?);
    let mut visitor = Visitor::new();
    let authorize = to(&visitor.start(link, NAME).await.expect(303));
    let callback = visitor.decide_at_oidc(&authorize, &customer).await;
    visitor.get(&callback).await.expect(303);
    let view = api.get(&format!("{base}/connect-sessions/{id}")).await.expect(200).json();
    let connection = view["connection"].as_str().with_context(|| format!("no connection came of it: {view}"))?;
    Ok((customer, connection.parse()?))
}
