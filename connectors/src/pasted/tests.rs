use super::*;
use crate::{Auth, parse};
use serde_json::json;

fn credential(more: serde_json::Value) -> Credential {
    let mut value = json!({"type": "secret", "title": "Key"});
    if let (Some(all), serde_json::Value::Object(more)) = (value.as_object_mut(), more) {
        all.extend(more);
    }
    serde_json::from_value(value).expect("a credential")
}

#[test]
fn a_pasted_value_is_checked_whole_and_never_repeated() {
    let plain = credential(json!({}));
    for good in ["k", "with space", "a:b/c=d~"] {
        assert_eq!(plain.check(good), Ok(()), "{good}");
    }
    let long = "x".repeat(LONGEST + 1);
    for bad in [
        "",
        " ",
        " canary",
        "canary ",
        "canary\n",
        "canary\r\nx-evil: 1",
        "\0",
        "canáry",
        "canary\u{200b}",
        "canary\u{7f}",
        &long,
    ] {
        let said = plain.check(bad).expect_err(bad);
        assert!(!said.contains("can") || bad.len() < 3, "the value is repeated: {said}");
    }
    let shaped = credential(json!({"pattern": "sk_(live|test)_[a-z0-9]{4}", "example": "sk_test_0000"}));
    assert_eq!(shaped.check("sk_live_ab12"), Ok(()));
    for bad in ["sk_live_ab123", "xsk_live_ab12", "pk_live_ab12", "sk_live_AB12", "sk_live_ab12 sk_live_ab12"] {
        let said = shaped.check(bad).expect_err(bad);
        assert!(said.contains("such as sk_test_0000") && !said.contains(bad), "{said}");
    }
}

#[test]
fn a_pattern_runs_in_linear_time_and_cannot_escape_its_brackets() {
    // Exponential where an engine backtracks: forty letters would take it years.
    let evil = credential(json!({"pattern": "(a+)+b"}));
    assert!(evil.check(&"a".repeat(5000)).is_err());
    assert!(whole("a{1000}{1000}{1000}").is_err(), "a pattern that would fill the memory is refused");
    assert!(Regex::new("a)|(b").is_err());
}

fn auth(text: &str) -> Auth {
    parse(text).unwrap_or_else(|found| panic!("{found:#?}")).auth
}

#[test]
fn the_only_secret_is_the_key_and_of_several_the_named_one() {
    let one = auth(
        "id: a\nname: A\nauth: {type: api_key, credentials: {k: {type: secret, title: K}, u: {type: text, title: U}}}\n\
         api: {base_url: 'https://a.example', headers: {x-key: '{k}', x-user: '{u}'}}\n",
    );
    assert_eq!(one.pasted().map(|pasted| pasted.scheme), Some(Scheme::ApiKey { key: "k" }));
    let two = auth(
        "id: a\nname: A\nauth: {type: api_key, key: b, credentials: {a: {type: secret, title: A}, b: {type: secret, title: B}}}\n\
         api: {base_url: 'https://a.example', headers: {x-a: '{a}', x-b: '{b}'}}\n",
    );
    assert_eq!(two.pasted().map(|pasted| pasted.scheme), Some(Scheme::ApiKey { key: "b" }));
}

#[test]
fn basic_asks_for_user_name_and_password_unless_it_says_otherwise() {
    let usual = auth("id: a\nname: A\nauth: {type: basic}\n");
    let pasted = usual.pasted().expect("pasted");
    assert_eq!(pasted.credentials.keys().collect::<Vec<_>>(), ["password", "username"]);
    assert_eq!(pasted.scheme, Scheme::Basic { username: "{username}", password: "{password}" });
    let key = auth(
        "id: a\nname: A\nauth: {type: basic, credentials: {k: {type: secret, title: K}}, username: '{k}', password: x}\n",
    );
    assert_eq!(key.pasted().map(|p| p.scheme), Some(Scheme::Basic { username: "{k}", password: "x" }));
}

#[test]
fn a_template_comes_in_pieces() {
    assert_eq!(pieces("Bearer {k}!"), Ok(vec![Piece::Literal("Bearer "), Piece::Name("k"), Piece::Literal("!")]));
    assert_eq!(pieces("{a}{b}").map(|all| all.len()), Ok(5));
    assert!(pieces("{a").is_err());
}

#[test]
fn a_status_is_accepted_as_listed_or_as_any_success() {
    let call = |status: &str| -> Verification {
        serde_json::from_str(&format!(r#"{{"url": "https://a.example", "status": {status}}}"#)).expect("a verification")
    };
    assert!([200, 204, 299].into_iter().all(|s| call("[]").accepts(s)));
    assert!([199, 300, 401, 404].into_iter().all(|s| !call("[]").accepts(s)));
    assert!(call("[404]").accepts(404) && !call("[404]").accepts(200));
}
