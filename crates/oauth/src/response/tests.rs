use super::*;
use crate::Reply;
use crate::fixture::manifest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::json;

fn read(content_type: Option<&str>, body: impl Into<Vec<u8>>) -> Result<Document, Unreadable> {
    Document::read(&Reply::new(200, content_type, body), None)
}

fn grant_of(auth: Value, body: &Value) -> Result<TokenGrant, &'static str> {
    read(Some("application/json"), body.to_string()).expect("JSON").grant(&manifest(auth), None)
}

/// A good reply with `changes` laid over it.
fn grant_with(auth: Value, changes: &Value) -> Result<TokenGrant, &'static str> {
    let mut body = json!({"access_token": "at", "token_type": "bearer"});
    if let (Some(body), Some(changes)) = (body.as_object_mut(), changes.as_object()) {
        body.extend(changes.clone());
    }
    grant_of(auth, &body)
}

#[test]
fn a_whole_reply() {
    let auth = json!({"token_response": {"extra": {"instance_url": "/instance_url", "absent": "/absent"}}});
    let body = json!({
        "access_token": "at-1", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "rt-1",
        "scope": "read write", "instance_url": "https://eu.acme.example", "refresh_token_expires_in": 7200,
    });
    let grant = grant_of(auth, &body).expect("a grant");
    assert_eq!(grant.access_token.expose(), "at-1");
    assert_eq!(grant.refresh_token.as_ref().map(RefreshToken::expose), Some("rt-1"));
    assert_eq!(grant.token_type.as_str(), "bearer");
    assert_eq!(grant.lifetime, Some(Duration::from_secs(3600)));
    assert_eq!(grant.refresh_lifetime, Some(Duration::from_secs(7200)));
    assert_eq!(grant.granted_scopes, Some(ScopeSet::parse("read write", " ")));
    assert_eq!(grant.extra, BTreeMap::from([("instance_url".to_owned(), json!("https://eu.acme.example"))]));
}

#[test]
fn a_form_reply_and_where_the_manifest_keeps_things() {
    for content_type in
        [Some("application/x-www-form-urlencoded; charset=utf-8"), Some("text/plain"), Some("text/html"), None]
    {
        let body = "access_token=at%2B1&token_type=bearer&expires_in=60&scope=a%2Cb\n";
        let grant = read(content_type, body).expect("a form").grant(&manifest(json!({"scope_separator": ","})), None);
        let grant = grant.expect("a grant");
        assert_eq!((grant.access_token.expose(), grant.lifetime), ("at+1", Some(Duration::from_secs(60))));
        assert_eq!(grant.granted_scopes, Some(ScopeSet::parse("a b", " ")));
    }
    let auth = json!({"token_response": {"access_token": "/authed_user/access_token", "token_type": "/authed_user/token_type"}});
    let body = json!({"authed_user": {"access_token": "xoxp", "token_type": "bearer"}, "access_token": "xoxb"});
    assert_eq!(grant_of(auth, &body).expect("a grant").access_token.expose(), "xoxp");
}

#[test]
fn t02_the_token_type_matrix() {
    let strict = || json!({});
    let lenient = || json!({"token_response": {"token_type_optional": true}});
    let table = [
        (json!("bearer"), true, true),
        (json!("Bearer"), true, true),
        (json!("BEARER"), true, true),
        (json!(""), false, true),
        (json!(null), false, true),
        (json!("mac"), false, false),
        (json!("DPoP"), false, false),
        (json!("bearer "), false, false),
        (json!(7), false, false),
        (json!(["bearer"]), false, false),
    ];
    for (value, by_strict, by_lenient) in table {
        let changes = json!({"token_type": value});
        assert_eq!(grant_with(strict(), &changes).is_ok(), by_strict, "{value}");
        assert_eq!(grant_with(lenient(), &changes).is_ok(), by_lenient, "{value}");
    }
    let missing = json!({"access_token": "at"});
    assert!(grant_of(strict(), &missing).is_err());
    assert_eq!(grant_of(lenient(), &missing).expect("a grant").token_type, TokenType::bearer());
}

#[test]
fn t03_an_absent_or_odd_lifetime_falls_back_to_the_manifest() {
    let default = || json!({"default_lifetime": 900});
    for changes in [json!({}), json!({"expires_in": null}), json!({"expires_in": "soon"}), json!({"expires_in": [1]})] {
        let with = grant_with(default(), &changes).expect("a grant").lifetime;
        assert_eq!(with, Some(Duration::from_secs(900)), "{changes}");
        assert_eq!(grant_with(json!({}), &changes).expect("a grant").lifetime, None, "{changes}");
    }
    let clamped = grant_with(default(), &json!({"expires_in": -5})).expect("a grant").lifetime;
    assert_eq!(clamped, Some(Duration::from_secs(1)));
}

fn jwt(claims: &Value) -> String {
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

#[test]
fn a_lifetime_is_the_replys_then_the_tokens_then_the_manifests() {
    let sent_at = Timestamp::from_timestamp(2000, 0);
    let life = |auth: &Value, changes: Value, sent_at| {
        let mut body = json!({"access_token": jwt(&json!({"exp": 5000, "iat": 1400})), "token_type": "bearer"});
        body.as_object_mut().expect("an object").extend(changes.as_object().expect("an object").clone());
        let grant = read(None, body.to_string()).expect("JSON").grant(&manifest(auth.clone()), sent_at);
        grant.expect("a grant").lifetime.map(|life| life.as_secs())
    };
    let default = json!({"default_lifetime": 900});
    assert_eq!(life(&default, json!({"expires_in": 60}), sent_at), Some(60));
    assert_eq!(life(&default, json!({}), sent_at), Some(3000));
    assert_eq!(life(&default, json!({}), None), Some(3600), "all of its life for a token that is new");
    assert_eq!(life(&default, json!({"expires_in": "soon"}), sent_at), Some(3000));
    for nonsense in [jwt(&json!({"exp": 1999})), jwt(&json!({"exp": "x"})), jwt(&json!({})), "a.b.c".to_owned()] {
        assert_eq!(life(&default, json!({"access_token": nonsense}), sent_at), Some(900), "{nonsense}");
        assert_eq!(life(&json!({}), json!({"access_token": nonsense}), sent_at), None, "{nonsense}");
    }
}

#[test]
fn the_refresh_tokens_lifetime_is_where_the_manifest_says() {
    let told = |auth: Value, changes: &Value| grant_with(auth, changes).expect("a grant").refresh_lifetime;
    let elsewhere = json!({"token_response": {"refresh_expires_in": "/data/x"}});
    let day = Some(Duration::from_secs(86_400));
    assert_eq!(told(json!({}), &json!({"refresh_token_expires_in": "86400"})), day);
    assert_eq!(told(elsewhere.clone(), &json!({"data": {"x": 86_400}})), day);
    assert_eq!(told(elsewhere, &json!({"refresh_token_expires_in": 86_400})), None);
    for odd in [json!(0), json!("never"), json!([1]), json!(null)] {
        assert_eq!(told(json!({}), &json!({"refresh_token_expires_in": odd})), None, "{odd} costs no grant");
    }
}

#[test]
fn t04_an_absent_refresh_token_is_none_whatever_way_it_is_absent() {
    for changes in [json!({}), json!({"refresh_token": null}), json!({"refresh_token": ""})] {
        assert!(grant_with(json!({}), &changes).expect("a grant").refresh_token.is_none(), "{changes}");
    }
}

#[test]
fn t11_tokens_are_printable_texts_of_bounded_length() {
    let good = ["x".to_owned(), "x".repeat(300), "x".repeat(16 * 1024), "a b~!\"'\\".to_owned()];
    let bad = [
        "x".repeat(16 * 1024 + 1),
        "a\r\nb".to_owned(),
        "a\tb".to_owned(),
        "a\0".to_owned(),
        "ä".to_owned(),
        "a\u{7f}".to_owned(),
        " a".to_owned(),
        "a ".to_owned(),
    ];
    for name in ["access_token", "refresh_token"] {
        for token in &good {
            assert!(grant_with(json!({}), &json!({name: token})).is_ok(), "{name} of {} bytes", token.len());
        }
        for token in &bad {
            assert!(grant_with(json!({}), &json!({name: token})).is_err(), "{name} of {} bytes", token.len());
        }
        for odd in [json!(1), json!(true), json!(["x"]), json!({"x": 1})] {
            assert!(grant_with(json!({}), &json!({name: odd})).is_err(), "{name} {odd}");
        }
    }
    for nothing in [json!(null), json!("")] {
        assert!(grant_with(json!({}), &json!({"access_token": nothing})).is_err());
    }
}

#[test]
fn t05_scopes_come_as_texts_and_as_lists() {
    let parsed = |value: Value| {
        grant_with(json!({"scope_separator": ","}), &json!({"scope": value})).map(|grant| grant.granted_scopes)
    };
    let both = Some(ScopeSet::parse("a b", " "));
    assert_eq!(parsed(json!("a b")), Ok(both.clone()));
    assert_eq!(parsed(json!("b,a")), Ok(both.clone()));
    assert_eq!(parsed(json!(["a", "b"])), Ok(both));
    assert_eq!(parsed(json!("")), Ok(None));
    assert_eq!(parsed(json!([])), Ok(None));
    assert_eq!(parsed(json!(null)), Ok(None));
    for odd in [json!(1), json!(["a", 1]), json!(["a b"]), json!([""]), json!("a\u{0}b"), json!({"a": true})] {
        assert!(parsed(odd.clone()).is_err(), "{odd}");
    }
}

#[test]
fn an_extra_field_that_cannot_be_handed_on_is_left_out() {
    let auth = || json!({"token_response": {"extra": {"x": "/x"}}});
    for odd in [json!("a\r\nb"), json!({"deep": ["\u{0}"]}), json!({"\u{1b}": 1}), json!("x".repeat(17 * 1024))] {
        assert!(grant_with(auth(), &json!({"x": odd})).expect("a grant").extra.is_empty(), "{odd}");
    }
    for fine in [json!("https://x.example"), json!(7), json!({"a": [true, null]})] {
        assert_eq!(grant_with(auth(), &json!({"x": fine})).expect("a grant").extra.get("x"), Some(&fine));
    }
}

#[test]
fn h03_hostile_bodies_are_unreadable() {
    let json = Some("application/json");
    let deep = |open: &str, close: &str| format!("{{\"a\":{}{}}}", open.repeat(10_000), close.repeat(10_000));
    let many = format!("{{{}}}", (0..100_000).map(|n| format!("\"k{n}\":1")).collect::<Vec<_>>().join(","));
    let table = [
        (json, b"".to_vec(), Unreadable::Empty),
        (json, b" \r\n\t".to_vec(), Unreadable::Empty),
        (json, b"<html>".to_vec(), Unreadable::Html),
        (None, b"\n<?xml version=\"1.0\"?>".to_vec(), Unreadable::Html),
        (json, b"\xef\xbb\xbf{\"access_token\":\"at\"}".to_vec(), Unreadable::Encoding),
        (json, b"{\"access_token\":\"\xff\"}".to_vec(), Unreadable::Encoding),
        (json, b"{\"access_token\":\"at\"} x".to_vec(), Unreadable::Json),
        (json, b"{\"access_token\":\"at\"}{}".to_vec(), Unreadable::Json),
        (json, b"{\"access_token\":\"at\"".to_vec(), Unreadable::Json),
        (json, b"{\"a\":1,\"a\":1}".to_vec(), Unreadable::Json),
        (json, b"{\"a\":{\"b\":1,\"\\u0062\":1}}".to_vec(), Unreadable::Json),
        (json, b"{\"a\":\"\\ud800\"}".to_vec(), Unreadable::Json),
        (json, b"{\"a\":1e999}".to_vec(), Unreadable::Json),
        (json, format!("{{\"a\":{}}}", "9".repeat(100_000)).into_bytes(), Unreadable::Json),
        (json, b"{\"a\":NaN}".to_vec(), Unreadable::Json),
        (json, deep("[", "]").into_bytes(), Unreadable::Json),
        (json, deep("{\"a\":", "}").into_bytes(), Unreadable::Json),
        (json, many.into_bytes(), Unreadable::Json),
        (json, b"[{\"access_token\":\"at\"}]".to_vec(), Unreadable::Json),
        (json, b"\"at\"".to_vec(), Unreadable::Json),
        (json, b"null".to_vec(), Unreadable::Json),
        (Some("application/x-www-form-urlencoded"), b"a=1&a=2".to_vec(), Unreadable::Form),
        (Some("application/x-www-form-urlencoded"), b"=1".to_vec(), Unreadable::Form),
        (Some("application/x-www-form-urlencoded"), b"a=%ff".to_vec(), Unreadable::Form),
        (Some("text/plain"), b"Too many requests".to_vec(), Unreadable::Unknown),
        (Some("application/octet-stream"), b"a=1".to_vec(), Unreadable::Unknown),
    ];
    for (content_type, body, expected) in table {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        assert_eq!(read(content_type, body).err(), Some(expected), "{shown}");
    }
}

/// Texts as they come in replies, with control characters among them.
fn odd_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,20}",
        "\\PC{0,8}",
        ".{0,8}",
        Just("a\u{0}b".to_owned()),
        Just("a\r\nb".to_owned()),
        Just("a\u{85}b".to_owned())
    ]
}

fn odd_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        odd_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(odd_text(), inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

fn holds_control(grant: &TokenGrant) -> bool {
    let control = |text: &str| text.chars().any(char::is_control);
    control(grant.access_token.expose())
        || grant.refresh_token.as_ref().is_some_and(|token| control(token.expose()))
        || control(grant.token_type.as_str())
        || grant.granted_scopes.as_ref().is_some_and(|scopes| scopes.iter().any(control))
        // JSON text has control characters only where a value escapes them.
        || grant.extra.values().any(|value| !is_clean(value))
}

fn lifting() -> Value {
    json!({"token_response": {"token_type_optional": true, "extra": {"x": "/x", "y": "/y/0"}}})
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200), kind in prop::option::of("[a-z/-]{0,40}")) {
        if let Ok(mut document) = read(kind.as_deref(), body)
            && let Ok(grant) = document.grant(&manifest(lifting()), Some(Timestamp::default()))
        {
            prop_assert!(!holds_control(&grant));
        }
    }

    #[test]
    fn any_members_give_a_clean_grant_or_none(
        access in prop_oneof![odd_value(), Just(json!("at"))],
        refresh in odd_value(),
        scope in odd_value(),
        expires in odd_value(),
        x in odd_value(),
        y in odd_value(),
    ) {
        let body = json!({"access_token": access, "refresh_token": refresh, "scope": scope, "expires_in": expires, "x": x, "y": [y]});
        if let Ok(grant) = grant_of(lifting(), &body) {
            prop_assert!(!holds_control(&grant));
            prop_assert!(!grant.access_token.expose().is_empty());
            prop_assert!(grant.lifetime.is_none_or(|life| (1..=315_360_000).contains(&life.as_secs())));
        }
    }

    #[test]
    fn any_form_gives_a_clean_grant_or_none(members in prop::collection::btree_map("access_token|refresh_token|scope|expires_in|x", odd_text(), 0..6)) {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(members).finish();
        if let Ok(mut document) = read(Some("application/x-www-form-urlencoded"), body)
            && let Ok(grant) = document.grant(&manifest(lifting()), Some(Timestamp::default()))
        {
            prop_assert!(!holds_control(&grant));
        }
    }
}

#[test]
fn a_lifetime_in_milliseconds_or_as_an_instant() {
    let answered = Timestamp::from_timestamp(1_700_000_000, 0);
    let life = |shape: Value, changes: Value, date| {
        let mut body = json!({"access_token": "at", "token_type": "bearer"});
        body.as_object_mut().expect("an object").extend(changes.as_object().expect("an object").clone());
        let reply = Reply { date, ..Reply::new(200, None, body.to_string()) };
        let grant =
            Document::read(&reply, None).expect("JSON").grant(&manifest(json!({"token_response": shape})), None);
        let grant = grant.expect("a grant");
        (grant.lifetime.map(|life| life.as_secs()), grant.refresh_lifetime.map(|life| life.as_secs()))
    };
    let milliseconds = json!({"expires_in_unit": "milliseconds"});
    let told = json!({"expires_in": 3_600_000, "refresh_token_expires_in": 7_200_000});
    assert_eq!(life(milliseconds, told, None), (Some(3600), Some(7200)));
    let instant = json!({"expires_at": "/ends"});
    for ends in [json!(1_700_003_600), json!("1700003600"), json!(1_700_003_600_000_i64), json!("2023-11-14T23:13:20Z")]
    {
        assert_eq!(life(instant.clone(), json!({"ends": ends}), answered), (Some(3600), None), "{ends}");
    }
    assert_eq!(life(instant.clone(), json!({"ends": 1_700_003_600}), None), (None, None), "whose clock?");
    assert_eq!(life(instant.clone(), json!({"ends": 1}), answered), (None, None), "long over is no lifetime");
    assert_eq!(life(instant, json!({"ends": 1_700_003_600, "expires_in": 60}), answered), (Some(60), None));
}

#[test]
fn the_only_token_may_be_one_floor_down() {
    let auth = || json!({"token_response": {"alternate": "/authed_user", "token_type_optional": true, "extra": {"team": "/team"}}});
    let user = json!({"access_token": "xoxp", "refresh_token": "xoxe", "expires_in": 60, "scope": "a"});
    let both = grant_of(auth(), &json!({"access_token": "xoxb", "authed_user": user, "team": "t"})).expect("a grant");
    assert_eq!((both.access_token.expose(), both.refresh_token.is_some()), ("xoxb", false));
    let alone = grant_of(auth(), &json!({"authed_user": user, "team": "t"})).expect("a grant");
    assert_eq!(alone.access_token.expose(), "xoxp");
    assert_eq!(alone.refresh_token.as_ref().map(RefreshToken::expose), Some("xoxe"));
    assert_eq!(
        (alone.lifetime, alone.granted_scopes),
        (Some(Duration::from_secs(60)), Some(ScopeSet::parse("a", " ")))
    );
    assert_eq!(alone.extra, BTreeMap::from([("team".to_owned(), json!("t"))]));
    assert!(grant_of(auth(), &json!({"team": "t"})).is_err());
}

#[test]
fn a_prefix_is_taken_off_and_only_where_it_stands() {
    let body = r#"{"access_token": "at", "token_type": "bearer"}"#;
    let read = |text: String| Document::read(&Reply::new(200, Some("application/json"), text), Some("&&&START&&&"));
    for text in [format!("&&&START&&&{body}"), format!("\n&&&START&&& {body}"), body.to_owned()] {
        let grant = read(text.clone()).expect("JSON").grant(&manifest(json!({})), None);
        assert_eq!(grant.expect("a grant").access_token.expose(), "at", "{text}");
    }
    assert!(read(format!("&&&END&&&{body}")).is_err());
}

#[test]
fn an_access_token_that_renews_itself_is_its_own_refresh_token() {
    let auth = json!({"token_response": {"refresh_token": "/access_token"}});
    let grant = grant_with(auth, &json!({"refresh_token": "other"})).expect("a grant");
    assert_eq!(
        (grant.access_token.expose(), grant.refresh_token.as_ref().map(RefreshToken::expose)),
        ("at", Some("at"))
    );
}
