use super::*;

fn choice(host: &str) -> AppChoice {
    AppChoice {
        app: "acme".parse().expect("an id"),
        provider: "Acme".into(),
        description: None,
        host: host.into(),
        scopes: Vec::new(),
        fields: Vec::new(),
        redirects: true,
        enters_code: false,
        pastes: false,
    }
}

fn page(hosts: &[&str], return_url: Option<&str>) -> ConnectPage {
    ConnectPage {
        asker: "Shop".into(),
        customer: "Ann".into(),
        choices: hosts.iter().map(|host| choice(host)).collect(),
        return_url: return_url.map(str::to_owned),
        repairs: false,
        expires_at: mortise_domain::Timestamp::default(),
    }
}

#[test]
fn forms_may_lead_to_https_and_to_named_local_hosts_only() {
    let sources = |hosts: &[&str], url| form_sources(&page(hosts, url));
    assert_eq!(sources(&["{shop}.acme.example"], Some("https://app.example/back")), "'self' https:");
    assert_eq!(sources(&["127.0.0.1:9000", "127.0.0.1:9000"], None), "'self' https: http://127.0.0.1:9000");
    assert_eq!(sources(&["acme.example"], Some("http://localhost:3000/x")), "'self' https: http://localhost:3000");
    assert_eq!(sources(&["acme.example; script-src *", "acme.example"], Some("javascript:alert(1)")), "'self' https:");
    assert_eq!(sources(&["[::1]:8080"], None), "'self' https: http://[::1]:8080");
}

#[test]
fn a_pasted_address_becomes_its_label() {
    for typed in ["demo", "demo.acme.example", "https://demo.acme.example/", "https://demo.acme.example"] {
        assert_eq!(label_of(typed, "", ".acme.example"), "demo", "{typed}");
    }
    for typed in ["evil.com/demo.acme.example", "demo.evil.example", "", ".acme.example", "a@b.acme.example"] {
        assert_eq!(label_of(typed, "", ".acme.example"), typed, "nothing is taken away from what does not fit");
    }
    assert_eq!(label_of("login.eu.acme.example", "login.", ".acme.example"), "eu");
}

#[test]
fn a_field_keeps_what_was_typed_beside_its_fault() {
    let mut one = choice("{shop}.acme.example");
    one.fields.push(Field {
        name: "shop".into(),
        title: "Your shop".into(),
        description: None,
        values: Vec::new(),
        default: None,
        pasted: None,
        example: None,
        becomes: Some("{shop}.acme.example".into()),
    });
    let mut asked = page(&[], None);
    asked.choices.push(one);
    let fault = |pointer: &str| Fault { pointer: pointer.into(), detail: "not a label".into() };
    let attempted = Attempted {
        app: "acme".into(),
        typed: BTreeMap::from([("shop".into(), "<script>".into())]),
        faults: vec![fault("/shop"), fault("/other")],
    };
    let html = ConnectTemplate::of(asked, "token".into(), Some(&attempted)).render().expect("a page");
    assert!(html.contains("value=\"&#60;script&#62;\"") && !html.contains("<script>"), "{html}");
    assert!(html.contains("aria-invalid=\"true\"") && html.contains("Not a label"), "{html}");
    assert!(html.contains("<title>Please check: "), "{html}");
}
