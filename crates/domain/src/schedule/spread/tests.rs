use super::*;
use proptest::prelude::*;

fn now() -> Timestamp {
    Timestamp::from_timestamp(1_000_000, 0).expect("an instant")
}

fn wait(at: Timestamp) -> i64 {
    (at - now()).num_seconds()
}

fn smeared(remaining: u64, drain: u64, fraction: f64) -> i64 {
    wait(smear(now(), Duration::from_secs(remaining), Duration::from_secs(drain), fraction))
}

fn imported(rules: &RefreshRules, remaining: u64, fraction: f64) -> i64 {
    wait(smear_import(rules, now(), Duration::from_secs(remaining), fraction))
}

/// How much more the fullest of twenty equal parts of `span` seconds holds than the mean one.
fn unevenness(waits: impl Iterator<Item = i64>, span: i64) -> f64 {
    let mut buckets = [0_u32; 20];
    for wait in waits {
        let bucket = usize::try_from(wait * 20 / (span + 1)).expect("not before now");
        buckets[bucket] += 1;
    }
    let most = buckets.iter().max().copied().expect("buckets");
    f64::from(most) * 20.0 / f64::from(buckets.iter().sum::<u32>())
}

#[test]
fn overdue_tokens_are_renewed_in_the_time_that_is_left_to_them() {
    assert_eq!(smeared(900, 10, 0.0), 0);
    assert_eq!(smeared(900, 10, 1.0), 840);
    assert_eq!(smeared(120, 500, 1.0), 60);
}

#[test]
fn tokens_that_have_ended_are_renewed_at_the_pace_of_the_provider() {
    for remaining in [0, 1, 60, 119] {
        assert_eq!(smeared(remaining, 500, 1.0), 500, "{remaining}");
        assert_eq!(smeared(remaining, 2, 1.0), 60, "{remaining}");
    }
}

#[test]
fn an_import_is_spread_over_all_that_is_left() {
    let usual = RefreshRules::default();
    assert_eq!(imported(&usual, 3600, 0.0), 0);
    assert_eq!(imported(&usual, 3600, 1.0), 3540);
    assert_eq!(imported(&usual, 60, 1.0), 30);
    assert_eq!(imported(&usual, 0, 0.5), 0, "a token that has ended is renewed at once");
    let margin = RefreshRules { margin: Some(Duration::from_secs(600)), ..usual };
    assert_eq!(imported(&margin, 3600, 1.0), 3000);
}

#[test]
fn an_import_waits_where_the_provider_punishes_early_refreshes() {
    let window = RefreshRules { window: Some(Duration::from_secs(30)), ..RefreshRules::default() };
    assert_eq!(imported(&window, 600, 0.0), 576);
    let killer = RefreshRules { kills_prior_access_token: true, ..RefreshRules::default() };
    assert_eq!(imported(&killer, 3600, 0.0), 3540);
}

#[test]
fn a_herd_of_fifty_thousand_is_even() {
    let fractions = || (0..50_000).map(|n| f64::from(n) * 0.618_033_988_749_895 % 1.0);
    assert!(unevenness(fractions().map(|fraction| smeared(900, 10, fraction)), 840) < 1.1);
    assert!(unevenness(fractions().map(|fraction| smeared(0, 5000, fraction)), 5000) < 1.1);
    let rules = RefreshRules::default();
    assert!(unevenness(fractions().map(|fraction| imported(&rules, 3600, fraction)), 3540) < 1.1);
    let usual = |fraction| wait(rules.refresh_at(now(), Duration::from_secs(3600), fraction));
    assert!(unevenness(fractions().map(usual), 3540) > 5.0, "the measure tells a herd");
}

proptest! {
    #[test]
    fn a_live_token_is_renewed_before_it_ends(remaining in 120_u64..100_000_000, drain in 0_u64..100_000, fraction in 0.0..1.0) {
        let wait = smeared(remaining, drain, fraction);
        prop_assert!(wait >= 0 && wait <= (remaining - 60) as i64);
        let wait = imported(&RefreshRules::default(), remaining, fraction);
        prop_assert!(wait >= 0 && wait <= (remaining - 60) as i64);
    }
}
