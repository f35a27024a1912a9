use crate::{Manifest, TemplateError, Values, lint, parse};

fn manifest(base_url: &str, fields: &str) -> Manifest {
    let text = text(base_url, fields);
    parse(&text).unwrap_or_else(|found| panic!("{found:#?}\n{text}"))
}

fn text(base_url: &str, fields: &str) -> String {
    format!(
        "id: acme\nname: Acme\nauth:\n  type: oauth2\n  grant: authorization_code\n  authorization_url: https://acme.example/a\n  \
         token_url: https://acme.example/t\n  token_response: {{extra: {{instance_url: /instance_url, dc: /dc, own: /own}}}}\n  \
         callback: {{keep: {{realm: realmId}}}}\nvariables: {{v: {{type: path_segment, title: V, default: v1}}}}\n\
         api: {{base_url: '{base_url}', fields: {{{fields}}}}}\n"
    )
}

fn base(manifest: &Manifest, told: &[(&str, &str)]) -> Result<String, TemplateError> {
    let told = told.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let values = Values::from([("v".to_owned(), "v1".to_owned())]);
    manifest.api_base_url(&values, &told).map(String::from)
}

const URL: &str = "instance_url: {type: url, suffixes: [salesforce.example, force.example]}";

#[test]
fn a_base_is_made_of_what_the_provider_tells() {
    let url = manifest("{instance_url}/services/{v}", URL);
    for (told, expected) in [
        ("https://na1.salesforce.example", "https://na1.salesforce.example/services/v1"),
        ("https://NA1.Salesforce.example/", "https://na1.salesforce.example/services/v1"),
        ("https://force.example/x", "https://force.example/x/services/v1"),
        ("https://a.force.example:8443", "https://a.force.example:8443/services/v1"),
    ] {
        assert_eq!(base(&url, &[("instance_url", told)]).as_deref(), Ok(expected));
    }
    let bare = manifest("{instance_url}", URL);
    assert_eq!(base(&bare, &[("instance_url", "https://force.example/")]).as_deref(), Ok("https://force.example/"));
    let label =
        manifest("https://{dc}.api.acme.example/{realm}/{v}", "dc: {type: host_label}, realm: {type: path_segment}");
    assert_eq!(base(&label, &[("dc", "us21"), ("realm", "9")]).as_deref(), Ok("https://us21.api.acme.example/9/v1"));
    let host = manifest("https://{own}/{v}", "own: {type: host}");
    assert_eq!(base(&host, &[("own", "eu.acme.example")]).as_deref(), Ok("https://eu.acme.example/v1"));
    assert!(url.tells_base_url() && !manifest("https://acme.example/{v}", URL).tells_base_url());
}

#[test]
fn what_is_told_wrongly_makes_no_base() {
    let url = manifest("{instance_url}/services/{v}", URL);
    for told in [
        "",
        "https://evil.example",
        "https://salesforce.example.evil.example",
        "https://evilsalesforce.example",
        "https://force.example@evil.example",
        "https://evil.example/force.example",
        "https://evil.example#.force.example",
        "https://evil.example?.force.example",
        "https://force.example?x=1",
        "https://force.example#x",
        "https://force.example/../x",
        "https://force.example.",
        "https:force.example",
        "https://force.example\\@evil.example",
        "http://force.example",
        "//force.example",
        "force.example",
        "javascript:alert(1)//force.example",
        "https://169.254.169.254",
        "https://2852039166/",
        "https://[::ffff:169.254.169.254]/",
        "https://force。example",
        " https://force.example",
        "https://force.example\r\nx: y",
    ] {
        let refused = base(&url, &[("instance_url", told)]);
        assert!(matches!(refused, Err(TemplateError::BadValue { .. })), "{told:?}: {refused:?}");
    }
    assert_eq!(base(&url, &[]), Err(TemplateError::NoValue("instance_url".to_owned())));
    let label =
        manifest("https://{dc}.api.acme.example/{realm}/{v}", "dc: {type: host_label}, realm: {type: path_segment}");
    for (dc, realm) in [("evil.example/", "9"), ("us.x", "9"), ("us", ".."), ("us", "a/b"), ("us", "a%2fb"), ("", "9")]
    {
        assert!(base(&label, &[("dc", dc), ("realm", realm)]).is_err(), "{dc} {realm}");
    }
}

#[test]
fn where_any_host_may_be_told_it_is_at_least_one() {
    let url = manifest("{instance_url}/x", "instance_url: {type: url}");
    assert!(base(&url, &[("instance_url", "https://anything.example")]).is_ok());
    // Whether these may be called, the egress policy says.
    assert!(base(&url, &[("instance_url", "http://127.0.0.1:8080/f")]).is_ok());
    for told in
        ["https://metadata/", "https://localhost./", "http://169.254.169.254/", "https://10.0.0.1/", "https://a.b.1/"]
    {
        assert!(base(&url, &[("instance_url", told)]).is_err(), "{told}");
    }
}

#[test]
fn what_does_nothing_or_stands_at_the_wrong_place_is_refused() {
    let found = |base_url: &str, fields: &str| -> Vec<String> {
        lint(&text(base_url, fields)).into_iter().map(|d| format!("{} {}", d.code, d.path)).collect()
    };
    assert_eq!(found("{instance_url}/{v}", URL), Vec::<String>::new());
    for (base_url, fields, expected) in [
        ("https://acme.example/{instance_url}/{v}", URL, "bad_url /api/base_url"),
        ("https://{instance_url}/{v}", URL, "bad_url /api/base_url"),
        ("{instance_url}{v}", URL, "bad_url /api/base_url"),
        ("{instance_url}.evil.example/{v}", URL, "bad_url /api/base_url"),
        ("{instance_url}:8080/{v}", URL, "bad_url /api/base_url"),
        ("{instance_url}@evil.example/{v}", URL, "bad_url /api/base_url"),
        ("{instance_url}/a?b=x{v}", URL, "bad_url /api/base_url"),
        ("{own}/{v}", "own: {type: host}", "bad_url /api/base_url"),
        ("https://{own}.acme.example/{v}", "own: {type: host}", "bad_url /api/base_url"),
        ("https://{dc}/{v}", "dc: {type: host_label}", "bad_url /api/base_url"),
        (
            "https://acme.example/{v}/{dc}",
            "dc: {type: path_segment, suffixes: [acme.example]}",
            "ignored_member /api/fields/dc/suffixes",
        ),
        ("https://acme.example/{v}", "own: {type: host, suffixes: [example]}", "bad_value /api/fields/own/suffixes/0"),
        ("https://acme.example/{v}", "nobody: {type: host}", "ignored_member /api/fields/nobody"),
        ("https://acme.example/{v}", "v: {type: host}", "bad_variable /api/fields/v"),
        ("https://acme.example/{v}", "Own: {type: host}", "bad_variable /api/fields/Own"),
        ("{instance_url}/{v}/{dc}", URL, "unknown_variable /api/base_url"),
    ] {
        assert_eq!(found(base_url, fields), [expected], "{base_url} {fields}");
    }
    let taken = text("{instance_url}/{v}", URL).replace("dc: /dc", "api_base_url: /dc");
    assert_eq!(lint(&taken).first().map(|d| (d.code, d.path.as_str())), Some(("bad_parameter", "/api/base_url")));
    let pasted =
        "id: a\nname: A\nauth: {type: basic}\napi: {base_url: 'https://a.example', fields: {x: {type: url}}}\n";
    assert_eq!(lint(pasted).first().map(|d| (d.code, d.path.as_str())), Some(("ignored_member", "/api/fields/x")));
}

#[test]
fn a_manifest_without_told_fields_keeps_its_text() {
    let text = "id: a\nname: A\nauth: {type: basic}\napi: {base_url: 'https://a.example'}\n";
    let json = crate::canonical_json(&parse(text).expect("a manifest"));
    assert!(json.ends_with(r#""api":{"base_url":"https://a.example"}}"#), "{json}");
}
