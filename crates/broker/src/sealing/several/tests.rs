use super::super::{Access, renewal};
use super::*;
use crate::Renewal;
use mortise_domain::Timestamp;

fn times(seconds: i64) -> Times {
    let at = Timestamp::from_timestamp(1_800_000_000 + seconds, 0).expect("an instant");
    Times { asked_at: at, expires_at: Some(at), next_refresh_at: None, refresh_idle_at: None }
}

fn further() -> FurtherTokens {
    let kept = KeptToken {
        token: AccessToken::new("xoxp-\"\\ä"),
        scopes: Some(["a", "b"].into_iter().collect()),
        times: times(60),
    };
    FurtherTokens { own: times(30), tokens: [("user".to_owned(), kept)].into() }
}

fn read(plain: &[u8]) -> Access {
    serde_json::from_slice::<SealedAccess<'_>>(plain).expect("an access token").into()
}

#[test]
fn further_tokens_come_back_as_they_were_and_what_stands_beside_them_stays() {
    let plain = with_further(br#"{"t":"xoxb","x":{"team":"T1"},"k":{"s":"kept"}}"#, &further()).expect("a form");
    let access = read(&plain);
    assert_eq!(
        (access.token.expose(), &access.extra["team"], access.kept["s"].expose()),
        ("xoxb", &serde_json::json!("T1"), "kept")
    );
    let back = access.further.expect("further tokens");
    assert_eq!((back.own, back.tokens["user"].times), (times(30), times(60)));
    assert_eq!(back.tokens["user"].token.expose(), "xoxp-\"\\ä");
    assert_eq!(back.tokens["user"].scopes, Some(["a", "b"].into_iter().collect()));
}

#[test]
fn a_row_from_before_there_were_several_opens() {
    let access = read(br#"{"t":"at","y":"bearer"}"#);
    assert!(access.further.is_none() && access.token.expose() == "at");
}

#[test]
fn several_refresh_tokens_are_never_taken_for_one() {
    let token = |text: &str| RefreshToken::new(text);
    for own in [Some("r-1"), None] {
        let tokens = RefreshTokens { own: own.map(token), further: [("user".to_owned(), token("e-1"))].into() };
        let Ok(Renewal::Several(back)) = renewal(&sealed(&tokens).expect("a form")) else {
            panic!("{own:?} came back as something else")
        };
        assert_eq!(back.own.as_ref().map(|token| token.expose()), own);
        assert_eq!(back.of(Some("user")).map(|token| token.expose()), Some("e-1"));
    }
    assert!(matches!(renewal(r#"{"n":{"user":"e-1"}}"#), Ok(Renewal::RefreshToken(_))));
    assert!(renewal("\u{2}no JSON").is_err());
}
