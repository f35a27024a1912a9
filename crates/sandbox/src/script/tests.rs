use super::*;

fn script(json: serde_json::Value) -> Result<Script, serde_json::Error> {
    serde_json::from_value(json)
}

fn refused(action: serde_json::Value) -> ScriptError {
    let script = script(serde_json::json!({"class": "f", "action": action})).unwrap();
    Scripts::default().push(script).unwrap_err()
}

fn fault(action: serde_json::Value) -> Fault {
    Fault::try_from(serde_json::from_value::<Action>(action).unwrap()).unwrap()
}

#[test]
fn whether_a_request_takes_effect() {
    let table = [
        (serde_json::json!({}), true),
        (serde_json::json!({"delay_ms": 1}), true),
        (serde_json::json!({"truncate_at": 3}), true),
        (serde_json::json!({"drip_ms": 3}), true),
        (serde_json::json!({"headers": {"retry-after": "3"}}), true),
        (serde_json::json!({"drop": "after"}), true),
        (serde_json::json!({"drop": "before"}), false),
        (serde_json::json!({"error": "invalid_grant"}), false),
        (serde_json::json!({"status": 503}), false),
        (serde_json::json!({"body": "<html>"}), false),
        (serde_json::json!({"status": 504, "process": true}), true),
        (serde_json::json!({"truncate_at": 3, "process": false}), false),
    ];
    for (action, processed) in table {
        assert_eq!(fault(action.clone()).processed, processed, "{action}");
    }
}

#[test]
fn contradictions_are_refused() {
    let table = [
        (serde_json::json!({"status": 99}), ScriptError::Status),
        (serde_json::json!({"status": 600}), ScriptError::Status),
        (serde_json::json!({"headers": {"bad name": "x"}}), ScriptError::Header("bad name".to_owned())),
        (serde_json::json!({"headers": {"x": "a\r\nb: c"}}), ScriptError::Header("x".to_owned())),
        (serde_json::json!({"headers": {"Content-Length": "3"}}), ScriptError::Header("Content-Length".to_owned())),
        (serde_json::json!({"content_type": "a\nb"}), ScriptError::ContentType),
        (serde_json::json!({"body_base64": "%"}), ScriptError::Base64),
        (serde_json::json!({"body": "", "error": "x"}), ScriptError::Bodies),
        (serde_json::json!({"drop": "after", "status": 200}), ScriptError::DropWithReply),
        (serde_json::json!({"drop": "before", "process": true}), ScriptError::DropProcessed),
        (serde_json::json!({"delay_ms": 3_600_001}), ScriptError::Delay),
        (serde_json::json!({"delay": "after"}), ScriptError::DelayWithoutLength),
    ];
    for (action, error) in table {
        assert_eq!(refused(action.clone()), error, "{action}");
    }
    let none = script(serde_json::json!({"class": "f", "times": 0, "action": {}})).unwrap();
    assert_eq!(Scripts::default().push(none).unwrap_err(), ScriptError::Times);
    script(serde_json::json!({"class": "f", "action": {"stauts": 500}})).unwrap_err();
    script(serde_json::json!({"class": "x", "action": {}})).unwrap_err();
}

#[test]
fn scripts_are_played_in_order_for_the_requests_they_mean() {
    let mut scripts = Scripts::default();
    let refresh =
        serde_json::json!({"class": "f", "grant_type": "refresh_token", "times": 2, "action": {"status": 500}});
    scripts.push(script(refresh).unwrap()).unwrap();
    scripts.push(script(serde_json::json!({"class": "f", "action": {"status": 501}})).unwrap()).unwrap();
    let mut play = |class, endpoint, grant_type| {
        scripts.take(class, endpoint, grant_type).and_then(|fault| fault.status).map(|status| status.as_u16())
    };
    assert_eq!(play(RecoveryClass::S, Endpoint::Token, Some("refresh_token")), None);
    assert_eq!(play(RecoveryClass::F, Endpoint::Revoke, None), None);
    assert_eq!(play(RecoveryClass::F, Endpoint::Token, Some("refresh_token")), Some(500));
    assert_eq!(play(RecoveryClass::F, Endpoint::Token, Some("authorization_code")), Some(501));
    assert_eq!(play(RecoveryClass::F, Endpoint::Token, Some("refresh_token")), Some(500));
    assert_eq!(play(RecoveryClass::F, Endpoint::Token, Some("refresh_token")), None);
    assert_eq!(scripts.left(), 0);
}
