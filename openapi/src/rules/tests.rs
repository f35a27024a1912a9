use super::*;
use serde_json::json;

fn document() -> Value {
    serde_json::to_value(mortise_server::document()).unwrap()
}

fn broken(change: impl FnOnce(&mut Value)) -> String {
    let mut changed = document();
    change(&mut changed);
    let found = violations(&changed);
    assert!(!found.is_empty(), "nobody noticed");
    found.join("; ")
}

#[test]
fn the_contract_keeps_its_rules() {
    assert_eq!(violations(&document()), Vec::<String>::new());
}

#[test]
fn each_rule_notices_what_breaks_it() {
    let app = "/paths/~1v1~1apps/post";
    let set = |pointer: String, value: Value| {
        move |document: &mut Value| *document.pointer_mut(&pointer).expect("the place is there") = value
    };
    for (pointer, value, words) in [
        ("/openapi".to_owned(), json!("3.0.3"), "OpenAPI 3.1"),
        (format!("{app}/operationId"), json!("list_apps"), "is taken"),
        (format!("{app}/operationId"), json!("createApp"), "snake_case"),
        (format!("{app}/summary"), json!(""), "summary"),
        (format!("{app}/tags"), json!(["nonsense"]), "unknown tag"),
        (format!("{app}/security"), json!([{}]), "exactly one scope"),
        (format!("{app}/parameters"), json!([]), "Idempotency-Key"),
        (format!("{app}/responses/409/content"), json!({}), "no problem document"),
        (format!("{app}/responses/201"), json!({}), "without description"),
        (format!("{app}/requestBody/content/application~1json/schema/$ref"), json!("#/nowhere"), "leads nowhere"),
        ("/components/schemas/NewApp/additionalProperties".to_owned(), json!(true), "unknown members"),
        ("/components/schemas/App/properties/id/description".to_owned(), json!(""), "no description"),
        ("/components/schemas/Page_App/properties".to_owned(), json!({"items": {"description": "x"}}), "next_cursor"),
        ("/paths/~1v1~1apps~1{id}/get/parameters".to_owned(), json!([]), "path parameters"),
    ] {
        let found = broken(set(pointer.clone(), value));
        assert!(found.contains(words), "{pointer}: {found}");
    }
}

#[test]
fn paths_are_kebab_case() {
    assert!(well_formed("/v1/connect-sessions/{id}/complete"));
    for bad in ["/v1/connectSessions", "/v1/connect_sessions", "/v1//x", "/v1/apps/"] {
        assert!(!well_formed(bad), "{bad}");
    }
}
