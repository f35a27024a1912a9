use super::*;
use serde_json::json;

fn settings() -> ClassSettings {
    ClassSettings::initial(&SandboxConfig::default())
}

fn patched(patch: Value) -> ClassSettings {
    let mut settings = settings();
    serde_json::from_value::<ClassSettingsPatch>(patch).unwrap().apply(&mut settings);
    settings
}

#[test]
fn an_empty_change_changes_nothing_and_comes_back_empty() {
    assert_eq!(patched(json!({})), settings());
    let text = serde_json::to_string(&ClassSettingsPatch::default()).unwrap();
    assert_eq!(serde_json::from_str::<ClassSettingsPatch>(&text).unwrap(), ClassSettingsPatch::default());
}

#[test]
fn limits_are_set_and_taken_away() {
    let limits = json!({"refresh_window": 0, "idle_limit": 2, "absolute_limit": 3, "max_live": 4,
        "mint_rate": {"requests": 5, "seconds": 6}, "kills_prior_access_token": true});
    let mut set = patched(limits);
    assert_eq!(
        (set.refresh_window, set.idle_limit, set.absolute_limit, set.max_live),
        (Some(0), Some(2), Some(3), Some(4))
    );
    assert!(set.ends_prior_access_tokens);
    let rules = set.rules();
    assert_eq!((rules.refresh_window, rules.idle_limit, rules.absolute_limit), (Some(0), Some(2000), Some(3000)));
    assert_eq!(rules.mint_rate, Some((5, 6000)));
    let none = json!({"refresh_window": null, "idle_limit": null, "absolute_limit": null, "max_live": null,
        "mint_rate": null, "ends_prior_access_tokens": false});
    serde_json::from_value::<ClassSettingsPatch>(none).unwrap().apply(&mut set);
    assert_eq!(set, settings());
    for bad in [json!({"mint_rate": {"requests": 0, "seconds": 1}}), json!({"mint_rate": {"requests": 1}})] {
        assert!(serde_json::from_value::<ClassSettingsPatch>(bad).is_err());
    }
}

#[test]
fn settings_that_an_older_version_kept_are_still_read() {
    let mut kept = serde_json::to_value(settings()).unwrap();
    let newer = [
        "refresh_window",
        "idle_limit",
        "absolute_limit",
        "max_live",
        "mint_rate",
        "reuse_penalty",
        "same_access_token",
        "lifetime_shrink",
        "refresh_token_expires_in",
    ];
    for name in newer {
        kept.as_object_mut().unwrap().remove(name).unwrap();
    }
    assert_eq!(serde_json::from_value::<ClassSettings>(kept).unwrap(), settings());
}

#[test]
fn lifetimes_shrink_down_to_a_second() {
    let settings = patched(json!({"access_token_lifetime": 10, "lifetime_shrink": 4}));
    let lifetimes: Vec<i64> = [0, 1, 2, 3, u64::MAX].map(|issued| settings.lifetime_ms(issued)).to_vec();
    assert_eq!(lifetimes, [10_000, 6_000, 2_000, 1_000, 1_000]);
    assert_eq!(patched(json!({"access_token_lifetime": 0})).lifetime_ms(3), 0);
}
