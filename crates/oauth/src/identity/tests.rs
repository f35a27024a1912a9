use super::*;
use crate::fixture::{Fixture, header};
use crate::testing::ScriptedTransport;
use crate::{Reply, SendError};
use serde_json::json;

fn fixture() -> Fixture {
    let fields = json!({"account": "/0/id", "site": "/0/url", "copy": "/0/token", "absent": "/1/id", "odd": "/0/odd"});
    Fixture::new(json!({"identity": {"url": "https://{subdomain}.acme.example/me", "fields": fields}}))
}

async fn answer(step: Result<Reply, SendError>) -> Result<BTreeMap<String, Value>, Failure> {
    let fixture = fixture();
    let request = identity(&fixture.provider(), &fixture.client(), &AccessToken::new("at-1"))
        .expect("no fault")
        .expect("a request");
    let transport = ScriptedTransport::new();
    transport.then(|_| step);
    request_identity(&transport, request, fixture.provider().manifest).await
}

#[test]
fn the_question_carries_the_token_and_nothing_of_the_client() {
    let request = identity(&fixture().provider(), &fixture().client(), &AccessToken::new("at-1"))
        .expect("no fault")
        .expect("a request");
    assert_eq!((request.method, request.url.as_str()), (Method::Get, "https://shop.acme.example/me"));
    assert_eq!(header(&request, "authorization"), Some("Bearer at-1"));
    assert_eq!((request.headers.len(), request.body.len()), (2, 0));
    assert!(
        identity(&Fixture::new(json!({})).provider(), &Fixture::new(json!({})).client(), &AccessToken::new("a"))
            .expect("no fault")
            .is_none()
    );
}

#[tokio::test]
async fn fields_are_lifted_from_lists_too_and_never_the_token() {
    let body = json!([{"id": 7, "url": "https://a.example", "token": "x at-1", "odd": "a\nb"}]);
    let fields = answer(Ok(Reply::new(200, Some("application/json"), body.to_string()))).await.expect("fields");
    let expected = BTreeMap::from([("account".to_owned(), json!(7)), ("site".to_owned(), json!("https://a.example"))]);
    assert_eq!(fields, expected);
}

#[tokio::test]
async fn what_is_no_answer_gives_no_fields() {
    for (status, body) in [(200, "<html>"), (200, ""), (200, "{"), (401, "{}"), (302, "{}"), (500, "{}")] {
        let failed = answer(Ok(Reply::new(status, Some("application/json"), body))).await;
        assert_eq!(failed.expect_err("no fields").status, Some(status), "{status} {body}");
    }
    assert!(answer(Err(SendError::Timeout)).await.is_err());
    assert_eq!(answer(Ok(Reply::new(200, None, "7"))).await.expect("nothing in it"), BTreeMap::new());
}
