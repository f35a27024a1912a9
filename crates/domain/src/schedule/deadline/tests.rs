use super::*;
use proptest::prelude::*;

const DAY: u64 = 86_400;

fn day(day: i64) -> Timestamp {
    Timestamp::from_timestamp(day * 86_400, 0).expect("an instant")
}

fn days(count: u64) -> Option<Duration> {
    Some(Duration::from_secs(count * DAY))
}

#[test]
fn deadlines_count_from_consent_and_from_the_last_refresh() {
    let none = Deadlines::new(day(0), day(10), None, None, None);
    assert_eq!((none, none.nearest()), (Deadlines::default(), None));
    let both = Deadlines::new(day(0), day(10), days(365), days(60), None);
    assert_eq!(both, Deadlines { grant_expires_at: Some(day(365)), refresh_idle_at: Some(day(70)) });
    assert_eq!(both.nearest(), Some(day(70)));
    let fixed = Deadlines::new(day(0), day(10), days(365), None, days(300));
    assert_eq!(fixed, Deadlines { grant_expires_at: Some(day(310)), refresh_idle_at: None });
    assert_eq!(Deadlines::new(day(0), day(10), days(30), None, days(300)).nearest(), Some(day(30)));
}

#[test]
fn what_nobody_uses_is_kept_alive_before_half_of_the_idle_limit() {
    let at = |fraction| keep_alive(day(0), Duration::from_secs(100 * DAY), fraction);
    assert_eq!((at(0.0), at(1.0)), (day(45), day(50)));
}

#[test]
fn warnings_come_thirty_seven_and_one_day_before_the_end() {
    let due = |now: i64, warned| reauth_warning(day(now), day(0), day(365), warned);
    assert_eq!(due(334, None), None);
    assert_eq!(due(335, None), Some(30));
    assert_eq!(due(350, Some(30)), None);
    assert_eq!(due(358, Some(30)), Some(7));
    assert_eq!(due(358, None), Some(7), "the one that was missed is not made up for");
    assert_eq!(due(363, Some(7)), None);
    assert_eq!(due(364, Some(7)), Some(1));
    assert_eq!(due(364, Some(1)), None);
    assert_eq!(due(365, None), None, "too late to warn");
    assert_eq!(due(400, None), None);
}

#[test]
fn nobody_is_warned_of_what_was_plain_at_consent() {
    let due = |whole: i64, now: i64| reauth_warning(day(now), day(0), day(whole), None);
    assert_eq!(due(7, 0), None);
    assert_eq!(due(7, 6), Some(1));
    assert_eq!(due(1, 0), None);
    assert_eq!(due(59, 29), None);
    assert_eq!(due(60, 30), Some(30));
    assert_eq!(due(30, 23), Some(7));
}

proptest! {
    #[test]
    fn each_warning_is_given_once_and_in_order(whole in 1_i64..5000, step in 1_i64..1_000_000) {
        let (mut now, mut warned, mut given) = (day(0), None, Vec::new());
        while now < day(whole) && given.len() < 10 {
            if let Some(days) = reauth_warning(now, day(0), day(whole), warned) {
                warned = Some(days);
                given.push(days);
            }
            now += chrono::Duration::seconds(step.max(whole * 40));
        }
        prop_assert!(given.windows(2).all(|pair| pair[0] > pair[1]), "{given:?}");
    }
}
