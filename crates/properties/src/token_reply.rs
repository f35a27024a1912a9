//! Token replies: whatever a provider answers, there is a grant that can be kept and handed out, or a failure.

use mortise_connectors::{Manifest, Values, parse};
use mortise_domain::{ClientSecret, RefreshToken, TokenGrant};
use mortise_oauth::testing::ScriptedTransport;
use mortise_oauth::{ClientRegistration, Failure, Provider, Reply, refresh, request_token};
use std::sync::LazyLock;
use std::time::Duration;

const SECRET: &str = "canary-client-secret-7f3a";
const TOKEN: &str = "canary-refresh-token-7f3a";
const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);
const KINDS: [Option<&str>; 5] =
    [Some("application/json"), Some("application/x-www-form-urlencoded"), Some("text/plain"), Some("text/html"), None];
const STATUSES: [u16; 6] = [200, 201, 400, 401, 429, 500];

/// How differently a reply may be read: plainly, from everywhere else, and behind a prefix.
static READERS: LazyLock<[Manifest; 3]> = LazyLock::new(|| {
    let of = |more: &str| {
        let text = format!(
            "id: acme\nname: Acme\nauth:\n  type: oauth2\n  grant: client_credentials\n  token_url: https://acme.example/t\n{more}"
        );
        parse(&text).expect("a manifest")
    };
    [
        of(""),
        of(
            "  default_lifetime: 900\n  token_response:\n    access_token: /data/0/token\n    refresh_token: /data/0/next\n    \
            token_type_optional: true\n    ok: /ok\n    error: /errors/0/code\n    error_detail: /errors/0/detail\n    \
            expires_at: /data/0/end\n    expires_in_unit: milliseconds\n    extra: {shop: /data/0/shop}\n",
        ),
        of("  token_response: {alternate: /user, strip_prefix: '&&&START&&&', token_type_optional: true}\n"),
    ]
});

/// The first byte chooses the manifest, the status and the content type; the rest is the body.
pub fn token_reply(bytes: &[u8]) {
    let (choice, body) = bytes.split_first().map_or((0, bytes), |(choice, body)| (usize::from(*choice), body));
    let reader = &READERS[choice % READERS.len()];
    let reply = Reply::new(STATUSES[choice % STATUSES.len()], KINDS[choice / 7 % KINDS.len()], body.to_vec());
    match outcome(reader, reply) {
        Ok(grant) => assert_keepable(&grant),
        Err(failure) => {
            let told = format!("{failure:?}");
            assert!(!told.contains(SECRET) && !told.contains(TOKEN), "a secret came back: {told}");
        }
    }
}

fn outcome(manifest: &Manifest, reply: Reply) -> Result<TokenGrant, Failure> {
    let (values, secret) = (Values::new(), ClientSecret::new(SECRET));
    let client = ClientRegistration {
        client_id: "client",
        secret: Some(&secret),
        redirect_uri: "https://broker.example/cb",
        signer: None,
        dpop_key: None,
    };
    let provider = Provider { manifest, values: &values };
    let request = refresh(&provider, &client, &RefreshToken::new(TOKEN)).expect("a request");
    let transport = ScriptedTransport::new();
    transport.reply(reply);
    // Nothing here waits for anything.
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(request_token(&transport, request, manifest))
}

fn assert_keepable(grant: &TokenGrant) {
    let printable = |text: &str| !text.is_empty() && text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    assert!(printable(grant.access_token.expose()), "an access token that no header carries");
    assert!(grant.refresh_token.as_ref().is_none_or(|token| printable(token.expose())), "a broken refresh token");
    assert!(
        grant.lifetime.is_none_or(|life| (Duration::from_secs(1)..=LONGEST).contains(&life)),
        "{:?}",
        grant.lifetime
    );
    let scopes = grant.granted_scopes.iter().flat_map(|scopes| scopes.iter());
    assert!(
        scopes.into_iter().all(|scope| !scope.is_empty() && !scope.chars().any(char::is_control)),
        "a broken scope"
    );
}
