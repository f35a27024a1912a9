//! `mortise connectors` as people run it: what it prints, and with what it ends.

use crate::world::START;
use mortise_testkit::Launch;
use serde_json::Value;
use std::path::Path;

const FINE: &str = "id: acme\nname: Acme\nauth:\n  type: oauth2\n  grant: authorization_code\n  \
                    authorization_url: https://acme.example/authorize\n  token_url: https://acme.example/token\n";

struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ended {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }
}

/// Runs the program in `folder`.
async fn connectors(folder: &Path, arguments: &[&str]) -> Ended {
    let mut process = Launch::mortise().args([&["connectors"], arguments].concat()).folder(folder).start();
    let code = process.ended(START).await.code();
    Ended { code, out: process.stdout(), err: process.stderr() }
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

#[tokio::test]
async fn lint_tells_people_programs_and_code_hosts_the_same() {
    let broken = FINE.replace("token_url:", "token_ur1:");
    let unused = format!("{FINE}variables:\n  shop: {{type: host_label, title: Shop}}\n");
    let folder = folder(&[("fine.yaml", FINE), ("broken.yaml", &broken), ("unused.yaml", &unused)]);
    let run = async |arguments: &[&str]| connectors(folder.path(), arguments).await;

    let fine = run(&["lint", "fine.yaml"]).await;
    assert_eq!((fine.code, fine.out.as_str()), (Some(0), "fine.yaml: ok\n"), "{}", fine.err);

    let text = run(&["lint", "fine.yaml", "broken.yaml"]).await;
    assert_eq!(text.code, Some(1));
    let place = "broken.yaml: line 7, column 3: error[unknown_member]: `token_ur1` is not a member: did you mean `token_url`?\n \
                 7 |   token_ur1: https://acme.example/token\n   |   ^\n";
    assert!(text.out.ends_with(place), "{}", text.out);
    assert!(text.err.contains("1 error") && !text.err.contains("1 errors"), "{}", text.err);

    let json = run(&["lint", "--format", "json", "fine.yaml", "broken.yaml"]).await;
    assert_eq!(json.code, Some(1));
    let document = json.json();
    assert_eq!(document["valid"], false);
    assert_eq!((&document["files"][0]["valid"], &document["files"][1]["valid"]), (&true.into(), &false.into()));
    let finding = &document["files"][1]["diagnostics"][0];
    assert_eq!(
        (&finding["code"], &finding["line"], &finding["column"]),
        (&"unknown_member".into(), &7.into(), &3.into())
    );

    let sarif = run(&["lint", "--format", "sarif", "broken.yaml"]).await;
    assert_eq!(sarif.code, Some(1));
    let result = &sarif.json()["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "unknown_member");
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 7);

    assert_eq!(run(&["lint", "unused.yaml"]).await.code, Some(0));
    assert_eq!(run(&["lint", "--deny-warnings", "unused.yaml"]).await.code, Some(1));
    let missing = run(&["lint", "nowhere.yaml"]).await;
    assert_eq!(missing.code, Some(1));
    assert!(missing.err.contains("nowhere.yaml"), "{}", missing.err);
}

#[tokio::test]
async fn simulate_shows_each_request_and_no_secret() {
    let folder = folder(&[("fine.yaml", FINE)]);
    let text = connectors(folder.path(), &["simulate", "fine.yaml", "--scopes", "b,a"]).await;
    assert_eq!(text.code, Some(0), "{}", text.err);
    insta::assert_snapshot!(text.out);

    let arguments = ["simulate", "zendesk", "--set", "subdomain=acme", "--format", "json"];
    let bundled = connectors(folder.path(), &arguments).await.json();
    assert!(bundled[0]["url"].as_str().unwrap().starts_with("https://acme.zendesk.com/"), "{bundled}");

    let wrong = connectors(folder.path(), &["simulate", "zendesk", "--set", "subdomain=evil.example/"]).await;
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.err.contains("subdomain: use 1 to 63 letters"), "{}", wrong.err);
    assert!(!wrong.err.contains("evil"), "{}", wrong.err);
}

#[tokio::test]
async fn diff_says_what_a_new_version_means_for_running_connections() {
    let moved = FINE.replace("https://acme.example/token", "https://other.example/token").replace("Acme", "Acme 2");
    let folder = folder(&[("old.yaml", FINE), ("new.yaml", &moved)]);
    let text = connectors(folder.path(), &["diff", "old.yaml", "new.yaml"]).await;
    assert_eq!(text.code, Some(0), "{}", text.err);
    let told = "host: Codes, tokens and the client's secret go to another host: check that it is the provider's.\n  \
                /auth/token_url: \"https://acme.example/token\" -> \"https://other.example/token\"\n\n\
                shown: Only what people read changes.\n  /name: \"Acme\" -> \"Acme 2\"\n";
    assert_eq!(text.out, told);
    let json = connectors(folder.path(), &["diff", "old.yaml", "new.yaml", "--format", "json"]).await.json();
    assert_eq!((&json[0]["effect"], &json[1]["effect"]), (&"host".into(), &"shown".into()));
    assert_eq!(connectors(folder.path(), &["diff", "old.yaml", "old.yaml"]).await.out, "nothing changes\n");
}

#[tokio::test]
async fn import_writes_what_can_be_said_lists_the_rest_and_overwrites_nothing() {
    let list = include_str!("../../../../connectors/src/import/tests/providers.yaml");
    let folder = folder(&[("providers.yaml", list)]);
    let arguments = ["import", "--from", "nango", "providers.yaml", "--out", "made"];
    let first = connectors(folder.path(), &arguments).await;
    assert_eq!(first.code, Some(0), "{}", first.err);
    assert!(first.out.contains("11 entries: 7 whole, 3 with something lacking, 1 not imported"), "{}", first.out);
    assert!(
        first.out.contains("installed: not imported: auth_mode: no mode does what `INSTALL_PLUGIN` does"),
        "{}",
        first.out
    );
    let made = folder.path().join("made");
    let files: Vec<_> = std::fs::read_dir(&made).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(files.len() >= 8, "{files:?}");
    for file in &files {
        let lint = connectors(folder.path(), &["lint", "--deny-warnings", file.to_str().unwrap()]).await;
        assert_eq!(lint.code, Some(0), "{}{}", lint.out, lint.err);
    }

    std::fs::write(made.join("plain.yaml"), "mine").unwrap();
    let again = connectors(folder.path(), &arguments).await;
    assert!(again.out.contains("plain.yaml is there already and stays as it is"), "{}", again.out);
    assert_eq!(std::fs::read_to_string(made.join("plain.yaml")).unwrap(), "mine");

    let only = ["import", "--from", "nango", "providers.yaml", "--only", "plain", "--format", "json"];
    let only = connectors(folder.path(), &only).await.json();
    assert_eq!((&only["whole"], &only["partly"], &only["not"]), (&1.into(), &0.into(), &0.into()));
    let unknown = connectors(folder.path(), &["import", "--from", "nango", "providers.yaml", "--only", "x"]).await;
    assert!(unknown.err.contains("the list has no `x`"), "{}", unknown.err);
}

#[tokio::test]
async fn the_schema_that_is_printed_is_the_published_one() {
    let folder = folder(&[]);
    let printed = connectors(folder.path(), &["schema"]).await;
    assert_eq!(printed.out, include_str!("../../../../docs/connector.schema.json"));
}

#[tokio::test]
async fn test_lives_a_connector_and_ends_with_what_came_of_it() {
    let contradictory = format!("{FINE}  token_response: {{ok: /access_token}}\n");
    let folder = folder(&[("fine.yaml", FINE), ("bad.yaml", &contradictory)]);
    let fine = connectors(folder.path(), &["test", "fine.yaml"]).await;
    assert_eq!(fine.code, Some(0), "{}{}", fine.out, fine.err);
    let lines: Vec<_> = fine.out.lines().collect();
    assert!(lines[0].starts_with("acme: ok, ") && lines.len() > 15, "{}", fine.out);
    for step in ["describe", "connect", "fetch", "refresh", "errors"] {
        assert!(lines.iter().any(|line| line.starts_with(&format!("  {step:<9} ok "))), "{step}: {}", fine.out);
    }

    let bad = connectors(folder.path(), &["test", "fine.yaml", "bad.yaml", "github"]).await;
    assert_eq!(bad.code, Some(1));
    assert!(bad.out.contains("acme: FAILED"), "{}", bad.out);
    assert!(bad.out.ends_with("3 connectors, 1 of them not as described\n"), "{}", bad.out);
    let json = connectors(folder.path(), &["test", "bad.yaml", "--format", "json"]).await;
    assert_eq!((json.code, &json.json()["passed"]), (Some(1), &false.into()));
    let checks = json.json()["connectors"][0]["checks"].as_array().unwrap().clone();
    assert!(checks.iter().any(|check| check["passed"] == false && check["fault"].is_string()), "{checks:?}");

    let arguments = ["test", "zendesk", "--set", "subdomain=acme", "--format", "json"];
    assert_eq!(connectors(folder.path(), &arguments).await.json()["passed"], true);
    let wrong = connectors(folder.path(), &["test", "zendesk", "--set", "subdomain=evil.example/"]).await;
    assert_eq!(wrong.code, Some(1));
    assert!(!wrong.out.contains("evil"), "{}", wrong.out);
}

#[tokio::test]
async fn a_sample_reply_shows_how_it_is_read_and_no_secret() {
    let wrapped = format!("{FINE}  token_response:\n    access_token: /data/token\n    extra: {{shop: /data/shop}}\n");
    let good =
        r#"{"data": {"token": "canary-1234567", "shop": 17, "plan": "x"}, "token_type": "bearer", "expires_in": 60}"#;
    let bad = r#"{"error": "invalid_grant", "error_description": "canary"}"#;
    let bare = r#"{"result": {"token": "canary-1234567"}, "token_type": "bearer"}"#;
    let files = [("fine.yaml", FINE), ("wrapped.yaml", &wrapped), ("good", good), ("bad", bad), ("bare", bare)];
    let folder = folder(&files);
    let run = async |arguments: &[&str]| {
        let ended = connectors(folder.path(), &[&["test"], arguments].concat()).await;
        assert!(!ended.out.contains("canary") && !ended.err.contains("canary"), "{}{}", ended.out, ended.err);
        ended
    };

    let read = run(&["wrapped.yaml", "--reply", "good"]).await;
    assert_eq!(read.code, Some(0), "{}", read.err);
    insta::assert_snapshot!(read.out);
    let json = run(&["wrapped.yaml", "--reply", "good", "--format", "json"]).await.json();
    assert_eq!((&json["read"], &json["lifetime"], &json["extra"]["shop"]), (&true.into(), &60.into(), &17.into()));

    let refused = run(&["fine.yaml", "--reply", "bad", "--reply-to", "refresh", "--status", "400"]).await;
    assert_eq!(refused.code, Some(1));
    assert!(
        refused
            .out
            .starts_with("acme: no token: the provider no longer accepts the grant (status 400, `invalid_grant`)"),
        "{}",
        refused.out
    );
    assert!(refused.out.contains("has to be connected anew"), "{}", refused.out);

    let elsewhere = run(&["fine.yaml", "--reply", "bare"]).await;
    assert!(elsewhere.out.contains("auth.token_response.access_token: /result/token"), "{}", elsewhere.out);
    assert_eq!(run(&["fine.yaml", "wrapped.yaml", "--reply", "good"]).await.code, Some(1));
}
