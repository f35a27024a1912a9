use super::*;

fn fault(written: Written) -> String {
    format!("{:#}", Settings::check(written).err().expect("a fault"))
}

#[test]
fn the_defaults_are_loopback_only() {
    let settings = Settings::check(Written::default()).unwrap();
    assert_eq!(settings.public_url.as_str(), "http://127.0.0.1:8080/");
    assert!(settings.egress_allow.is_empty());
    assert!(settings.database_url().is_err() && settings.key_file().is_err());
}

#[test]
fn a_fault_names_the_setting_and_what_is_allowed() {
    let public_url = |url: &str| Written { public_url: Some(url.into()), ..Written::default() };
    assert!(fault(public_url("http://broker.example.com")).contains("https"));
    assert!(fault(public_url("https://broker.example.com/path")).contains("scheme, host and port only"));
    let range = Written { egress_allow: Some("10.0.0.0/8, nonsense".into()), ..Written::default() };
    assert!(fault(range).contains("`nonsense` is not a CIDR range"));
    assert!(fault(Written { refresh_deadline: Some(0), ..Written::default() }).contains("refresh_deadline: 0"));
    let secret = "oracle://user:canary@host/db";
    let text = fault(Written { database_url: Some(secret.into()), ..Written::default() });
    assert!(text.contains("sqlite:") && !text.contains("canary"), "{text}");
}

#[test]
fn an_unknown_member_of_the_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mortise.toml");
    std::fs::write(&path, "listn = \"127.0.0.1:1\"\n").unwrap();
    let error = format!("{:#}", Settings::load(Some(&path)).err().expect("a fault"));
    assert!(error.contains("listn") && error.contains("listen"), "{error}");
}

#[test]
fn every_setting_is_documented() {
    let documented = include_str!("../../../../docs/settings.md");
    for (name, what) in SETTINGS {
        assert!(documented.contains(&format!("`{name}`")), "docs/settings.md does not speak of `{name}`: {what}");
    }
}
