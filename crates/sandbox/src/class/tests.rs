use super::*;

const GRACE: i64 = 30_000;

fn accepts(class: RecoveryClass, spent_at: Option<i64>, superseded: bool, now: i64) -> bool {
    class.accepts(History { spent_at, superseded }, GRACE, now)
}

#[test]
fn which_old_token_is_still_good() {
    use RecoveryClass::{F, G, M, N, S, U};
    // (first exchanged at, something issued for it was used, asked at) -> classes that accept
    let table: [(Option<i64>, bool, i64, &[RecoveryClass]); 7] = [
        (None, false, 0, &[N, M, G, U, S, F]),
        (None, false, i64::MAX, &[N, M, G, U, S, F]),
        (Some(0), false, 0, &[N, M, G, U]),
        (Some(0), false, GRACE - 1, &[N, M, G, U]),
        (Some(0), false, GRACE, &[N, M, U]),
        (Some(0), true, GRACE - 1, &[N, M, G]),
        (Some(0), true, GRACE, &[N, M]),
    ];
    for (spent_at, superseded, now, good) in table {
        for class in RecoveryClass::ALL {
            let expected = good.contains(&class);
            assert_eq!(accepts(class, spent_at, superseded, now), expected, "{class} {spent_at:?} {superseded} {now}");
        }
    }
}

#[test]
fn what_each_class_does_besides() {
    let traits = |class: RecoveryClass| (class.rotates(), class.reuse_ends_family(), class.use_supersedes_parent());
    assert_eq!(traits(RecoveryClass::N), (false, false, false));
    assert_eq!(traits(RecoveryClass::M), (true, false, false));
    assert_eq!(traits(RecoveryClass::G), (true, false, false));
    assert_eq!(traits(RecoveryClass::U), (true, false, true));
    assert_eq!(traits(RecoveryClass::S), (true, false, false));
    assert_eq!(traits(RecoveryClass::F), (true, true, false));
}

#[test]
fn a_grace_beyond_all_time_does_not_overflow() {
    let history = History { spent_at: Some(i64::MAX - 1), superseded: false };
    assert!(RecoveryClass::G.accepts(history, i64::MAX, i64::MAX - 1));
}

#[test]
fn the_path_letter_is_the_json_word() {
    for class in RecoveryClass::ALL {
        assert_eq!(serde_json::to_value(class).unwrap(), class.as_str());
    }
}
