//! Requests written by hand, as the RFCs have them: those that are as described pass, and each departure is seen.

use super::*;
use mortise_connectors::parse;
use url::form_urlencoded;

const NOW: i64 = 1_700_000_000;
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn played(auth: &str) -> Played {
    let text = format!("id: acme\nname: Acme\nauth:\n{auth}variables:\n  shop: {{type: host_label, title: Shop}}\n");
    let manifest = parse(&text).unwrap_or_else(|found| panic!("{found:#?}"));
    let registered = Registered {
        client_id: "app".to_owned(),
        client_secret: "se cret".to_owned(),
        redirect_uri: "https://mortise.example/back".parse().unwrap(),
        scopes: ["b", "a"].into_iter().collect(),
        client_key: None,
        assertion_key: None,
        credentials: BTreeMap::from([("api_key".to_owned(), "k-1".to_owned())]),
    };
    Played::new(manifest, Values::from([("shop".to_owned(), "my".to_owned())]), registered).unwrap()
}

fn code_flow(more: &str) -> Played {
    played(&format!(
        "  type: oauth2\n  grant: authorization_code\n  authorization_url: https://{{shop}}.acme.example/authorize?fixed=1\n  \
         token_url: https://{{shop}}.acme.example/token?v=2\n  token_headers: {{Acme-Version: '3'}}\n{more}"
    ))
}

fn visit(query: &str) -> Url {
    format!("https://my.acme.example/authorize?{query}").parse().unwrap()
}

fn right_visit() -> String {
    format!(
        "fixed=1&response_type=code&client_id=app&redirect_uri=https%3A%2F%2Fmortise.example%2Fback&scope=a%20b&state=s&\
         code_challenge={CHALLENGE}&code_challenge_method=S256"
    )
}

type Pairs = Vec<(String, String)>;

fn pairs(pairs: &[(&str, &str)]) -> Pairs {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn request(url: &str, headers: &Pairs, params: &Pairs) -> Arrived {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
    Arrived { method: "POST".to_owned(), url: url.parse().unwrap(), headers: headers.clone(), body: body.into_bytes() }
}

const TOKEN: &str = "https://my.acme.example/token?v=2";

fn right_headers() -> Pairs {
    pairs(&[
        ("host", "my.acme.example"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("accept", "application/json"),
        ("acme-version", "3"),
    ])
}

fn right_exchange(code: &str) -> Pairs {
    pairs(&[
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", "https://mortise.example/back"),
        ("code_verifier", VERIFIER),
        ("client_id", "app"),
        ("client_secret", "se cret"),
    ])
}

/// A code by a visit that is as it should be.
fn code(played: &mut Played) -> String {
    let callback = played.visit(&visit(&right_visit()), NOW).unwrap();
    assert_eq!(played.take_breaches(), Vec::new());
    let callback = callback.unwrap();
    callback.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned()
}

fn said(breaches: &[Breach]) -> String {
    breaches.iter().map(|breach| breach.what.as_str()).collect::<Vec<_>>().join("; ")
}

#[test]
fn a_page_wants_what_is_described_and_nothing_else() {
    let right = right_visit();
    let table = [
        (right.replace("fixed=1&", ""), "the query lacks `fixed`"),
        (right.replace("response_type=code", "response_type=token"), "the parameter `response_type` has another value"),
        (right.replace("client_id=app", "client_id=other"), "the parameter `client_id` has another value"),
        (right.replace("back", "elsewhere"), "the parameter `redirect_uri` has another value"),
        (right.replace("a%20b", "a%20b%20c"), "does not ask for the scopes"),
        (right.replace("a%20b", "a,b"), "does not ask for the scopes"),
        (right.replace("a%20b", "a+b"), "written as `+`"),
        (right.replace("state=s&", ""), "the parameter `state` is missing"),
        (right.replace("S256", "plain"), "the parameter `code_challenge_method` has another value"),
        (right.replace(CHALLENGE, ""), "the parameter `code_challenge` is empty"),
        (format!("{right}&prompt=consent"), "the parameter `prompt` is not described"),
        (format!("{right}&state=t"), "the parameter `state` stands there twice"),
        (format!("{right}#x"), "the fragment"),
    ];
    for (query, what) in table {
        let mut played = code_flow("");
        assert!(played.visit(&visit(&query), NOW).unwrap().is_none(), "{query}");
        let breaches = said(&played.take_breaches());
        assert!(breaches.contains(what), "{query}: {breaches}");
    }
    let mut played = code_flow("");
    let elsewhere = "https://my.acme.example.evil.example/authorize?".to_owned() + &right;
    assert!(played.visit(&elsewhere.parse().unwrap(), NOW).unwrap().is_none());
}

#[test]
fn an_exchange_is_as_described_or_a_breach() {
    type Change = fn(&mut Arrived, &mut Pairs);
    let table: [(&str, Change, &str); 12] = [
        ("a GET", |r, _| r.method = "GET".into(), "the method is GET"),
        ("without the fixed query", |r, _| r.url.set_query(None), "the query lacks `v`"),
        ("the code in the query", |r, _| r.url.set_query(Some("v=2&code=x")), "the parameter `code` is in the query"),
        ("no code", |_, p| p.retain(|(name, _)| name != "code"), "the parameter `code` is missing"),
        ("a code twice", |_, p| p.push(("code".into(), "x".into())), "the parameter `code` stands there twice"),
        ("one more", |_, p| p.push(("audience".into(), "x".into())), "the parameter `audience` is not described"),
        ("another grant", |_, p| p[0].1 = "password".into(), "the parameter `grant_type` has another value"),
        ("an empty verifier", |_, p| p[3].1 = String::new(), "the parameter `code_verifier` is empty"),
        ("no secret", |_, p| p.retain(|(n, _)| n != "client_secret"), "the parameter `client_secret` is missing"),
        (
            "Basic beside it",
            |r, _| r.headers.push(("authorization".into(), "Basic YTpi".into())),
            "the header `authorization` is not described",
        ),
        (
            "no version",
            |r, _| r.headers.retain(|(name, _)| name != "acme-version"),
            "the header `acme-version` is missing",
        ),
        ("a cookie", |r, _| r.headers.push(("cookie".into(), "a=b".into())), "the header `cookie` is not described"),
    ];
    for (what, change, breach) in table {
        let mut played = code_flow("");
        let mut params = right_exchange(&code(&mut played));
        let mut arrived = request(TOKEN, &right_headers(), &params);
        change(&mut arrived, &mut params);
        arrived.body = request(TOKEN, &Vec::new(), &params).body;
        let answered = played.answer(&arrived, NOW);
        assert_eq!(answered.status, 400, "{what}");
        let breaches = said(&played.take_breaches());
        assert!(breaches.contains(breach), "{what}: {breaches}");
        assert!(played.issued().is_none(), "{what}");
    }
}

#[test]
fn wrong_values_are_refused_and_are_no_breach() {
    for (at, value, error) in [
        (1, "nobody", "invalid_grant"),
        (2, "https://mortise.example/elsewhere", "invalid_grant"),
        (3, "fBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "invalid_grant"),
        (4, "other", "invalid_client"),
        (5, "wrong", "invalid_client"),
    ] {
        let mut played = code_flow("");
        let mut params = right_exchange(&code(&mut played));
        params[at].1 = value.to_owned();
        let answered = played.answer(&request(TOKEN, &right_headers(), &params), NOW);
        assert_eq!(played.take_breaches(), Vec::new(), "{value}");
        assert!(String::from_utf8_lossy(&answered.body).contains(error), "{value}");
    }
    let mut played = code_flow("");
    let params = right_exchange(&code(&mut played));
    assert_eq!(played.answer(&request(TOKEN, &right_headers(), &params), NOW).status, 200);
    let again = played.answer(&request(TOKEN, &right_headers(), &params), NOW);
    assert!(String::from_utf8_lossy(&again.body).contains("invalid_grant"), "a code is good once");
    let elsewhere = played.answer(&request("https://my.acme.example/other", &right_headers(), &params), NOW);
    assert_eq!((elsewhere.status, played.take_breaches().len()), (404, 1));
}

/// The first refresh token of a provider of this class.
fn renewable(class: &str) -> (Played, String) {
    let mut played = code_flow(&format!("  recovery_class: {class}\n"));
    let params = right_exchange(&code(&mut played));
    assert_eq!(played.answer(&request(TOKEN, &right_headers(), &params), NOW).status, 200);
    let token = played.issued().and_then(|issued| issued.refresh_token.clone()).unwrap();
    (played, token)
}

/// Whether a refresh token is taken, and what it leads to.
fn renew(played: &mut Played, token: &str, now: i64) -> Option<Option<String>> {
    let params =
        [("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", "app"), ("client_secret", "se cret")];
    let answered = played.answer(&request(TOKEN, &right_headers(), &pairs(&params)), now);
    assert_eq!(played.take_breaches(), Vec::new());
    (answered.status == 200).then(|| played.issued().and_then(|issued| issued.refresh_token.clone()))
}

#[test]
fn a_used_refresh_token_is_what_its_class_says() {
    for (class, again, later) in [
        ("N", true, true),
        ("M", true, true),
        ("G", true, false),
        ("U", true, true),
        ("S", false, false),
        ("F", false, false),
    ] {
        let (mut played, first) = renewable(class);
        let second = renew(&mut played, &first, NOW + 10).expect(class).unwrap_or(first.clone());
        assert_eq!(first == second, class == "N", "{class}");
        assert_eq!(renew(&mut played, &first, NOW + 20).is_some(), again, "{class}, again");
        assert_eq!(renew(&mut played, &first, NOW + 1000).is_some(), later, "{class}, later");
        let survives = class != "F";
        assert_eq!(renew(&mut played, &second, NOW + 1001).is_some(), survives, "{class}, the next");
        if class == "U" {
            assert!(renew(&mut played, &first, NOW + 1002).is_none(), "its successor was used");
        }
    }
}

#[test]
fn what_is_pasted_is_judged_by_its_shape_and_then_by_its_value() {
    let auth = "  type: api_key\n  credentials: {api_key: {type: secret, title: Key}}\n  \
                verification: {url: 'https://acme.example/me'}\napi:\n  base_url: https://acme.example\n  \
                headers: {Authorization: 'Key {api_key}'}\n";
    for (header, status, breach) in [
        ("Key k-1", 200, ""),
        ("Key k-2", 401, ""),
        ("Bearer k-1", 400, "the header `authorization` is not built as described"),
    ] {
        let text = format!("id: acme\nname: Acme\nauth:\n{auth}");
        let registered = Registered {
            client_id: String::new(),
            client_secret: String::new(),
            redirect_uri: "https://mortise.example/back".parse().unwrap(),
            scopes: ScopeSet::default(),
            client_key: None,
            assertion_key: None,
            credentials: BTreeMap::from([("api_key".to_owned(), "k-1".to_owned())]),
        };
        let mut played = Played::new(parse(&text).unwrap(), Values::new(), registered).unwrap();
        let headers = pairs(&[("accept", "application/json"), ("authorization", header)]);
        let mut arrived = request("https://acme.example/me", &headers, &Vec::new());
        arrived.method = "GET".to_owned();
        assert_eq!(played.answer(&arrived, NOW).status, status, "{header}");
        assert_eq!(said(&played.take_breaches()), breach, "{header}");
    }
}
