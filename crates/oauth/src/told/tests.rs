use super::{believe, judge};
use crate::{EgressPolicy, Provider};
use mortise_connectors::{Manifest, Values};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn fields(value: Value) -> BTreeMap<String, Value> {
    serde_json::from_value(value).expect("an object")
}

fn opened(range: &str) -> EgressPolicy {
    EgressPolicy { allow: vec![range.parse().expect("a network")] }
}

fn manifest(api: Value) -> Manifest {
    let extra = json!({"instance_url": "/instance_url", "dc": "/dc", "other": "/other"});
    let manifest = json!({
        "id": "acme", "name": "Acme", "api": api,
        "auth": {
            "type": "oauth2", "grant": "authorization_code", "authorization_url": "https://acme.example/a",
            "token_url": "https://acme.example/t", "token_response": {"extra": extra},
        },
    });
    mortise_connectors::parse(&manifest.to_string()).unwrap_or_else(|found| panic!("{found:#?}"))
}

fn believed(policy: &EgressPolicy, api: Value, told: Value) -> Value {
    let (manifest, values, mut fields) = (manifest(api), Values::new(), fields(told));
    believe(policy, &Provider { manifest: &manifest, values: &values }, &mut fields);
    let once = fields.clone();
    believe(policy, &Provider { manifest: &manifest, values: &values }, &mut fields);
    assert_eq!(fields, once, "again changes nothing");
    json!(fields)
}

/// Row T10 of the hostile inputs.
#[test]
fn t10_a_url_to_where_nothing_may_be_called_is_left_out() {
    for url in [
        "http://169.254.169.254/latest/meta-data",
        "https://169.254.169.254",
        "https://0xa9fea9fe/",
        "https://2852039166",
        "https://0251.0376.0251.0376/",
        "https://[fd00:ec2::254]/",
        "https://[::ffff:169.254.169.254]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "http://127.0.0.1:8080",
        "http://localhost/",
        "https://x.localhost",
        "https://10.1.2.3/",
        "https://192.168.0.1",
        "https://100.100.100.200/",
        "https://0.0.0.0",
        "https://user:pass@127.0.0.1/",
        "https://metadata.google.internal/computeMetadata/v1/",
        "https://metadata/",
        "https://printer.local",
        "https:\\\\169.254.169.254\\x",
        "HTTPS://169.254.169.254",
        " https://169.254.169.254 ",
        "\u{1}https://169.254.169.254",
        "//169.254.169.254/x",
        "\\\\169.254.169.254\\x",
        "https:169.254.169.254",
        "https://169。254。169。254/",
    ] {
        for value in [json!(url), json!([1, [url]]), json!({"a": {"b": url}})] {
            let mut told = fields(json!({"instance_url": value, "team": "t1"}));
            assert_eq!(judge(&EgressPolicy::default(), &mut told), ["instance_url"], "{url:?}");
            assert_eq!(json!(told), json!({"team": "t1"}));
        }
    }
}

#[test]
fn what_is_no_url_or_a_public_one_stays() {
    for value in [
        json!("https://na1.acme.example/x"),
        json!("http://blog.acme.example"),
        json!("https://93.184.216.34/"),
        json!("https:"),
        json!("mailto:a@127.0.0.1"),
        json!("1.2.3"),
        json!("a b://"),
        json!({"a": [true, null, 7]}),
    ] {
        let mut told = fields(json!({"x": value}));
        assert_eq!(judge(&EgressPolicy::default(), &mut told), Vec::<String>::new(), "{value}");
    }
    let mut told = fields(json!({"a": "http://127.0.0.1:9/", "b": "http://localhost:9", "c": "https://10.0.0.1/"}));
    assert_eq!(judge(&opened("127.0.0.0/8"), &mut told), ["c"]);
    let mut told =
        fields(json!({"a": "https://crm.corp.internal/", "b": "https://10.0.0.1/", "c": "https://169.254.169.254"}));
    assert_eq!(judge(&opened("10.0.0.0/8"), &mut told), ["c"]);
}

#[test]
fn a_described_field_is_what_it_has_to_be_and_makes_the_base() {
    let api = json!({
        "base_url": "{instance_url}/v1",
        "fields": {"instance_url": {"type": "url", "suffixes": ["acme.example"]}, "dc": {"type": "host_label"}},
    });
    let strict = EgressPolicy::default();
    let told = json!({"instance_url": "https://na1.acme.example/", "dc": "us1", "other": "x"});
    let expected = json!({
        "instance_url": "https://na1.acme.example/", "dc": "us1", "other": "x",
        "api_base_url": "https://na1.acme.example/v1",
    });
    assert_eq!(believed(&strict, api.clone(), told), expected);
    for wrong in
        [json!("https://evil.example"), json!("na1.acme.example"), json!(["https://acme.example"]), json!(null)]
    {
        let told = json!({"instance_url": wrong, "dc": "a.b", "api_base_url": "https://old.acme.example/v1"});
        assert_eq!(believed(&strict, api.clone(), told), json!({}), "{wrong}");
    }
    let any = json!({"base_url": "{instance_url}/v1", "fields": {"instance_url": {"type": "url"}}});
    let local = json!({"instance_url": "http://127.0.0.1:8080/f"});
    assert_eq!(believed(&strict, any.clone(), local.clone()), json!({}));
    let base = believed(&opened("127.0.0.0/8"), any, local)["api_base_url"].clone();
    assert_eq!(base, "http://127.0.0.1:8080/f/v1");
    let number = json!({"base_url": "https://acme.example/{dc}", "fields": {"dc": {"type": "path_segment"}}});
    assert_eq!(believed(&strict, number, json!({"dc": 12}))["api_base_url"], "https://acme.example/12");
    let none = json!({"base_url": "https://acme.example"});
    assert_eq!(
        believed(&strict, none, json!({"instance_url": "https://a.example"})),
        json!({"instance_url": "https://a.example"})
    );
}

/// Row T10: a host is no URL, and leads as far inside.
#[test]
fn t10_a_told_host_is_judged_like_a_url_of_it() {
    let api = json!({"base_url": "https://{dc}/v1", "fields": {"dc": {"type": "host"}}});
    let strict = EgressPolicy::default();
    for inside in ["metadata.google.internal", "printer.local", "x.localhost", "nas.home.arpa"] {
        let told = json!({"dc": inside, "api_base_url": "https://old.acme.example/v1"});
        assert_eq!(believed(&strict, api.clone(), told), json!({}), "{inside}");
    }
    let told = believed(&strict, api.clone(), json!({"dc": "eu1.acme.example"}));
    assert_eq!(told, json!({"dc": "eu1.acme.example", "api_base_url": "https://eu1.acme.example/v1"}));
    let own = believed(&opened("10.0.0.0/8"), api, json!({"dc": "crm.corp.internal"}));
    assert_eq!(own["api_base_url"], "https://crm.corp.internal/v1");
}
