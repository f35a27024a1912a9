//! Which forms are acted upon: the matrix of token, cookie, `Origin` and `Sec-Fetch-Site`.

use super::rig::{BASE, PLAIN, Rig, with_cookies};
use actix_web::test::TestRequest;

/// What a request says of its origin, and whether a form with a good token is then taken.
const SOURCES: [(&str, Option<&str>, Option<&str>, bool); 12] = [
    ("a browser on our page", Some("same-origin"), Some("null"), true),
    ("a browser that names us", Some("same-origin"), Some(BASE), true),
    ("an old browser without either", None, None, true),
    ("an old browser that names us", None, Some(BASE), true),
    ("an old browser with no referrer", None, Some("null"), true),
    ("another site", Some("cross-site"), Some("https://evil.example"), false),
    ("another site that hides its name", Some("cross-site"), Some("null"), false),
    ("a neighbour of the same site", Some("same-site"), Some("https://other.broker.example"), false),
    ("another site of an old browser", None, Some("https://evil.example"), false),
    ("our name on another port", None, Some("https://broker.example:8443"), false),
    ("our name without TLS", None, Some("http://broker.example"), false),
    ("a contradiction", Some("same-origin"), Some("https://evil.example"), false),
];

fn form(path: &str, site: Option<&str>, origin: Option<&str>) -> TestRequest {
    let mut request = TestRequest::post().uri(path);
    for (name, value) in [("sec-fetch-site", site), ("origin", origin)] {
        if let Some(value) = value {
            request = request.insert_header((name, value));
        }
    }
    request
}

#[actix_web::test]
async fn where_the_form_stood_decides() {
    let rig = Rig::new().await;
    rig.register(PLAIN).await;
    for path in [rig.link(None).await, "/console/sign-in".to_owned()] {
        let page = rig.get(&path).await;
        let fields = [("csrf", page.hidden("csrf")), ("app", "plain".into()), ("key", rig.key.clone())];
        for (what, site, origin, taken) in SOURCES {
            let request = with_cookies(form(&path, site, origin), &page.cookies()).set_form(&fields);
            let answer = rig.send(request).await;
            assert_eq!(answer.status, if taken { 303 } else { 403 }, "{what} at {path}");
            assert!(taken || answer.set_cookies().is_empty(), "{what}: {:?}", answer.set_cookies());
        }
    }
}

#[actix_web::test]
async fn without_the_right_token_and_cookie_nothing_helps() {
    let rig = Rig::new().await;
    rig.register(PLAIN).await;
    let (link, other) = (rig.link(None).await, rig.link(None).await);
    let (page, stranger) = (rig.get(&link).await, rig.get(&link).await);
    let (token, cookies) = (page.hidden("csrf"), page.cookies());
    let twice = [cookies.clone(), stranger.cookies()].concat();
    let cookie_as_token = cookies[0].1.clone();
    type Row<'a> = (&'a str, &'a str, &'a str, &'a [(String, String)]);
    let table: [Row<'_>; 8] = [
        ("no token", &link, "", &cookies),
        ("a wrong token", &link, "0123", &cookies),
        ("the cookie itself as the token", &link, &cookie_as_token, &cookies),
        ("no cookie", &link, &token, &[]),
        ("another browser's cookie", &link, &token, &stranger.cookies()),
        ("a planted second cookie", &link, &token, &twice),
        ("another link's token", &other, &token, &cookies),
        ("another form's token", "/console/sign-in", &token, &cookies),
    ];
    for (what, path, token, cookies) in table {
        let request = with_cookies(form(path, Some("same-origin"), Some("null")), cookies);
        let fields = [("csrf", token), ("app", "plain"), ("key", rig.key.as_str())];
        let answer = rig.send(request.set_form(fields)).await;
        assert_eq!(answer.status, 403, "{what}");
        assert!(!answer.body.contains(&rig.key), "{what}");
    }
    let good = with_cookies(form(&link, Some("same-origin"), Some("null")), &cookies);
    assert_eq!(rig.send(good.set_form([("csrf", token.as_str()), ("app", "plain")])).await.status, 303);
}

#[actix_web::test]
async fn a_header_that_stands_there_twice_is_no_header() {
    let rig = Rig::new().await;
    rig.register(PLAIN).await;
    let link = rig.link(None).await;
    let page = rig.get(&link).await;
    let request = form(&link, Some("same-origin"), None).append_header(("sec-fetch-site", "cross-site"));
    let request = with_cookies(request, &page.cookies());
    let answer = rig.send(request.set_form([("csrf", page.hidden("csrf").as_str()), ("app", "plain")])).await;
    assert_eq!(answer.status, 403);
}
