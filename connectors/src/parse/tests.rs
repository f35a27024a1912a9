//! Every code that there is, with the place that it is reported at. `‸` marks the place in a text and is taken out.

mod flows;
mod pasted;
mod signed_jwt;
mod two_step;

use super::*;
use std::collections::BTreeSet;

const BASE: &str = "id: acme
name: Acme
auth:
  type: oauth2
  grant: authorization_code
  authorization_url: https://acme.example/authorize
  token_url: https://acme.example/token
";

/// The base with more lines: members of `auth`, or of the top where they are not indented.
fn plus(lines: &str) -> String {
    format!("{BASE}{lines}\n")
}

/// The base with a part exchanged.
fn with(old: &str, new: &str) -> String {
    assert!(BASE.contains(old), "{old}");
    BASE.replacen(old, new, 1)
}

fn unmarked(marked: &str) -> (String, Vec<(u32, u32)>) {
    let mut places = Vec::new();
    for (row, line) in marked.lines().enumerate() {
        for (index, (before, _)) in line.match_indices('‸').enumerate() {
            let column = line[..before].chars().count() - index + 1;
            places.push((row as u32 + 1, column as u32));
        }
    }
    (marked.replace('‸', ""), places)
}

/// Code, pointer and marked text of each violation.
fn violations() -> Vec<(Code, &'static str, String)> {
    use Code::*;
    let variable =
        |lines: &str| plus(&format!("api: {{base_url: 'https://acme.example/{{v}}'}}\nvariables:\n  v:\n{lines}"));
    let client = |lines: &str| {
        with(
            "  grant: authorization_code\n  authorization_url: https://acme.example/authorize\n",
            "  grant: client_credentials\n",
        ) + lines
    };
    vec![
        (Malformed, "", with("name: Acme", "name: Acme: ‸x").replace(": ‸x", "‸: x")),
        (Malformed, "", "‸".to_owned()),
        (Malformed, "", plus("‸---\nid: other")),
        (Malformed, "", "{\"id\": \"acme\",, ‸}".replace(",, ‸", ",‸,")),
        (Malformed, "", "‸%YAML 1.1\n---\nid: acme".to_owned()),
        (Anchor, "", with("name: Acme", "name: &n ‸Acme")),
        (Anchor, "", plus("docs_url: ‸*nowhere")),
        (Tag, "", with("name: Acme", "name: !!str ‸Acme")),
        (TooDeep, "", format!("{}‸[{}", "[".repeat(16), "]".repeat(17))),
        (DuplicateMember, "/name", plus("‸name: Again")),
        (DuplicateMember, "/auth/grant", plus("  ‸grant: client_credentials")),
        (UnknownMember, "/scopez", plus("‸scopez: {}")),
        (UnknownMember, "/auth/key~1name", plus("  ‸key/name: 1")),
        (UnknownMember, "/token_url", plus("‸token_url: https://acme.example/token")),
        (UnknownMember, "/auth/token_response/token", plus("  token_response:\n    ‸token: /x")),
        (MissingMember, "/name", with("id: acme\nname: Acme", "‸id: acme")),
        (
            MissingMember,
            "/auth/token_url",
            with("auth:", "‸auth:").replace("  token_url: https://acme.example/token\n", ""),
        ),
        (
            MissingMember,
            "/auth/authorization_url",
            with("auth:", "‸auth:").replace("  authorization_url: https://acme.example/authorize\n", ""),
        ),
        (
            MissingMember,
            "/auth/issuer",
            with("auth:", "‸auth:") + "  authorization_response_iss_parameter_supported: true\n",
        ),
        (MissingMember, "/variables/v/values", variable("    type: enum\n    title: V").replace("  v:", "  ‸v:")),
        (MissingMember, "/auth/rate_limit/seconds", plus("  rate_limit: ‸{requests: 5}")),
        (MissingMember, "/auth/mint_rate/requests", plus("  mint_rate: ‸{seconds: 5}")),
        (UnknownMember, "/auth/refresh_errors/app_", plus("  refresh_errors: {‸app_: []}")),
        (MissingMember, "/variables/v/title", variable("    ‸type: path_segment")),
        (WrongType, "/name", with("name: Acme", "name: ‸7")),
        (WrongType, "/name", with("name: Acme", "name: ‸true")),
        (WrongType, "/name", with("name: Acme", "name: ‸[Acme]")),
        (WrongType, "/auth/grant", with("authorization_code", "‸magic")),
        (WrongType, "/auth/recovery_class", plus("  recovery_class: ‸f")),
        (WrongType, "/auth/grace", plus("  recovery_class: G\n  grace: ‸\"60\"")),
        (WrongType, "/auth/default_lifetime", plus("  default_lifetime: ‸-1")),
        (WrongType, "/auth/refresh_window", plus("  refresh_window: ‸-1")),
        (WrongType, "/auth/max_live", plus("  max_live: ‸five")),
        (WrongType, "/auth/mint_rate", plus("  mint_rate: ‸10/600")),
        (WrongType, "/auth/kills_prior_access_token", plus("  kills_prior_access_token: ‸1")),
        (WrongType, "/auth/refresh_errors/permanent/0", plus("  refresh_errors: {permanent: [‸40029]}")),
        (WrongType, "/auth/default_lifetime", plus("  default_lifetime: ‸1.5")),
        (WrongType, "/auth/default_lifetime", plus("  default_lifetime: ‸4294967296")),
        (WrongType, "/auth/default_scopes", plus("  default_scopes: ‸a b")),
        (WrongType, "/auth/default_scopes/1", plus("  default_scopes: [a, ‸{}]")),
        (WrongType, "/auth/token_response/token_type_optional", plus("  token_response: {token_type_optional: ‸yes}")),
        (WrongType, "/scopes/read", plus("scopes: {read: ‸~}")),
        (WrongType, "", "‸[]".to_owned()),
        (BadId, "/id", with("id: acme", "id: ‸Acme Inc")),
        (BadText, "/name", with("name: Acme", "name: ‸''")),
        (BadText, "/name", with("name: Acme", &format!("name: ‸{}", "x".repeat(81)))),
        (BadText, "/name", with("name: Acme", "name: ‸\"Ac\\u202Eme\"")),
        (BadText, "/description", plus("description: ‸\"a\\nb\"")),
        (BadText, "/auth/pkce_disabled_reason", plus("  pkce_disabled_reason: ‸''")),
        (BadText, "/scopes/read", plus("scopes: {read: ‸''}")),
        (BadText, "/variables/v/title", variable("    type: path_segment\n    title: ‸' '")),
        (BadScope, "/scopes/a b", plus("scopes: {‸a b: Both}")),
        (BadScope, "/scopes/a,b", plus("  scope_separator: ','\nscopes: {‸'a,b': Both}")),
        (BadScope, "/auth/default_scopes/0", plus("  default_scopes: [‸a b]")),
        (BadSeparator, "/auth/scope_separator", plus("  scope_separator: ‸'::'")),
        (BadUrl, "/docs_url", plus("docs_url: ‸'https://{acme}.example/'")),
        (BadUrl, "/auth/introspection_url", plus("  introspection_url: ‸http://acme.example/")),
        (BadUrl, "/auth/issuer", plus("  issuer: ‸https://acme.example/?a=b")),
        (
            BadUrl,
            "/api/base_url",
            variable("    type: host_label\n    title: V")
                .replace("'https://acme.example/{v}'", "‸'https://{v}.example/'"),
        ),
        (BadTemplate, "/auth/token_params/a", plus("  token_params: {a: ‸'{b'}")),
        (UnknownVariable, "/auth/token_params/a", plus("  token_params: {a: ‸'{b}'}")),
        (UnusedVariable, "/variables/v", plus("variables:\n  ‸v: {type: host_label, title: V}")),
        (BadVariable, "/variables/V-1", plus("variables:\n  ‸V-1: {type: host_label, title: V}")),
        (IgnoredMember, "/variables/v/values", variable("    type: path_segment\n    title: V\n    values: ‸[a]")),
        (BadCategory, "/categories/1", plus("categories: [crm, ‸CRM]")),
        (
            BadProvenance,
            "/provenance/checked",
            plus("provenance: {sources: 2, confidence: agreed, checked: ‸2026-02-30}"),
        ),
        (BadValue, "/variables/v/values/1", variable("    type: enum\n    title: V\n    values: [a, ‸a]")),
        (
            BadDefault,
            "/variables/v/default",
            variable("    type: enum\n    title: V\n    values: [a]\n    default: ‸b"),
        ),
        (BadDefault, "/variables/v/default", variable("    type: path_segment\n    title: V\n    default: ‸..")),
        (IgnoredMember, "/auth/authorization_url", client("  ‸authorization_url: https://acme.example/authorize\n")),
        (IgnoredMember, "/auth/refresh_params", client("  ‸refresh_params: {a: b}\n")),
        (IgnoredMember, "/auth/grace", plus("  ‸grace: 60")),
        (IgnoredMember, "/auth/token_response/ok_value", plus("  token_response:\n    ‸ok_value: ok")),
        (BadText, "/auth/token_response/ok_value", plus("  token_response:\n    ok: /ok\n    ok_value: ‸'ä'")),
        (IgnoredMember, "/auth/reuse_penalty", plus("  recovery_class: M\n  ‸reuse_penalty: true")),
        (IgnoredMember, "/auth/refresh_window", client("  ‸refresh_window: 30\n")),
        (IgnoredMember, "/auth/idle_limit", client("  ‸idle_limit: 30\n")),
        (IgnoredMember, "/auth/absolute_limit", client("  ‸absolute_limit: 30\n")),
        (IgnoredMember, "/auth/max_live", client("  ‸max_live: 5\n")),
        (IgnoredMember, "/auth/reuse_penalty", client("  ‸reuse_penalty: true\n")),
        (IgnoredMember, "/auth/refresh_errors", client("  ‸refresh_errors: {app: [a]}\n")),
        (NoCredentials, "/auth/client_authentication", client("  client_authentication: ‸none\n")),
        (ReservedParameter, "/auth/authorization_params/state", plus("  authorization_params: {‸state: x}")),
        (ReservedParameter, "/auth/token_params/Client_Secret", plus("  token_params: {‸Client_Secret: x}")),
        (
            ReservedParameter,
            "/auth/authorization_url",
            with("https://acme.example/authorize", "‸https://acme.example/authorize?state=1"),
        ),
        (BadParameter, "/auth/refresh_params/a b", plus("  refresh_params: {‸a b: x}")),
        (BadParameter, "/auth/refresh_params/a", plus("  refresh_params: {a: ‸\"x\\r\\ny\"}")),
        (
            BadParameter,
            "/auth/authorization_params/response_mode",
            plus("  authorization_params: {response_mode: ‸form_post}"),
        ),
        (
            BadParameter,
            "/auth/authorization_params/a",
            with("/authorize", "/authorize?a=1") + "  authorization_params: {‸a: x}\n",
        ),
        (ReservedHeader, "/auth/token_headers/Authorization", plus("  token_headers: {‸Authorization: Basic eA}")),
        (ReservedHeader, "/auth/token_headers/content-encoding", plus("  token_headers: {‸content-encoding: gzip}")),
        (BadHeader, "/auth/token_headers/x y", plus("  token_headers: {‸x y: z}")),
        (BadHeader, "/auth/token_headers/x", plus("  token_headers: {x: ‸\"a\\0b\"}")),
        (BadHeader, "/auth/token_headers/x", plus("  token_headers: {X: a, ‸x: a}")),
        (OutOfRange, "/auth/default_lifetime", plus("  default_lifetime: ‸0")),
        (OutOfRange, "/auth/refresh_margin", plus("  refresh_margin: ‸315360001")),
        (OutOfRange, "/auth/refresh_window", plus("  refresh_window: ‸315360001")),
        (OutOfRange, "/auth/idle_limit", plus("  idle_limit: ‸0")),
        (OutOfRange, "/auth/absolute_limit", plus("  absolute_limit: ‸0")),
        (OutsideWindow, "/auth/refresh_margin", plus("  refresh_window: 30\n  refresh_margin: ‸31")),
        (IdleTooLong, "/auth/idle_limit", plus("  absolute_limit: 60\n  idle_limit: ‸60")),
        (BadCount, "/auth/max_live", plus("  max_live: ‸0")),
        (BadCount, "/auth/concurrency", plus("  concurrency: ‸100001")),
        (BadRate, "/auth/mint_rate/requests", plus("  mint_rate: {requests: ‸0, seconds: 60}")),
        (BadRate, "/auth/mint_rate/seconds", plus("  mint_rate: {requests: 1, seconds: ‸86401}")),
        (BadRate, "/auth/rate_limit/requests", plus("  rate_limit: {requests: ‸1000001, seconds: 60}")),
        (BadRate, "/auth/rate_limit/seconds", plus("  rate_limit: {requests: 1, seconds: ‸0}")),
        (BadError, "/auth/refresh_errors/app/0", plus("  refresh_errors: {app: [‸'bad client']}")),
        (BadError, "/auth/refresh_errors/app/1", plus("  refresh_errors: {app: [a, ‸Upper]}")),
        (BadError, "/auth/refresh_errors/transient/0", plus("  refresh_errors: {transient: [‸'']}")),
        (BadError, "/auth/refresh_errors/permanent/0", plus("  refresh_errors: {permanent: [‸invalid_client]}")),
        (BadError, "/auth/refresh_errors/transient/0", plus("  refresh_errors: {transient: [‸invalid_grant]}")),
        (BadError, "/auth/refresh_errors/throttled/1", plus("  refresh_errors: {throttled: [a, ‸a]}")),
        (BadError, "/auth/refresh_errors/app/0", plus("  refresh_errors: {permanent: [a], app: [‸a]}")),
        (MarginTooLong, "/auth/refresh_margin", plus("  default_lifetime: 60\n  refresh_margin: ‸31")),
        (BadPointer, "/auth/token_response/ok", plus("  token_response: {ok: ‸ok}")),
        (BadPointer, "/auth/token_response/scope", plus("  token_response: {scope: ‸/a~2}")),
        (
            BadPointer,
            "/auth/token_response/refresh_expires_in",
            plus("  token_response: {refresh_expires_in: ‸refresh_expires_in}"),
        ),
        (BadPointer, "/auth/token_response/error_detail", plus("  token_response: {error_detail: ‸''}")),
        (BadPointer, "/auth/token_response/extra/a", plus("  token_response: {extra: {a: ‸''}}")),
        (ExposesToken, "/auth/token_response/extra/a", plus("  token_response: {extra: {a: ‸/refresh_token}}")),
        (
            ExposesToken,
            "/auth/token_response/extra/a",
            plus("  token_response: {access_token: /user/token, extra: {a: ‸/user}}"),
        ),
        (
            TooMany,
            "/auth/token_params",
            plus(&format!(
                "  token_params: ‸{{{}}}",
                (0..51).map(|n| format!("p{n}: x")).collect::<Vec<_>>().join(", ")
            )),
        ),
        (
            TooMany,
            "/auth/refresh_errors/permanent",
            plus(&format!(
                "  refresh_errors: {{permanent: ‸[{}]}}",
                (0..101).map(|n| format!("c{n}")).collect::<Vec<_>>().join(", ")
            )),
        ),
        (
            TooMany,
            "/scopes",
            plus(&format!("scopes: ‸{{{}}}", (0..501).map(|n| format!("s{n}: x")).collect::<Vec<_>>().join(", "))),
        ),
        (Code::StandIn, "/auth/token_url", with("https://acme.example/token", "‸https://YOUR_SHOP.acme.example/token")),
    ]
}

#[test]
fn the_base_is_fine() {
    assert_eq!(lint(BASE), []);
}

#[test]
fn each_violation_is_one_finding_with_its_code_pointer_and_place() {
    let mut wrong = Vec::new();
    let of_modes = [pasted::violations(), flows::violations(), two_step::violations(), signed_jwt::violations()];
    for (code, path, marked) in violations().into_iter().chain(of_modes.into_iter().flatten()) {
        let (text, places) = unmarked(&marked);
        let found = lint(&text);
        let told: Vec<_> = found.iter().map(|d| (d.code, d.path.as_str(), d.line.zip(d.column))).collect();
        let is_warning = found.first().is_some_and(|first| first.severity == Severity::Warning);
        if told != [(code.as_str(), path, places.first().copied())] || parse(&text).is_ok() != is_warning {
            wrong.push(format!("{code:?} at {path} {places:?} is {found:#?}\n{text}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_code_goes_without_a_test() {
    let mut provoked: BTreeSet<_> = violations()
        .iter()
        .chain(&pasted::violations())
        .chain(&two_step::violations())
        .map(|(code, ..)| code.as_str())
        .collect();
    provoked.insert(lint(&" ".repeat(LONGEST + 1))[0].code);
    // Whoever checks a manifest does not have to know its endpoints yet.
    let undiscovered =
        plus("  discovery: {issuer: 'https://acme.example'}").replace("  token_url: https://acme.example/token\n", "");
    provoked.extend(parse(&undiscovered).err().iter().flatten().map(|found| found.code));
    let all: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(provoked, all);
}

#[test]
fn all_violations_come_at_once_in_the_order_of_the_text_and_none_is_an_echo() {
    let text = "id: Acme!
name: 7
auth:
  type: oauth2
  grant: authorisation_code
  token_url: http://acme.example/{tenant}
  token_params: {state: x}
  default_lifetime: soon
  refresh_margin: 0
variables: none
colour: red
";
    let found = lint(text);
    let told: Vec<_> = found.iter().map(|d| (d.line.unwrap_or(0), d.code)).collect();
    let expected = [
        (1, "bad_id"),
        (2, "wrong_type"),
        (5, "wrong_type"),
        (6, "bad_url"),
        (7, "reserved_parameter"),
        (8, "wrong_type"),
        (9, "out_of_range"),
        (10, "wrong_type"),
        (11, "unknown_member"),
    ];
    assert_eq!(told, expected, "{found:#?}");
}

#[test]
fn a_flood_of_findings_is_counted_instead_of_listed_and_no_error_is_lost_among_warnings() {
    let unused: String = (0..150).map(|n| format!("\n  v{n}: {{type: host_label, title: V}}")).collect();
    let found = lint(&plus(&format!("variables:{unused}\nzzz: 1")));
    assert_eq!(found.len(), MOST_FINDINGS + 1);
    assert!(found.iter().any(|d| d.code == "unknown_member"), "the error is listed");
    assert_eq!(found.last().map(|d| d.message.as_str()), Some("52 more findings: mend these first"));
    assert!(parse(&plus(&format!("variables:{unused}"))).is_err());
}

#[test]
fn places_are_found_for_others_too() {
    assert_eq!(locate(BASE, "/auth/token_url"), Some((7, 14)));
    assert_eq!(locate(BASE, "/auth/revocation_url"), Some((3, 1)), "the nearest member around");
    assert_eq!(locate("[", "/auth"), None);
}

#[test]
fn messages_name_the_fault_and_the_way_out() {
    let says = |text: &str| lint(text).first().map(|d| d.message.clone()).unwrap_or_default();
    insta::assert_snapshot!(says(&plus("scopez: {}")), @"`scopez` is not a member: did you mean `scopes`?");
    insta::assert_snapshot!(says(&plus("revocation_url: x")), @"`revocation_url` is not a member here: it belongs in `auth`");
    insta::assert_snapshot!(says(&plus("colour: red")), @"`colour` is not a member: the members here are `id`, `name`, `description`, `docs_url`, `categories`, `provenance`, `auth`, `variables`, `scopes` and `api`");
    for other in ["authorize_url", "authorizationUrl", "auth_url", "authorization_endpoint"] {
        let text = with("authorization_url:", &format!("{other}:"));
        let all: Vec<_> = lint(&text).into_iter().map(|d| d.message).collect();
        assert_eq!(all, [format!("`{other}` is not a member: did you mean `authorization_url`?")]);
    }
    insta::assert_snapshot!(says(&plus("  token_colour: red")), @"`token_colour` is not a member: similar ones are `token_url`, `token_body`, `token_params`, `token_headers`, `token_response`, `kills_prior_access_token`, `token_request` and `token_exchange`");
    insta::assert_snapshot!(says(&plus("  colour: red")), @"`colour` is not a member: docs/manifests-reference.md lists those that stand here");
    insta::assert_snapshot!(says(&plus("  name: x")), @"`name` is not a member here: it belongs at the top level");
    insta::assert_snapshot!(says(&with("authorization_code", "magic")), @"use `authorization_code`, `client_credentials`, `device_code`, `implicit`, `password`, `jwt_bearer`, `saml2_bearer` or `token_exchange`, not `magic`");
    insta::assert_snapshot!(says(&with("name: Acme", "name: 7")), @r#"give a text, not a number: put it in quotes, as "7""#);
    insta::assert_snapshot!(says(&with("name: Acme", "name:")), @"nothing stands here: give a text, or leave the member out");
    insta::assert_snapshot!(says(&plus("api: {}")), @"`base_url` is missing here: add it");
    insta::assert_snapshot!(says(&plus("  max_live: \"5\"")), @"give a whole number, without quotes");
    insta::assert_snapshot!(says(&plus("  refresh_window: 30 s")), @"give a whole number of seconds, without quotes and unit");
    insta::assert_snapshot!(says(&plus("  mint_rate: 10/600")), @"give an object with `requests` and `seconds`, not a text");
    insta::assert_snapshot!(says(&plus("  rate_limit: {requests: 5}")), @"`seconds` is missing here: add it, and give a whole number of seconds");
    insta::assert_snapshot!(says(&plus("  permanent: [gone]")), @"`permanent` is not a member here: it belongs in `auth.refresh_errors`");
    insta::assert_snapshot!(says(&plus("  kills_prior_access_tokens: true")), @"`kills_prior_access_tokens` is not a member: did you mean `kills_prior_access_token`?");
    insta::assert_snapshot!(says(&plus("  refresh_errors: {app: [invalid_grant]}")), @"`invalid_grant` means the same at every provider: remove it");
    insta::assert_snapshot!(says(&plus("  refresh_errors: {permanent: [gone], app: [gone]}")), @"`gone` is listed in `permanent` already: keep one");
    insta::assert_snapshot!(says("id: [a, b"), @"this is neither YAML nor JSON from here on: unclosed bracket '['");
    insta::assert_snapshot!(says("id: acme\nname: A\nauth: oauth2"), @"give an object with `type`, not a text");
}
