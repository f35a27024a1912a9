//! What is stored with a grant's first tokens.

use super::*;
use mortise_domain::smear_import;

fn granted_for(life: Option<u64>, idle: Option<u64>) -> Granted {
    let deadlines = Deadlines { grant_expires_at: None, refresh_idle_at: idle.map(|idle| instant(0) + secs(idle)) };
    Granted { lifetime: life.map(secs), deadlines, ..granted() }
}

/// Seconds to the first refresh.
fn due(rules: &Rules, granted: &Granted, imported: bool, fraction: f64) -> Option<i64> {
    first(rules, granted, true, imported, fraction).next_refresh_at.map(|at| (at - instant(0)).num_seconds())
}

#[test]
fn consent_is_renewed_like_any_other_pair() {
    for class in CLASSES {
        let pair = first(&rules(class), &granted(), true, false, 1.0);
        assert_eq!((pair.refreshed_at, pair.expires_at), (instant(0), Some(instant(HOUR))));
        assert_eq!(pair.next_refresh_at, Some(instant(3_060)));
        assert!(!pair.keeps_previous, "there is none");
        let deadlines = granted_for(Some(1), Some(700)).deadlines;
        assert_eq!(first(&rules(class), &Granted { deadlines, ..granted() }, true, false, 0.0).deadlines, deadlines);
        for (life, idle, expected) in [
            (None, None, None),
            (None, Some(1_000), Some(450)),
            (Some(10), None, None),
            (Some(10), Some(1_000), Some(450)),
            (Some(60 * 86_400), Some(30 * 86_400), Some(27 * DAY / 2)),
        ] {
            assert_eq!(
                due(&rules(class), &granted_for(life, idle), false, 0.0),
                expected,
                "{class:?} {life:?} {idle:?}"
            );
        }
    }
}

#[test]
fn imports_are_spread_over_all_that_is_left() {
    for class in CLASSES {
        for (life, least, most) in [(3_600, 0, 3_540), (60, 0, 30), (8, 0, 4), (1, 0, 0), (86_400, 0, 86_340)] {
            let granted = granted_for(Some(life), None);
            assert_eq!(due(&rules(class), &granted, true, 0.0), Some(least), "{life}");
            assert_eq!(due(&rules(class), &granted, true, 1.0), Some(most), "{life}");
        }
    }
}

#[test]
fn imports_end_no_idle_refresh_token() {
    let granted = granted_for(Some(60 * 86_400), Some(30 * 86_400));
    assert_eq!(due(&rules(RecoveryClass::F), &granted, true, 1.0), Some(15 * DAY - 60));
    let granted = granted_for(Some(3_600), Some(30 * 86_400));
    assert_eq!(due(&rules(RecoveryClass::F), &granted, true, 1.0), Some(3_540), "the shorter of the two counts");
}

#[test]
fn imports_wait_for_a_window_and_for_the_end_of_a_token_that_is_killed() {
    let mut windowed = rules(RecoveryClass::S);
    windowed.timing.window = Some(secs(30));
    for idle in [None, Some(600), Some(86_400)] {
        assert_eq!(due(&windowed, &granted_for(Some(600), idle), true, 0.0), Some(576), "{idle:?}");
    }
    let mut killed = rules(RecoveryClass::S);
    killed.timing.kills_prior_access_token = true;
    let granted = granted();
    for fraction in [0.0, 0.4] {
        let expected = smear_import(&killed.timing, instant(0), secs(3_600), fraction);
        assert_eq!(first(&killed, &granted, true, true, fraction).next_refresh_at, Some(expected));
    }
}

#[test]
fn imports_of_unknown_end_live_as_the_manifest_says() {
    let mut rules = rules(RecoveryClass::N);
    assert_eq!(due(&rules, &granted_for(None, None), true, 0.5), None);
    assert_eq!(due(&rules, &granted_for(None, Some(1_000)), true, 0.0), Some(450));
    rules.default_lifetime = Some(secs(1_060));
    assert_eq!(due(&rules, &granted_for(None, None), true, 0.5), Some(500));
    assert_eq!(first(&rules, &granted_for(None, None), true, true, 0.5).expires_at, Some(instant(1_060)));
}

#[test]
fn what_cannot_be_renewed_is_never_due() {
    for imported in [false, true] {
        let pair = first(&rules(RecoveryClass::N), &granted(), false, imported, 0.0);
        assert_eq!((pair.next_refresh_at, pair.expires_at), (None, Some(instant(HOUR))));
        assert_ne!(pair.why, first(&rules(RecoveryClass::N), &granted(), true, imported, 0.0).why);
    }
}
