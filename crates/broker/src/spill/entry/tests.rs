use super::*;
use serde_json::json;

/// As the version before wrote it.
fn refresh() -> serde_json::Value {
    json!({
        "kind": "refresh",
        "environment": "env_0199a000000070008000000000000001",
        "connection": "con_0199a000000070008000000000000002",
        "attempt": "att_0199a000000070008000000000000003",
        "family": 1,
        "parent_generation": 4,
        "access": "AQID",
        "refresh": "BAUG",
        "refreshed_at": "2026-07-01T12:00:00Z",
        "expires_at": "2026-07-01T13:00:00Z",
        "next_refresh_at": null,
        "granted_scopes": null,
        "detail": {"attempt": "x"},
    })
}

#[test]
fn what_the_version_before_wrote_still_reads() {
    let Entry::Refresh(pair) = Entry::from_bytes(refresh().to_string().as_bytes()).unwrap() else { panic!() };
    let result = pair.result();
    assert_eq!((result.family, result.parent_generation), (1, 4));
    assert_eq!((result.access.as_bytes(), result.refresh.unwrap().as_bytes()), (&[1, 2, 3][..], &[4, 5, 6][..]));
    assert!(result.previous_refresh.is_none() && result.grant_expires_at.is_none() && result.refresh_idle_at.is_none());
}

#[test]
fn an_entry_is_what_it_was_after_a_round_trip() {
    let mut entry = Entry::from_bytes(refresh().to_string().as_bytes()).unwrap();
    if let Entry::Refresh(pair) = &mut entry {
        pair.previous_refresh = Some(Sealed::from_bytes(vec![7, 8]));
        pair.grant_expires_at = pair.expires_at;
    }
    let bytes = entry.to_bytes().unwrap();
    let again = Entry::from_bytes(&bytes).unwrap();
    assert_eq!(again.to_bytes().unwrap(), bytes);
    let Entry::Refresh(pair) = again else { panic!() };
    assert_eq!(pair.previous_refresh.unwrap().as_bytes(), [7, 8]);
    assert_eq!(pair.grant_expires_at, pair.expires_at);
}

#[test]
fn what_is_no_entry_is_an_error() {
    let mut unknown = refresh();
    unknown["kind"] = json!("something");
    let mut unsealed = refresh();
    unsealed["access"] = json!("not base64!");
    for bytes in ["", "{", "{\"kind\":\"refresh\"}", &unknown.to_string(), &unsealed.to_string()] {
        assert!(Entry::from_bytes(bytes.as_bytes()).is_err(), "{bytes}");
    }
}
