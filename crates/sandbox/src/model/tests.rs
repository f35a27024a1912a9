use super::*;
use crate::log::Endpoint;
use mortise_domain::{ManualClock, SeededEntropy};

fn model() -> Model {
    let clock = Arc::new(ManualClock::at_unix(1_700_000_000));
    Model::new(SandboxConfig { clock, entropy: Arc::new(SeededEntropy::new(1)), ..SandboxConfig::default() }).unwrap()
}

#[test]
fn urls_lead_to_endpoints() {
    let place = |url| {
        ModelRequest::to(url).map(|request| {
            let noted = model().begin(request);
            noted.id()
        })
    };
    for url in
        ["https://sandbox.example/f/token", "http://127.0.0.1:9/n/userinfo?a=/b/c", "/u/revoke", "/g/introspect#x"]
    {
        assert_eq!(place(url), Ok(1), "{url}");
    }
    for url in ["", "/token", "/x/token", "/f/authorize", "/f/token/", "https://sandbox.example/f"] {
        assert_eq!(place(url), Err(ModelRequestError::Nowhere), "{url}");
    }
    let request = || ModelRequest::new(RecoveryClass::F, Endpoint::Token);
    assert!(request().header("x-a", "b").is_ok());
    assert_eq!(request().header("x a", "b").err(), Some(ModelRequestError::Header("x a".to_owned())));
    assert_eq!(request().header("x", "a\r\nb: c").err(), Some(ModelRequestError::Header("x".to_owned())));
}

#[test]
fn nothing_of_a_token_is_shown() {
    let model = model();
    assert_eq!(format!("{model:?}"), "Model { base_url: \"https://sandbox.example\", .. }");
    let reply =
        model.deliver(model.process(model.begin(ModelRequest::new(RecoveryClass::F, Endpoint::Token)))).unwrap();
    assert_eq!(reply.status, 400);
    assert!(!format!("{reply:?}").contains("invalid"));
}
