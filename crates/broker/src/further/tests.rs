use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(1_800_000_000 + seconds, 0).expect("an instant")
}

fn times(due: Option<i64>, end: Option<i64>) -> Times {
    Times { asked_at: at(0), expires_at: end.map(at), next_refresh_at: due.map(at), refresh_idle_at: None }
}

fn several(own: Times, further: &[(&str, Times)]) -> FurtherTokens {
    let kept = |times| KeptToken { token: AccessToken::new("t"), scopes: None, times };
    FurtherTokens { own, tokens: further.iter().map(|(name, times)| ((*name).to_owned(), kept(*times))).collect() }
}

fn refresh(own: bool, further: &[&str]) -> RefreshTokens {
    let token = || RefreshToken::new("r");
    let further = further.iter().map(|name| ((*name).to_owned(), token())).collect();
    RefreshTokens { own: own.then(token), further }
}

#[test]
fn the_token_whose_time_comes_first_has_its_turn() {
    let never = times(None, None);
    let table = [
        (times(Some(9), Some(12)), times(Some(7), Some(10)), Some("a")),
        (times(Some(7), Some(10)), times(Some(9), Some(12)), None),
        (times(Some(7), Some(10)), times(Some(7), Some(10)), None),
        // One that is renewed on demand counts by its end.
        (times(None, Some(8)), times(Some(9), Some(12)), None),
        (times(Some(9), Some(12)), times(None, Some(8)), Some("a")),
        // One that is due behind its end too.
        (times(Some(99), Some(8)), times(Some(9), Some(12)), None),
        (never, times(Some(9), Some(12)), Some("a")),
        (never, never, None),
    ];
    for (own, further, expected) in table {
        let all = several(own, &[("a", further)]);
        assert_eq!(all.turn(&refresh(true, &["a"])), expected, "{own:?} {further:?}");
    }
}

#[test]
fn nobody_asks_for_what_nothing_renews_but_the_own_token_ends_all_the_same() {
    let all = several(times(None, None), &[("a", times(Some(1), Some(2))), ("b", times(Some(3), Some(4)))]);
    assert_eq!(all.turn(&refresh(true, &["b"])), Some("b"));
    assert_eq!(all.turn(&refresh(false, &["b"])), Some("b"));
    assert_eq!(all.turn(&refresh(true, &[])), None);
    let ending = several(times(None, Some(1)), &[("b", times(Some(3), Some(4)))]);
    assert_eq!(ending.turn(&refresh(false, &["b"])), None);
    let endless = several(times(None, None), &[("b", times(None, None))]);
    assert_eq!(endless.turn(&refresh(false, &["b"])), Some("b"), "it is the only one that can be asked for");
}

#[test]
fn the_others_are_all_but_the_one_that_can_be_renewed() {
    let all = several(times(Some(7), Some(10)), &[("a", times(Some(5), Some(20))), ("b", times(Some(1), Some(2)))]);
    let refresh = refresh(true, &["a"]);
    let first = |due, end| Others { expires_at: Some(at(end)), next_refresh_at: Some(at(due)), refresh_idle_at: None };
    assert_eq!(all.others(None, &refresh), first(5, 20));
    assert_eq!(all.others(Some("a"), &refresh), first(7, 10));
}

#[test]
fn the_life_is_that_of_the_token_which_ends_first() {
    let mut all = several(times(None, Some(10)), &[("a", times(None, Some(8)))]);
    all.own.asked_at = at(9);
    assert_eq!(all.life(), Some(Duration::from_secs(8)));
    assert_eq!(several(times(None, None), &[]).life(), None);
}

#[test]
fn a_token_that_comes_with_the_own_one_shortens_its_life() {
    let token = |life: Option<u64>| FurtherToken {
        access_token: AccessToken::new("t"),
        refresh_token: None,
        lifetime: life.map(Duration::from_secs),
        granted_scopes: None,
    };
    let of = |life| BTreeMap::from([("a".to_owned(), token(life))]);
    let seconds = Duration::from_secs;
    assert_eq!(shared_life(Some(seconds(60)), &of(Some(10)), |_| false), Some(seconds(10)));
    assert_eq!(shared_life(None, &of(Some(10)), |_| false), Some(seconds(10)));
    assert_eq!(shared_life(Some(seconds(60)), &of(None), |_| false), Some(seconds(60)));
    assert_eq!(shared_life(Some(seconds(60)), &of(Some(10)), |name| name == "a"), Some(seconds(60)));
}
