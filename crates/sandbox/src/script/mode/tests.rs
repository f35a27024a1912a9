use super::*;
use serde_json::json;

fn modes(orders: impl IntoIterator<Item = serde_json::Value>) -> Modes {
    let mut modes = Modes::default();
    for order in orders {
        modes.set(serde_json::from_value(order).unwrap()).unwrap();
    }
    modes
}

fn status(modes: &mut Modes, class: RecoveryClass, endpoint: Endpoint, grant_type: &str) -> Option<u16> {
    let call = Call { grant_type: Some(grant_type.to_owned()), ..Call::default() };
    modes.meet(class, endpoint, &call, 0).and_then(|fault| fault.status).map(|status| status.as_u16())
}

#[test]
fn a_mode_is_for_its_class_endpoint_and_grant_type() {
    let mut modes = modes([json!({"class": "f", "grant_type": "refresh_token", "mode": {"status": 503}})]);
    let (f, token) = (RecoveryClass::F, Endpoint::Token);
    assert_eq!(status(&mut modes, f, token, "refresh_token"), Some(503));
    assert_eq!(status(&mut modes, f, token, "refresh_token"), Some(503));
    assert_eq!(status(&mut modes, f, token, "authorization_code"), None);
    assert_eq!(status(&mut modes, f, Endpoint::Revoke, "refresh_token"), None);
    assert_eq!(status(&mut modes, RecoveryClass::S, token, "refresh_token"), None);
}

#[test]
fn a_later_mode_replaces_an_earlier_one_and_off_takes_away() {
    let all = modes([json!({"mode": "html"}), json!({"class": "n", "mode": {"status": 500}})]);
    assert_eq!(all.list().count(), 6);
    let one = modes([json!({"mode": "hang"}), json!({"class": "n", "mode": "off"})]);
    assert!(one.list().count() == 5 && one.list().all(|mode| mode.class != Some(RecoveryClass::N)));
    let refresh = json!({"class": "n", "grant_type": "refresh_token", "mode": "hang"});
    assert_eq!(modes([refresh.clone(), json!({"class": "n", "mode": "html"})]).list().count(), 2);
    assert_eq!(modes([refresh.clone(), json!({"class": "n", "mode": "off"})]).list().count(), 0);
    let other = json!({"class": "n", "grant_type": "authorization_code", "mode": "off"});
    assert_eq!(modes([refresh, other]).list().count(), 1);
}

#[test]
fn what_is_no_mode_is_refused_and_changes_nothing() {
    for bad in [
        json!("asleep"),
        json!({"status": "x"}),
        json!({"slow": -1}),
        json!({"rate_limit": {"requests": 0, "seconds": 1}}),
    ] {
        assert!(serde_json::from_value::<StandingMode>(json!({"mode": bad.clone()})).is_err(), "{bad}");
    }
    let mut modes = modes([json!({"class": "f", "mode": "html"})]);
    let bad = json!({"class": "f", "mode": {"status": 99}});
    assert_eq!(modes.set(serde_json::from_value(bad).unwrap()), Err(ScriptError::Status));
    assert_eq!(modes.list().count(), 1);
}

#[test]
fn a_rate_limit_lets_so_many_through_in_any_span() {
    let rate: Rate = serde_json::from_value(json!({"requests": 2, "seconds": 1})).unwrap();
    let mut passed = VecDeque::new();
    let waits: Vec<Option<u64>> = [0, 600_000, 700_000, 999_999, 1_000_000, 1_100_000, 1_600_000]
        .map(|at| over(rate, &mut passed, at).map(|wait| wait.as_micros() as u64))
        .to_vec();
    assert_eq!(waits, [None, None, Some(300_000), Some(1), None, Some(500_000), None]);
}
