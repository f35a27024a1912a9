//! What has to fail: manifests that contradict themselves, and providers that are not as described.

use crate::{faults, stage};
use mortise_connectors::{Manifest, Values, parse};
use mortise_contract::{Step, live, live_against};
use serde_json::{Value, json};

/// A provider with words of its own, and `more` of them.
fn manifest(token_response: &str) -> Manifest {
    let text = format!(
        "id: acme\nname: Acme\nauth:\n  type: oauth2\n  grant: authorization_code\n  \
         authorization_url: https://{{shop}}.acme.example/authorize?fixed=1\n  token_url: https://acme.example/token\n  \
         revocation_url: https://acme.example/revoke\n  identity: {{url: 'https://acme.example/me', fields: {{account: /0/id}}}}\n  \
         recovery_class: S\n  scope_separator: ','\n  token_response: {{{token_response}}}\nvariables:\n  \
         shop: {{type: host_label, title: Shop}}\n"
    );
    parse(&text).unwrap_or_else(|found| panic!("{found:#?}"))
}

const NESTED: &str =
    "access_token: /data/token, ok: /ok, error: /data/code, extra: {team: /team/id}, strip_prefix: '&&'";

#[tokio::test]
async fn a_manifest_of_its_own_words_lives() {
    let stage = stage();
    for words in ["", NESTED, "expires_at: /until, token_type_optional: true", "expires_in_unit: milliseconds"] {
        let report = live(&manifest(words), &Values::new(), &stage).await;
        assert_eq!(faults(&report), Vec::<String>::new(), "{words}");
        assert!(report.passed() && report.checks.len() > 20, "{words}: {:?}", report.checks);
    }
    stage.close().await;
}

#[tokio::test]
async fn a_manifest_that_contradicts_itself_fails() {
    let stage = stage();
    for words in [
        "scope: /access_token",
        "ok: /access_token",
        "error: /access_token",
        "refresh_expires_in: /expires_in",
        "token_type: /scope",
        "refresh_token: /access_token/refresh",
    ] {
        let report = live(&manifest(words), &Values::new(), &stage).await;
        assert!(!report.passed(), "{words}: {:?}", report.checks);
    }
    stage.close().await;
}

#[tokio::test]
async fn a_provider_that_is_not_as_described_fails() {
    type Change = fn(&mut Value);
    let table: [(&str, Change, Step); 8] = [
        ("another place for the token", |r| r["token"] = r["data"].take(), Step::Connect),
        ("no lifetime", |r| r["expires_in"] = Value::Null, Step::Connect),
        ("a lifetime in milliseconds", |r| r["expires_in"] = json!(3_600_000), Step::Connect),
        ("another separator", |r| r["scope"] = json!("one.read|two:write"), Step::Connect),
        ("a type that is not spoken", |r| r["token_type"] = json!("mac"), Step::Connect),
        ("a code beside the token", |r| r["data"]["code"] = json!("failed"), Step::Connect),
        ("no word of success", |r| r["ok"] = Value::Null, Step::Connect),
        ("a field that is not there", |r| r["team"] = Value::Null, Step::Connect),
    ];
    let (stage, manifest) = (stage(), manifest(NESTED));
    for (what, change, step) in table {
        let report = live_against(&manifest, &Values::new(), &stage, |played| {
            played.spoil(move |reply| {
                // Identities are lists here.
                if reply.is_object() {
                    change(reply);
                }
            });
        })
        .await;
        let found: Vec<_> = report.faults().map(|check| check.step).collect();
        assert!(found.contains(&step), "{what}: {:?}", report.checks);
    }
    let nobody = |reply: &mut Value| {
        if reply.is_array() {
            *reply = json!([]);
        }
    };
    let report = live_against(&manifest, &Values::new(), &stage, |played| played.spoil(nobody)).await;
    assert_eq!(report.faults().count(), 1, "{:?}", report.checks);
    stage.close().await;
}

#[tokio::test]
async fn no_secret_is_in_a_report() {
    let (stage, manifest) = (stage(), manifest("ok: /access_token"));
    let report = live(&manifest, &Values::new(), &stage).await;
    stage.close().await;
    let text = serde_json::to_string(&report).unwrap();
    for secret in ["s3cret", "played_", "dBjftJ"] {
        assert!(!text.contains(secret), "{text}");
    }
}
