use super::*;
use crate::Reply;
use crate::fixture::manifest;
use mortise_domain::{ScopeSet, TokenGrant};
use serde_json::json;
use std::time::Duration;

/// Where Slack and its like keep a user's token beside the bot's.
fn auth() -> Value {
    json!({"token_response": {"token_type_optional": true, "alternate": "/user", "further": {"user": {
        "access_token": "/user/access_token", "refresh_token": "/user/refresh_token", "expires_in": "/user/expires_in",
        "scope": "/user/scope",
    }}}})
}

fn document(body: &Value) -> Document {
    Document::read(&Reply::new(200, Some("application/json"), body.to_string()), None).expect("JSON")
}

fn grant_of(body: &Value) -> Result<TokenGrant, &'static str> {
    document(body).grant(&manifest(auth()), None)
}

fn renewed(body: &Value) -> Result<FurtherGrant, &'static str> {
    let at = Timestamp::from_timestamp(1_800_000_000, 0).expect("an instant");
    document(body).further_grant(&manifest(auth()), "user", at)
}

/// The tokens of a reply: the own one, then the further ones with what renews them.
fn tokens(own: Option<&TokenGrant>, further: &BTreeMap<String, FurtherToken>) -> Vec<String> {
    let further = further.iter().map(|(name, token)| {
        let refresh = token.refresh_token.as_ref().map_or("-", RefreshToken::expose);
        format!("{name}: {} {refresh}", token.access_token.expose())
    });
    own.iter().map(|grant| grant.access_token.expose().to_owned()).chain(further).collect()
}

#[test]
fn a_further_token_is_read_with_what_goes_with_it() {
    let user = json!({"access_token": "xoxp", "refresh_token": "xoxe", "expires_in": 60, "scope": "a b"});
    let grant = grant_of(&json!({"access_token": "xoxb", "refresh_token": "r", "expires_in": 3600, "user": user}));
    let grant = grant.expect("a grant");
    assert_eq!(tokens(Some(&grant), &grant.further), ["xoxb", "user: xoxp xoxe"]);
    let token = &grant.further["user"];
    assert_eq!((grant.lifetime, token.lifetime), (Some(Duration::from_secs(3600)), Some(Duration::from_secs(60))));
    assert_eq!(token.granted_scopes, Some(ScopeSet::parse("a b", " ")));
}

#[test]
fn a_token_that_is_not_there_is_none_and_the_only_one_is_the_connections_own() {
    let table = [
        (json!({"access_token": "xoxb", "user": {"id": "U1"}}), vec!["xoxb"]),
        (json!({"access_token": "xoxb", "user": {"access_token": ""}}), vec!["xoxb"]),
        (json!({"user": {"access_token": "xoxp", "refresh_token": "xoxe"}}), vec!["xoxp"]),
        (json!({"access_token": "xoxb", "user": {"access_token": "xoxp"}}), vec!["xoxb", "user: xoxp -"]),
    ];
    for (body, expected) in table {
        let grant = grant_of(&body).expect("a grant");
        assert_eq!(tokens(Some(&grant), &grant.further), expected, "{body}");
    }
    for odd in [json!([1]), json!("a\nb"), json!(7)] {
        assert!(grant_of(&json!({"access_token": "xoxb", "user": {"access_token": odd}})).is_err(), "{odd}");
    }
}

#[test]
fn its_refresh_is_answered_on_top_or_in_its_place() {
    let table = [
        // About nothing else.
        (json!({"access_token": "p2", "refresh_token": "e2"}), vec!["user: p2 e2"]),
        (json!({"access_token": "p2", "user": {"id": "U1"}}), vec!["user: p2 -"]),
        (json!({"user": {"access_token": "p2", "refresh_token": "e2"}}), vec!["user: p2 e2"]),
        // The same told twice is no token of the bot's.
        (
            json!({"access_token": "p2", "refresh_token": "e2", "user": {"access_token": "p2", "refresh_token": "e2"}}),
            vec!["user: p2 e2"],
        ),
        // Each in its place.
        (
            json!({"access_token": "b2", "refresh_token": "r2", "user": {"access_token": "p2", "refresh_token": "e2"}}),
            vec!["b2", "user: p2 e2"],
        ),
    ];
    for (body, expected) in table {
        let grant = renewed(&body).expect("tokens");
        assert_eq!(tokens(grant.own.as_ref(), &grant.further), expected, "{body}");
    }
    assert!(renewed(&json!({"user": {"id": "U1"}})).is_err());
    let on_top = renewed(&json!({"access_token": "p2", "expires_in": 60, "scope": "a"})).expect("tokens");
    let token = &on_top.further["user"];
    assert_eq!(token.lifetime, Some(Duration::from_secs(60)));
    assert_eq!(token.granted_scopes, Some(ScopeSet::parse("a", " ")));
}

#[test]
fn a_successor_that_comes_alone_is_found_in_either_place() {
    let sent = [Zeroizing::new("e1".to_owned())];
    let successor = |body: Value| {
        document(&body).further_successor(&manifest(auth()), "user", &sent).map(|token| token.expose().to_owned())
    };
    assert_eq!(successor(json!({"refresh_token": "e2"})), Some("e2".to_owned()));
    assert_eq!(successor(json!({"user": {"refresh_token": "e2"}})), Some("e2".to_owned()));
    assert_eq!(successor(json!({"refresh_token": "e1"})), None);
}
