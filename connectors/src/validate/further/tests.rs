use crate::{canonical_json, lint, parse};

const USER: &str = "user: {access_token: /user/access_token, refresh_token: /user/refresh_token}";

fn manifest(grant: &str, reply: &str, more: &str) -> String {
    let start = match grant {
        "authorization_code" => "  authorization_url: https://acme.example/a\n",
        "device_code" => "  device_authorization_url: https://acme.example/d\n",
        _ => "",
    };
    format!(
        "id: acme\nname: Acme\nauth:\n  type: oauth2\n  grant: {grant}\n{start}  token_url: https://acme.example/t\n  \
         token_response: {{{reply}}}\n{more}"
    )
}

fn found(grant: &str, reply: &str, more: &str) -> Vec<String> {
    let short = |path: &str| path.trim_start_matches("/auth/token_response/").to_owned();
    lint(&manifest(grant, reply, more)).into_iter().map(|d| format!("{} {}", d.code, short(&d.path))).collect()
}

#[test]
fn a_further_token_has_a_place_of_its_own() {
    let many: Vec<_> = (0..9).map(|i| format!("t{i}: {{access_token: /{i}}}")).collect();
    let table = [
        ("user: {access_token: /access_token}".to_owned(), "bad_pointer further/user/access_token"),
        ("user: {access_token: /refresh_token}".to_owned(), "bad_pointer further/user/access_token"),
        ("user: {access_token: /u, refresh_token: /u}".to_owned(), "bad_pointer further/user/refresh_token"),
        ("a: {access_token: /u}, b: {access_token: /u}".to_owned(), "bad_pointer further/b/access_token"),
        ("user: {access_token: u}".to_owned(), "bad_pointer further/user/access_token"),
        ("user: {access_token: /u, expires_in: ''}".to_owned(), "bad_pointer further/user/expires_in"),
        ("user: {access_token: /u, scope: s}".to_owned(), "bad_pointer further/user/scope"),
        ("'a user': {access_token: /u}".to_owned(), "bad_parameter further/a user"),
        ("user: {refresh_token: /u}".to_owned(), "missing_member further/user/access_token"),
        ("user: {access_token: /u, expires_at: /e}".to_owned(), "unknown_member further/user/expires_at"),
        (many.join(", "), "too_many further"),
    ];
    for (further, expected) in table {
        let found = found("authorization_code", &format!("further: {{{further}}}"), "");
        assert_eq!(found, [expected], "{further}");
    }
}

#[test]
fn no_field_hands_a_further_token_out() {
    for pointer in ["/user", "/user/access_token", "/user/refresh_token"] {
        let reply = format!("further: {{{USER}}}, extra: {{a: {pointer}}}");
        assert_eq!(found("authorization_code", &reply, ""), ["exposes_token extra/a"], "{pointer}");
    }
    assert_eq!(found("authorization_code", &format!("further: {{{USER}}}, extra: {{a: /user/id}}"), ""), [""; 0]);
}

#[test]
fn where_nothing_could_keep_it_fresh_it_is_refused() {
    let exchange = "  long_lived_exchange: {url: 'https://acme.example/x', grant_type: x, token_parameter: t}\n";
    for (grant, more) in [
        ("client_credentials", ""),
        ("authorization_code", "  dpop: true\n"),
        ("authorization_code", exchange),
        ("authorization_code", "  introspection_url: https://acme.example/i\n"),
    ] {
        assert_eq!(found(grant, &format!("further: {{{USER}}}"), more), ["ignored_member further"], "{grant} {more}");
    }
    for grant in ["authorization_code", "device_code"] {
        assert_eq!(found(grant, &format!("alternate: /user, further: {{{USER}}}"), ""), [""; 0], "{grant}");
    }
}

#[test]
fn a_manifest_without_keeps_its_text() {
    let text = |reply: &str| canonical_json(&parse(&manifest("authorization_code", reply, "")).expect("a manifest"));
    assert!(!text("").contains("further"));
    assert!(
        text(&format!("further: {{{USER}}}")).contains(r#""further":{"user":{"access_token":"/user/access_token""#)
    );
}
