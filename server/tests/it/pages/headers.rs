//! The headers that no page goes without.

use super::rig::{ACME, Answer, PLAIN, Rig};
use actix_web::http::Method;
use actix_web::test::TestRequest;

/// One answer of every kind: pages, redirects, and errors of each sort.
async fn answers(rig: &Rig) -> Vec<(String, Answer)> {
    rig.register(ACME).await;
    rig.register(PLAIN).await;
    let id = rig.connection("c1", true).await;
    let link = rig.link(None).await;
    let cookies = rig.sign_in(&rig.key).await;
    let poor = rig.sign_in(&rig.key_with(&[mortise_domain::ApiScope::EnvironmentsRead]).await).await;
    let mut found = Vec::new();
    let detail = format!("/console/connections/{id}");
    for path in [
        link.as_str(),
        "/connect/done",
        "/connect/unknown",
        "/oauth/callback/x",
        "/oauth/callback/x?state=a&state=b",
        "/console/sign-in",
        "/console",
        "/nowhere",
        "/connect/",
        "/assets/none.css/x",
    ] {
        found.push((format!("GET {path}"), rig.get(path).await));
        let put = TestRequest::default().method(Method::PUT).uri(path);
        found.push((format!("PUT {path}"), rig.send(put).await));
        let post = TestRequest::post().uri(path).set_form([("a", "b")]);
        found.push((format!("POST {path}"), rig.send(post).await));
    }
    for path in ["/console", "/console/apps", "/console/connectors", "/console/customers", "/console?cursor=x", &detail]
    {
        found.push((format!("signed in {path}"), rig.get_with(path, &cookies).await));
        found.push((format!("without rights {path}"), rig.get_with(path, &poor).await));
    }
    let flow = rig.flow(&rig.link(None).await).await;
    found.push(("denied".into(), rig.get_with(&flow.back("error=access_denied"), &flow.cookies).await));
    found.push(("started".into(), flow.started));
    let wrong = rig.submit("/console/sign-in", &[("key", "x")]).await;
    found.push(("wrong key".into(), wrong));
    found.push(("wrong field".into(), rig.submit(&link, &[("app", "acme"), ("field.shop", "-")]).await));
    found
}

#[actix_web::test]
async fn every_answer_carries_them() {
    let rig = Rig::new().await;
    let answers = answers(&rig).await;
    assert!(answers.iter().filter(|(_, answer)| answer.status >= 400).count() > 15, "errors are among them");
    for (what, answer) in answers {
        let header = |name| answer.header(name).unwrap_or_else(|| panic!("{what}: no {name}"));
        let policy = header("content-security-policy");
        let directives: Vec<_> = policy.split("; ").collect();
        for directive in [
            "default-src 'none'",
            "style-src 'self'",
            "img-src 'self'",
            "script-src 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(directives.contains(&directive), "{what}: {policy}");
        }
        let forms = directives.iter().find(|directive| directive.starts_with("form-action ")).unwrap();
        let consent = what.starts_with("GET /connect/") && answer.status == 200 && !what.ends_with("done")
            || what == "wrong field";
        assert_eq!(*forms, if consent { "form-action 'self' https:" } else { "form-action 'self'" }, "{what}");
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{what}: {policy}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{what}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{what}");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin", "{what}");
        assert_eq!(header("strict-transport-security"), "max-age=31536000", "{what}");
        assert_eq!(header("cache-control"), "no-store", "{what}");
        assert!(answer.status != 307 && answer.status != 308, "{what}");
        if answer.status != 303 {
            assert_eq!(header("content-type"), "text/html; charset=utf-8", "{what}");
            own_parts_only(&what, &answer.body);
        }
    }
}

/// No inline script or style, nothing of anybody else's, and the frame that every reader needs.
fn own_parts_only(what: &str, body: &str) {
    for source in body.split(" src=\"").skip(1) {
        assert!(source.starts_with("/assets/"), "{what}: {source}");
    }
    assert!(!body.contains("<style") && !body.contains(" style=") && !body.contains("<script>"), "{what}");
    assert!(!body.contains(" onclick") && !body.contains("javascript:"), "{what}");
    for head in body.split("<link ").skip(1) {
        assert!(head.contains("href=\"/assets/"), "{what}: {head}");
    }
    for part in ["<!doctype html>", "<html lang=\"en\">", "<title>", "name=\"viewport\"", "<main", "<h1>"] {
        assert!(body.contains(part), "{what}: no {part}");
    }
}

#[actix_web::test]
async fn assets_are_named_by_their_content_and_kept_for_ever() {
    let rig = Rig::new().await;
    let page = rig.get("/nowhere").await;
    let named: Vec<_> = page.body.split("\"/assets/").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(named.len(), 4, "{named:?}");
    for name in named {
        let path = format!("/assets/{name}");
        let asset = rig.get(&path).await;
        assert_eq!((asset.status, asset.header("x-content-type-options")), (200, Some("nosniff")), "{path}");
        assert_eq!(asset.header("cache-control"), Some("public, max-age=31536000, immutable"), "{path}");
        let known = TestRequest::get().uri(&path).insert_header(("if-none-match", asset.header("etag").unwrap()));
        let unchanged = rig.send(known).await;
        assert_eq!((unchanged.status, unchanged.body.as_str()), (304, ""), "{path}");
        let (stem, extension) = path.rsplit_once('.').unwrap();
        let other = format!("{}-0123456789ab.{extension}", stem.rsplit_once('-').unwrap().0);
        let other = rig.get(&other).await;
        assert_eq!((other.status, other.header("cache-control")), (200, Some("no-cache")), "another version's name");
    }
    let plain = rig.get("/assets/base.css").await;
    assert_eq!((plain.status, plain.header("cache-control")), (200, Some("no-cache")));
    for path in
        ["/assets/none.css", "/assets/..%2fCargo.toml", "/assets/%2e%2e%2fCargo.toml", "/assets/base-0123456789ab"]
    {
        assert_eq!(rig.get(path).await.status, 404, "{path}");
    }
}
