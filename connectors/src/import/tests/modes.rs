//! What the further modes become, and hosts and bases of every kind.

use super::*;
use serde_json::{Value, json};

const MODES: &str = include_str!("modes.yaml");

fn one(name: &str) -> (Value, Vec<String>) {
    let entries = from_nango(MODES).unwrap_or_else(|error| panic!("{error}"));
    let entry = entries.into_iter().find(|entry| entry.name == name).expect("an entry");
    let lost = entry.lost.iter().map(|loss| loss.member.clone()).collect();
    let Some((_, text)) = entry.manifest else { return (Value::Null, lost) };
    assert_eq!(
        lint(&text).iter().filter(|d| d.code != "legacy_grant").count(),
        0,
        "{name}: {:#?}\n{text}",
        lint(&text)
    );
    let manifest = parse(&text).unwrap_or_else(|found| panic!("{name}: {found:#?}\n{text}"));
    (serde_json::from_str(&crate::canonical_json(&manifest)).expect("JSON"), lost)
}

const NOTHING: [&str; 0] = [];

#[test]
fn a_base_that_the_provider_tells_is_made_of_told_fields() {
    let (told, lost) = one("told");
    assert_eq!(told["auth"]["token_url"], "https://login.told.example/token");
    assert_eq!(told["auth"]["token_response"]["extra"], json!({"api_domain": "/apiDomain", "team_id": "/team/id"}));
    assert_eq!(told["auth"]["callback"]["keep"], json!({"accounts-server": "accounts-server"}));
    let fields = json!({"api_domain": {"type": "url"}, "team_id": {"type": "path_segment"}});
    assert_eq!(told["api"], json!({"base_url": "{api_domain}/v2/{team_id}", "fields": fields}));
    assert_eq!(lost, ["token_url"], "the callback's host is no place for codes");
}

#[test]
fn hosts_are_asked_for_as_a_whole_where_nothing_of_them_is_fixed() {
    let (scattered, lost) = one("scattered");
    assert_eq!(scattered["api"]["base_url"], "https://{host}");
    assert_eq!(scattered["variables"]["host"]["type"], "host");
    assert_eq!(scattered["auth"]["key"], "api_key");
    assert_eq!(scattered["auth"]["credentials"]["app_key"]["type"], "secret");
    assert_eq!(scattered["api"]["headers"]["user-agent"], "Agent");
    assert_eq!(lost, ["proxy.base_url", "proxy.headers.user-agent"]);
    let (dotted, lost) = one("dotted");
    assert_eq!(dotted["variables"]["edge"]["values"], json!(["api", "us.edge"]));
    assert_eq!(
        (&dotted["auth"]["type"], &dotted["auth"]["username"], &dotted["auth"]["password"]),
        (&json!("basic"), &json!("{api_key}"), &json!(""))
    );
    assert_eq!(lost, NOTHING);
}

#[test]
fn a_key_that_no_header_carries_is_handed_out() {
    let (bodied, lost) = one("bodied");
    assert_eq!(bodied["api"], json!({"base_url": "https://api.bodied.example"}));
    assert_eq!((&bodied["auth"]["key"], &bodied["auth"]["verification"]), (&json!("api_key"), &Value::Null));
    assert_eq!(lost, ["proxy"]);
    let (user, lost) = one("token-user");
    assert_eq!((&user["auth"]["username"], &user["auth"]["password"]), (&json!("{username}/token"), &Value::Null));
    assert_eq!(lost, NOTHING);
}

#[test]
fn a_login_is_its_requests() {
    let (login, lost) = one("login");
    let steps = json!([{
        "url": "https://{host}/session", "body": "json", "headers": {"x-key": "{api_key}"},
        "basic": {"username": "{user_name}", "password": "{password}"},
        "params": {"/credentials/name": "{user_name}", "/credentials/site/url": "{password}"},
        "literals": {"remember": "false", "note": "\"\""}, "take": {"step1_account_id": "/account/id"},
    }]);
    assert_eq!(login["auth"]["steps"], steps);
    assert_eq!(login["auth"]["refresh"][0]["params"], json!({"refresh": "{refresh_token}"}));
    let reply = json!({"access_token": "/session/id", "refresh_token": "/session/next", "expires_at": "/session/ends"});
    assert_eq!((&login["auth"]["token_response"], &login["auth"]["default_lifetime"]), (&reply, &json!(900)));
    assert_eq!(login["api"]["headers"], json!({"x-session": "{access_token}", "x-account": "{step1_account_id}"}));
    assert_eq!(login["variables"]["host"]["type"], "host");
    assert_eq!(lost, ["auth.credentials.unused"]);
    let (chained, lost) = one("chained");
    let steps = json!([
        {"method": "GET", "url": "https://chained.example/token", "params": {"user": "{user}", "refresh": "{own_refresh_token}"},
         "take": {"step1_data_first": "/data/first"}},
        {"url": "https://chained.example/second", "headers": {"authorization": "Bearer {step1_data_first}"},
         "params": {"grant_type": "exchange"}},
    ]);
    assert_eq!(chained["auth"]["steps"], steps);
    assert_eq!(chained["api"]["headers"], json!({"authorization": "Bearer {access_token}"}));
    assert_eq!(lost, NOTHING);
    assert_eq!(one("elsewhere"), (Value::Null, vec!["additional_steps.0.token_url".to_owned()]));
    let (session, _) = one("session");
    assert_eq!(session["auth"]["steps"][0]["params"]["devKey"], "{dev_key}");
}

#[test]
fn what_is_no_text_and_what_stands_in_a_query_has_its_place() {
    let (graph, lost) = one("graph");
    let step = &graph["auth"]["steps"][0];
    assert_eq!(step["basic"]["scheme"], "ID");
    let document =
        "mutation($email: String!, $password: String!) { signIn(email: $email, password: $password) { token } }";
    assert_eq!(step["literals"]["query"], json!(json!(document).to_string()));
    assert_eq!(step["params"], json!({"/variables/email": "{email}", "/variables/password": "{password}"}));
    assert_eq!(lost, NOTHING);
    let (queried, lost) = one("queried");
    assert_eq!(queried["auth"]["token_url"], "https://queried.example/token?key={subscription_key}");
    assert_eq!(queried["variables"]["subscription_key"]["type"], "path_segment");
    assert_eq!(lost, ["credentials", "connection_config.subscriptionKey.automated"]);
}

#[test]
fn assertions_are_those_of_oauth() {
    let (account, lost) = one("service-account");
    let assertion = json!({
        "issuer": "{email}", "subject": "{subject}", "audience": "https://sa.example/token", "lifetime": 3600,
        "scope_claim": "scope", "algorithm": "RS256", "key": "private_key",
    });
    assert_eq!((&account["auth"]["grant"], &account["auth"]["assertion"]), (&json!("jwt_bearer"), &assertion));
    assert_eq!(account["auth"]["credentials"]["private_key"]["type"], "document");
    assert_eq!(lost, ["credentials", "token.payload.scope"]);
    let (client, lost) = one("client-key");
    assert_eq!(client["auth"]["client_authentication"], "private_key_jwt");
    assert_eq!(client["auth"]["client_assertion"]["algorithm"], "ES256");
    assert_eq!(client["auth"]["default_scopes"], json!(["api"]));
    assert_eq!(lost, ["credentials", "assertion.header.kid"]);
    let (saml, lost) = one("saml");
    assert_eq!(
        (&saml["auth"]["grant"], &saml["auth"]["token_params"]),
        (&json!("saml2_bearer"), &json!({"company": "x"}))
    );
    assert_eq!(lost, ["credentials", "assertion"]);
    let (key, lost) = one("key-of-client");
    assert_eq!(key["auth"]["client_authentication"], "private_key_jwt");
    assert_eq!((&key["auth"]["resource"], &key["auth"]["default_scopes"]), (&json!("urn:x"), &json!(["a", "b"])));
    assert_eq!(key["auth"]["token_url"], "https://{subdomain}.kc.example/token");
    assert_eq!(lost, ["token_url", "credentials", "connection_config.hostname"]);
}

#[test]
fn servers_register_their_clients_and_signed_requests_stay_signed() {
    let (server, lost) = one("server");
    assert_eq!(server["auth"]["registration_url"], "https://mcp.example/register");
    assert_eq!(
        (&server["auth"]["resource"], &server["auth"]["client_authentication"]),
        (&json!("https://mcp.example/mcp"), &json!("none"))
    );
    assert_eq!(lost, NOTHING);
    let (any, lost) = one("any-server");
    assert_eq!((any, lost), (Value::Null, vec!["auth_mode".to_owned()]));
    let (signed, lost) = one("signed");
    assert_eq!((&signed["auth"]["type"], &signed["auth"]["signature_method"]), (&json!("oauth1"), &json!("PLAINTEXT")));
    assert_eq!(signed["auth"]["request_token_params"], json!({"access": "write"}));
    assert_eq!(lost, NOTHING);
}

#[test]
fn parameters_behind_a_route_stay_there_and_a_state_of_another_name_is_none() {
    let (routed, lost) = one("routed");
    assert_eq!(routed["auth"]["authorization_request"], json!({"route": "/oauth/authorize"}));
    assert_eq!(lost, NOTHING);
    let (renamed, lost) = one("renamed-state");
    assert_eq!((renamed, lost), (Value::Null, vec!["authorization_url_replacements.state".to_owned()]));
}

#[test]
fn tokens_that_customers_sign_are_signed_here() {
    let (store, lost) = one("store");
    let jwt = json!({
        "algorithm": "ES256", "key_id": "{private_key_id}", "issuer": "{issuer_id}", "audience": "store-v1", "lifetime": 900,
    });
    assert_eq!((&store["auth"]["type"], &store["auth"]["jwt"]), (&json!("signed_jwt"), &jwt));
    assert_eq!(store["auth"]["credentials"]["private_key"], json!({"type": "document", "title": "Private key"}));
    assert_eq!(store["api"]["headers"], json!({"Authorization": "Bearer {access_token}"}));
    assert_eq!(lost, ["token.payload.scope", "connection_config.scope"]);
    let (parts, lost) = one("two-parts");
    let jwt = json!({
        "algorithm": "HS256", "key_encoding": "hex", "key_id": "{admin_key_id}", "audience": "/admin/",
        "claims": {"site": "{domain}"}, "lifetime": 60,
    });
    assert_eq!((&parts["auth"]["jwt"], &parts["variables"]["domain"]["type"]), (&jwt, &json!("host")));
    assert_eq!(parts["auth"]["credentials"]["admin_key_secret"]["type"], "secret");
    assert_eq!(parts["auth"]["verification"]["url"], "https://{domain}/api/users");
    assert_eq!(lost[0], "credentials.adminKey");
    let (joined, lost) = one("joined");
    let jwt = json!({"algorithm": "HS512", "key": "{id}||{secret}", "issuer": "{id}", "lifetime": 3600});
    assert_eq!((&joined["auth"]["jwt"], lost.len()), (&jwt, 0));
    let (shown, lost) = one("fingerprint");
    assert_eq!(shown["auth"]["jwt"]["issuer"], "{account}.{public_key_fingerprint}");
    assert_eq!(lost, ["token.payload"]);
}
