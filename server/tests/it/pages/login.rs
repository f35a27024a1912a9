//! The consent page where what the customer gives is changed for a token.

use super::pasted::register;
use super::rig::Rig;
use mortise_broker::{ConnectionQuery, PageRequest};
use serde_json::json;

const DESK: &str = "\
id: desk
name: Desk
auth:
  type: two_step
  credentials:
    user: {type: text, title: User name}
    password: {type: secret, title: Password}
  steps:
    - url: https://{site}.desk.example/login
      body: json
      params: {user: '{user}', password: '{password}'}
  token_response: {access_token: /token}
  default_lifetime: 900
variables:
  site: {type: host_label, title: Site}
api:
  base_url: https://{site}.desk.example
  headers: {x-token: '{access_token}'}
";

const FIELDS: [(&str, &str); 4] =
    [("app", "desk"), ("field.site", "demo"), ("paste.user", "ann"), ("paste.password", "canary-password")];

#[actix_web::test]
async fn a_password_is_typed_unseen_tried_at_once_and_kept_sealed() {
    let rig = Rig::new().await;
    register(&rig, DESK).await;
    let link = rig.link(None).await;
    let page = rig.get(&link).await;
    let field =
        |name: &str| page.body.split("<input").find(|tag| tag.contains(name)).unwrap().split('>').next().unwrap();
    assert!(field("paste.password").contains("type=\"password\""), "{}", page.body);
    assert!(!field("paste.user").contains("type=\"password\""));
    assert!(page.body.contains("</var>.desk.example</b>"), "it says where it goes: {}", page.body);

    rig.provider.json(401, &json!({"error": "canary-password is wrong"}));
    let wrong = rig.submit(&link, &FIELDS).await;
    assert!(wrong.body.contains("Desk does not accept this (status 401)"), "{}", wrong.body);
    assert!(!wrong.body.contains("canary"), "{}", wrong.body);

    rig.provider.json(200, &json!({"token": "t-1"}));
    let done = rig.submit(&link, &FIELDS).await;
    assert!((200..400).contains(&done.status), "{}", done.body);
    let page = PageRequest { limit: None, cursor: None };
    let all = rig.broker().list_connections(&rig.caller, &ConnectionQuery::default(), &page).await.unwrap();
    let [view] = &all.items[..] else { panic!("one connection") };
    assert_eq!((view.state.as_str(), view.expires_at.is_some()), ("active", true));
    assert!(!rig.rows().await.join("\n").contains("canary"), "sealed");
}
