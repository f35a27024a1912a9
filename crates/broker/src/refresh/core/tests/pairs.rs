//! What is stored with new tokens, and when the next are asked for.

use super::*;
use mortise_domain::keep_alive;

/// What is stored when `granted` comes so many seconds after it was asked for, at `fraction`.
fn stored(attempt: &Attempt, granted: Granted, fraction: f64) -> Pair {
    let at = At { fraction, ..moment(3) };
    let (state, effects) = step(attempt, in_flight(Credential::Current), at, Event::Granted(granted));
    let State::Spilling(pair) = state else { panic!("no pair: {state:?} {effects:?}") };
    pair
}

fn living(seconds: u64) -> Granted {
    Granted { lifetime: Some(secs(seconds)), ..granted() }
}

/// Tokens that live so long, beside a refresh token that may lie unused so long.
fn idling(seconds: u64, idle: u64) -> Granted {
    let deadlines = Deadlines { grant_expires_at: None, refresh_idle_at: Some(instant(0) + secs(idle)) };
    Granted { deadlines, ..living(seconds) }
}

/// Seconds from the request to the next refresh.
fn next(attempt: &Attempt, granted: Granted) -> Option<i64> {
    stored(attempt, granted, 0.0).next_refresh_at.map(|at| (at - instant(0)).num_seconds())
}

fn dormant(class: RecoveryClass) -> Attempt {
    standing_so(class, |standing| standing.used_at = Some(instant(3 - DAY - 1)))
}

#[test]
fn lives_count_from_the_request() {
    let deadlines = Deadlines { grant_expires_at: Some(instant(90 * DAY)), refresh_idle_at: Some(instant(9 * DAY)) };
    let pair = stored(&attempt(RecoveryClass::S), Granted { deadlines, ..living(3_600) }, 0.5);
    assert_eq!((pair.refreshed_at, pair.expires_at), (instant(0), Some(instant(HOUR))));
    assert_eq!(pair.next_refresh_at, Some(instant(0) + Duration::from_millis(2_789_999)), "77.5 % of the life");
    assert_eq!(pair.deadlines, deadlines);
}

#[test]
fn a_life_that_is_not_told_is_the_manifests_or_unknown() {
    let silent = Granted { lifetime: None, ..granted() };
    let mut attempt = attempt(RecoveryClass::N);
    let pair = stored(&attempt, silent, 0.0);
    assert_eq!((pair.expires_at, pair.next_refresh_at), (None, None));
    let deadlines = Deadlines { grant_expires_at: None, refresh_idle_at: Some(instant(100 * DAY)) };
    let pair = stored(&attempt, Granted { deadlines, ..silent }, 0.0);
    assert_eq!((pair.expires_at, pair.next_refresh_at), (None, Some(instant(45 * DAY))), "but the grant is kept alive");
    attempt.rules.default_lifetime = Some(secs(1_000));
    let pair = stored(&attempt, silent, 0.0);
    assert_eq!((pair.expires_at, pair.next_refresh_at), (Some(instant(1_000)), Some(instant(700))));
    let pair = stored(&attempt, living(2_000), 0.0);
    assert_eq!((pair.expires_at, pair.next_refresh_at), (Some(instant(2_000)), Some(instant(1_400))), "told is told");
}

#[test]
fn the_spent_token_is_kept_in_class_m_where_it_was_replaced() {
    for class in CLASSES {
        for rotated in [true, false] {
            for spent in [Credential::Current, Credential::Previous, Credential::Client] {
                let event = Event::Granted(Granted { rotated, ..granted() });
                let (state, _) = step(&attempt(class), in_flight(spent), moment(1), event);
                let State::Spilling(pair) = state else { panic!("no pair: {state:?}") };
                let kept = class == RecoveryClass::M && rotated && spent == Credential::Current;
                assert_eq!(pair.keeps_previous, kept, "{class:?} {rotated} {spent:?}");
            }
        }
    }
}

#[test]
fn a_token_that_came_again_is_asked_for_when_it_ends() {
    for class in CLASSES {
        let again = |seconds| Granted { unchanged: true, ..living(seconds) };
        assert_eq!(next(&attempt(class), again(600)), Some(595), "{class:?}");
        assert_eq!(next(&dormant(class), again(600)), Some(595), "{class:?}");
        // Never at once, however little it has left: it is three seconds after the request.
        assert_eq!(next(&attempt(class), again(38)), Some(33));
        assert_eq!(next(&attempt(class), again(39)), Some(34));
        assert_eq!(next(&attempt(class), again(2)), Some(33));
        let idle = Granted { unchanged: true, ..idling(40 * 86_400, 10 * 86_400) };
        assert_eq!(next(&attempt(class), idle), Some(9 * DAY / 2), "the refresh token does not wait so long");
        let idle = Granted { unchanged: true, ..idling(600, 10) };
        assert_eq!(next(&attempt(class), idle), Some(33), "a short limit makes no loop");
        let mut late = attempt(class);
        late.rules.timing.window = Some(secs(0));
        assert_eq!(next(&late, again(600)), Some(601), "not before the provider's window");
    }
}

#[test]
fn a_grant_that_nobody_uses_is_left_alone_where_a_rotation_can_be_lost() {
    for class in CLASSES {
        let spends = rules(class).spends();
        let quiet = |kept: i64, usual: i64| Some(if spends { kept } else { usual });
        let assumed = 6 * DAY * 45 / 100;
        assert_eq!(next(&dormant(class), living(3_600)), quiet(assumed, 2_520), "{class:?}");
        assert_eq!(next(&dormant(class), living(10)), if spends { Some(assumed) } else { None }, "{class:?}");
        assert_eq!(next(&dormant(class), idling(3_600, 100 * 86_400)), quiet(45 * DAY, 2_520), "{class:?}");
        // Longer than it may lie idle by assumption, but not by the provider's word.
        assert_eq!(next(&dormant(class), living(10 * 86_400)), Some(7 * DAY), "{class:?}");
        assert_eq!(next(&dormant(class), idling(60 * 86_400, 30 * 86_400)), Some(27 * DAY / 2), "{class:?}");
    }
}

#[test]
fn dormant_is_more_than_a_day_since_the_last_fetch_or_consent() {
    for (used, granted, dormant) in [
        (Some(-HOUR), -30 * DAY, false),
        (Some(3 - DAY), -30 * DAY, false),
        (Some(3 - DAY - 1), -30 * DAY, true),
        (Some(-20 * DAY), -HOUR, false),
        (None, -30 * DAY, true),
        (None, 3 - DAY - 1, true),
        (None, 3 - DAY, false),
        (Some(DAY), -30 * DAY, false),
    ] {
        let attempt = standing_so(RecoveryClass::S, |standing| {
            (standing.used_at, standing.granted_at) = (used.map(instant), instant(granted));
        });
        assert_eq!(next(&attempt, living(3_600)) != Some(2_520), dormant, "{used:?} {granted}");
    }
    let mut by_client = dormant(RecoveryClass::F);
    (by_client.standing.has_refresh, by_client.standing.by_client) = (false, true);
    assert_eq!(next(&by_client, living(3_600)), Some(2_520), "no rotation, no loss");
}

#[test]
fn tokens_that_live_for_seconds_are_renewed_on_demand() {
    for class in CLASSES {
        assert_eq!(next(&attempt(class), living(14)), None, "{class:?}");
        assert_eq!(next(&attempt(class), living(15)), Some(7), "{class:?}");
        assert_eq!(next(&attempt(class), idling(14, 100 * 86_400)), Some(45 * DAY), "{class:?}");
    }
}

#[test]
fn a_short_idle_limit_comes_before_a_long_life() {
    for class in CLASSES {
        assert_eq!(next(&attempt(class), idling(60 * 86_400, 30 * 86_400)), Some(27 * DAY / 2), "{class:?}");
        assert_eq!(next(&attempt(class), idling(3_600, 30 * 86_400)), Some(2_520), "{class:?}");
        let drawn = stored(&attempt(class), idling(60 * 86_400, 30 * 86_400), 0.9).next_refresh_at;
        assert_eq!(drawn, Some(keep_alive(instant(0), secs(30 * 86_400), 0.9)));
    }
}

#[test]
fn nothing_is_asked_before_the_providers_window() {
    for class in CLASSES {
        for used in [-HOUR, -2 * DAY] {
            let mut attempt = standing_so(class, |standing| standing.used_at = Some(instant(used)));
            attempt.rules.timing.window = Some(secs(30));
            assert_eq!(next(&attempt, idling(600, 600)), Some(576), "{class:?} {used}");
            let why = stored(&attempt, idling(600, 600), 0.0).why;
            assert!(used != -HOUR || why == "renewed ahead of its end", "{why}");
            let quiet = if used == -HOUR || !attempt.rules.spends() { 576 } else { 45 * DAY };
            assert_eq!(next(&attempt, idling(600, 100 * 86_400)), Some(quiet), "{class:?} {used}");
        }
    }
}

#[test]
fn each_plan_says_why() {
    let unknown = Granted { lifetime: None, ..granted() };
    let kept = Granted { lifetime: None, ..idling(1, 600) };
    let again = Granted { unchanged: true, ..granted() };
    let cases = [granted(), unknown, kept, again, living(10), idling(60 * 86_400, 30 * 86_400)];
    let mut said: Vec<_> = cases.map(|granted| stored(&attempt(RecoveryClass::S), granted, 0.0).why).into();
    said.push(stored(&dormant(RecoveryClass::S), granted(), 0.0).why);
    said.sort_unstable();
    said.dedup();
    assert_eq!(said.len(), 7, "{said:?}");
}

#[test]
fn whichever_token_of_several_comes_first_decides_for_the_connection() {
    let with = |due: Option<i64>, end: Option<i64>, idle: Option<i64>| {
        let (due, end, idle) = (due.map(instant), end.map(instant), idle.map(instant));
        let others = Others { expires_at: end, next_refresh_at: due, refresh_idle_at: idle };
        stored(&attempt(RecoveryClass::S), Granted { others, ..idling(3_600, 9 * 86_400) }, 0.0)
    };
    let alone = with(None, None, None);
    let own = alone.own;
    assert_eq!((own.expires_at, own.next_refresh_at), (Some(instant(HOUR)), Some(instant(2_520))));
    // What is due already is due at once, and what comes later changes nothing.
    for (due, end, idle, next, ends, idles) in [
        (1_000, 1_800, DAY, 1_000, 1_800, DAY),
        (-1_000, 900, DAY, 3, 900, DAY),
        (3_000, 7_200, 20 * DAY, 2_520, HOUR, 9 * DAY),
    ] {
        let pair = with(Some(due), Some(end), Some(idle));
        assert_eq!((pair.next_refresh_at, pair.expires_at), (Some(instant(next)), Some(instant(ends))), "{due}");
        assert_eq!(pair.deadlines.refresh_idle_at, Some(instant(idles)));
        assert_eq!(pair.own, own, "its own times are not mixed with theirs");
    }
    let endless =
        Granted { lifetime: None, others: Others { expires_at: Some(instant(60)), ..Others::default() }, ..granted() };
    let pair = stored(&attempt(RecoveryClass::S), endless, 0.0);
    assert_eq!((pair.expires_at, pair.own.expires_at), (Some(instant(60)), None));
}
