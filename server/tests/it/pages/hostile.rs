//! Texts that somebody else chose: in names, manifests, and callbacks.

use super::rig::{Answer, PLAIN, Rig};
use mortise_broker::EnvironmentInput;

const CORPUS: [&str; 14] = [
    "<script>alert(1)</script>",
    "\"><script src=//evil.example></script>",
    "'><img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "</title><script>alert(1)</script>",
    "</main></body><h1>Signed in</h1>",
    "\" autofocus onfocus=alert(1) x=\"",
    "javascript:alert(1)",
    "{{7*7}} {% include \"base.html\" %} ${7*7}",
    "<!--<script>-->",
    "&lt;script&gt;",
    "<a href=\"https://evil.example\">click</a>",
    "<b onmouseover=alert(1)>bold</b>",
    "<form action=https://evil.example>",
];

/// The page's own elements and nothing else: every `<` begins a tag that the clean page has too.
fn assert_clean(what: &str, page: &Answer, text: &str) {
    for tag in [
        "<script>",
        "<script src=//",
        "<img",
        "<svg/",
        "<h1>Signed",
        "<a href=\"https://evil",
        "<form action=h",
        "<!--<",
        "onload=alert(1)>",
        "onerror=alert(1)>",
    ] {
        assert!(!page.body.contains(tag), "{what}: {tag} from {text}");
    }
    for attribute in ["\" autofocus", "\" onfocus", "href=\"javascript:", "\"><"] {
        let own = page.body.matches(attribute).count();
        assert!(attribute == "\"><" || own == 0, "{what}: {attribute} from {text}");
    }
    assert_eq!(page.body.matches("<main").count(), 1, "{what}");
    assert_eq!(page.body.matches("</body>").count(), 1, "{what}");
}

fn yaml(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

#[actix_web::test]
async fn names_and_manifests_stay_text() {
    for text in CORPUS {
        let rig = Rig::new().await;
        let quoted = yaml(text);
        let manifest = format!(
            "id: acme\nname: {quoted}\ndescription: {quoted}\nauth:\n  type: oauth2\n  grant: authorization_code\n  \
             authorization_url: https://{{shop}}.acme.example/a\n  token_url: https://{{shop}}.acme.example/t\n\
             variables:\n  shop: {{type: host_label, title: {quoted}, description: {quoted}}}\nscopes:\n  read: {quoted}\n"
        );
        rig.register(&manifest).await;
        rig.register(PLAIN).await;
        let asker = EnvironmentInput { display_name: Some(text.into()), ..EnvironmentInput::default() };
        rig.broker().update_own_environment(&rig.caller, asker).await.unwrap();
        rig.customer("c1", text).await;
        let id = text.replace('/', "_");
        rig.customer(&id, text).await;
        rig.connection(&id, true).await;
        let link = rig.link(None).await;
        let cookies = rig.sign_in(&rig.key).await;
        let mut pages = vec![("consent", rig.get(&link).await)];
        pages.push(("typed", rig.submit(&link, &[("app", "acme"), ("field.shop", text)]).await));
        pages.push(("no such app", rig.submit(&link, &[("app", text)]).await));
        for path in ["/console", "/console/apps", "/console/connectors", "/console/customers"] {
            pages.push((path, rig.get_with(path, &cookies).await));
        }
        for (what, page) in &pages {
            assert_clean(what, page, text);
        }
        let (consent, escaped) =
            (&pages[0].1.body, askama::filters::escape(text, askama::filters::Html).unwrap().to_string());
        assert!(
            consent.matches(&escaped).count() >= 5,
            "asker, customer, provider, title and scope are shown: {consent}"
        );
        let detail =
            pages[3].1.body.split("/console/connections/").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        assert_clean("detail", &rig.get_with(&format!("/console/connections/{detail}"), &cookies).await, text);
    }
}

#[actix_web::test]
async fn hostile_callbacks_get_a_page_and_touch_no_provider() {
    let rig = Rig::new().await;
    rig.register(PLAIN).await;
    let flow = rig.flow(&rig.link(None).await).await;
    let encoded: Vec<_> =
        CORPUS.iter().map(|text| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>()).collect();
    let mut queries: Vec<String> = Vec::new();
    for text in &encoded {
        queries.push(format!("state={text}&code=c"));
        queries.push(format!("state=x&error={text}&error_description={text}&error_uri={text}"));
        queries.push(format!("{text}={text}"));
        queries.push(format!("state={}&state={text}&code=c", flow.state));
    }
    for odd in [
        "%",
        "%zz",
        "%00",
        "state=%ff%fe",
        "&&&&",
        "=",
        "state",
        "state=&code=",
        "state[]=x&code[]=y",
        "state=%0d%0aSet-Cookie:%20a=b",
    ] {
        queries.push(odd.to_owned());
    }
    queries.push(format!("state={}", "s".repeat(8_000)));
    queries.push(format!("state=x&error_description={}", "d".repeat(100_000)));
    for context in ["x", "..%2f..%2f", "%3Cscript%3E", "%00", &"c".repeat(4_000)] {
        for query in &queries {
            let path = format!("/oauth/callback/{context}?{query}");
            let Ok(uri) = path.parse::<actix_web::http::Uri>() else { continue };
            let answer = rig.get_with(&uri.to_string(), &flow.cookies).await;
            assert!((400..500).contains(&answer.status), "{path}: {}", answer.status);
            assert_clean("callback", &answer, query);
            assert!(answer.body.contains("id=\"advice\"") && answer.set_cookies().is_empty(), "{path}");
        }
    }
    assert!(rig.provider.take_requests().is_empty());
    rig.provider.json(200, &serde_json::json!({"access_token": "a", "token_type": "Bearer", "expires_in": 60}));
    let answer = rig.get_with(&flow.back("code=c"), &flow.cookies).await;
    assert_eq!(answer.status, 303, "the honest flow still ends well: {}", answer.body);
}

/// A return URL is fixed when the session is made: nothing in a callback or on the page leads anywhere else.
#[actix_web::test]
async fn no_callback_leads_off_the_allow_list() {
    let rig = Rig::new().await;
    rig.register(PLAIN).await;
    let evil = [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "https:evil.example",
        "https://app.example@evil.example",
    ];
    for target in evil {
        let flow = rig.flow(&rig.link(Some("https://app.example/done")).await).await;
        rig.provider.json(200, &serde_json::json!({"access_token": "a", "token_type": "Bearer", "expires_in": 60}));
        let extra: Vec<_> = ["return_url", "redirect_uri", "next", "url", "return_to"]
            .iter()
            .map(|n| format!("{n}={target}"))
            .collect();
        let answer = rig.get_with(&flow.back(&format!("code=c&{}", extra.join("&"))), &flow.cookies).await;
        let location = answer.header("location").unwrap();
        assert!(location.starts_with("https://app.example/done?") && !location.contains("evil"), "{location}");
    }
    for path in ["/connect//evil.example", "/connect/%2F%2Fevil.example", "/connect/https:%2F%2Fevil.example"] {
        let answer = rig.get(path).await;
        assert!(answer.status == 404 && !answer.body.contains("evil"), "{path}: {}", answer.body);
        let posted = rig.send(actix_web::test::TestRequest::post().uri(path).set_form([("csrf", "x")])).await;
        assert!(posted.status >= 400 && !posted.body.contains("evil"), "{path}: {}", posted.body);
    }
}
