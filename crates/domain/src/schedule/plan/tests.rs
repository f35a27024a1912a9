use super::*;
use proptest::prelude::*;

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn epoch() -> Timestamp {
    Timestamp::from_timestamp(0, 0).expect("the epoch")
}

/// Milliseconds from issue to refresh.
fn planned(rules: &RefreshRules, life: u64, fraction: f64) -> i64 {
    rules.refresh_at(epoch(), seconds(life), fraction).timestamp_millis()
}

fn after(life: u64, margin: Option<u64>, fraction: f64) -> i64 {
    refresh_at(epoch(), seconds(life), margin.map(seconds), fraction).timestamp()
}

fn window(seconds: u64) -> RefreshRules {
    RefreshRules { window: Some(Duration::from_secs(seconds)), ..RefreshRules::default() }
}

fn killer(margin: Option<u64>) -> RefreshRules {
    RefreshRules { margin: margin.map(seconds), kills_prior_access_token: true, ..RefreshRules::default() }
}

#[test]
fn an_hour_is_refreshed_between_42_and_51_minutes() {
    assert_eq!(after(3600, None, 0.0), 2520);
    assert_eq!(after(3600, None, 1.0), 3060);
}

#[test]
fn the_lead_is_a_minute_where_the_life_allows_it() {
    assert_eq!(after(200, None, 1.0), 140);
    assert_eq!(after(60, None, 1.0), 30);
}

#[test]
fn a_margin_longer_than_the_life_still_leaves_half() {
    assert_eq!(after(600, Some(900), 0.5), 300);
}

#[test]
fn a_window_of_thirty_seconds_is_used_between_its_first_fifth_and_its_half() {
    assert_eq!(planned(&window(30), 600, 0.0), 576_000);
    assert_eq!(planned(&window(30), 600, 1.0), 585_000);
}

#[test]
fn a_window_that_starts_at_expiry_is_waited_for() {
    assert_eq!(planned(&window(0), 600, 0.0), 601_000);
    assert_eq!(planned(&window(0), 600, 1.0), 603_000);
    assert_eq!(planned(&window(2), 600, 0.5), 600_000, "a short one is not used in its first second either");
}

#[test]
fn a_window_that_holds_the_usual_time_changes_nothing() {
    for fraction in [0.0, 0.3, 1.0] {
        assert_eq!(planned(&window(1800), 3600, fraction), planned(&RefreshRules::default(), 3600, fraction));
        assert_eq!(planned(&window(90_000), 3600, fraction), planned(&RefreshRules::default(), 3600, fraction));
    }
}

#[test]
fn a_window_wins_over_a_margin_and_over_lateness() {
    let rules = RefreshRules { margin: Some(seconds(300)), kills_prior_access_token: true, ..window(30) };
    assert_eq!(planned(&rules, 600, 0.0), 576_000);
}

#[test]
fn a_token_that_is_killed_by_its_successor_is_kept_until_two_requests_fit_in_what_is_left() {
    assert_eq!(planned(&killer(None), 3600, 0.0), 3_540_000);
    assert_eq!(planned(&killer(None), 3600, 1.0), 3_360_000);
    assert_eq!(planned(&killer(Some(600)), 3600, 0.0), 3_000_000, "a longer margin is kept");
    assert_eq!(planned(&killer(Some(5)), 3600, 0.0), 3_540_000, "a shorter one is not");
    assert_eq!(planned(&killer(None), 90, 0.0), 45_000);
}

fn rules() -> impl Strategy<Value = RefreshRules> {
    let times = || proptest::option::of((0_u64..100_000).prop_map(seconds));
    (times(), times(), any::<bool>()).prop_map(|(margin, window, kills_prior_access_token)| RefreshRules {
        margin,
        window,
        kills_prior_access_token,
    })
}

proptest! {
    #[test]
    fn always_within_the_life_and_never_at_once(life in 2_u64..100_000_000, margin in proptest::option::of(0_u64..100_000), fraction in 0.0..1.0) {
        let at = after(life, margin, fraction);
        prop_assert!(at >= (life / 2) as i64 && at < life as i64);
    }

    #[test]
    fn never_in_the_first_half_nor_before_the_window_nor_long_after_the_life(rules in rules(), life in 2_u64..100_000_000, fraction in 0.0..1.0) {
        let at = planned(&rules, life, fraction);
        let millis = |seconds: u64| i64::try_from(seconds * 1000).unwrap_or(i64::MAX);
        prop_assert!(at >= millis(life) / 2);
        prop_assert!(at <= millis(life) + 3000);
        if let Some(window) = rules.window {
            let opens = life.checked_sub(window.as_secs()).filter(|opens| *opens > 0);
            let surely_open = opens.map_or(0, |opens| millis(opens) + 1000);
            prop_assert!(at >= surely_open);
        } else {
            prop_assert!(at < millis(life));
        }
    }
}
