//! Accounts at providers that keep only so many grants of one and drop the oldest for a newer one (`max_live`).
//!
//! An account is known where the manifest lifts a field called [`ACCOUNT`] from the token reply; where it does not, nothing
//! is counted and nobody is warned, because every guess would be wrong for most. Invariant: what is told here is told to
//! people: no grant is refused or ended for it.

use crate::loaded::LoadedApp;
use crate::timeline::line;
use crate::{Broker, Result};
use mortise_domain::{ConnectionId, EventKind, Timestamp};
use mortise_vault::sha256;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The lifted field that says whose grant it is, in `token_response.extra`.
const ACCOUNT: &str = "account";

impl Broker {
    /// Remembers whose grant was stored just now, and warns on the timeline of the one that the next grant will push out.
    pub(crate) async fn note_account(
        &self,
        app: &LoadedApp,
        connection: ConnectionId,
        extra: &BTreeMap<String, Value>,
        granted_at: Timestamp,
    ) {
        let max_live = app.manifest.oauth2().and_then(|auth| auth.max_live);
        let Some((max_live, account)) = max_live.zip(account_of(app, extra)) else { return };
        if let Err(error) = self.count_account(app, connection, max_live, account, granted_at).await {
            tracing::warn!(%connection, error = ?error, "the grants of an account could not be counted");
        }
    }

    async fn count_account(
        &self,
        app: &LoadedApp,
        connection: ConnectionId,
        max_live: u32,
        account: [u8; 32],
        granted_at: Timestamp,
    ) -> Result<()> {
        let key = app.app.key;
        self.store.account_note(connection, key, account, granted_at).await?;
        let grants = self.store.account_grants(key, account).await?;
        let most = usize::try_from(max_live).unwrap_or(usize::MAX);
        let next_out = grants.len().checked_sub(most).and_then(|index| grants.get(index));
        let Some((oldest, _)) = next_out.filter(|(oldest, _)| *oldest != connection) else { return Ok(()) };
        tracing::warn!(connection = %oldest, app = %app.app.id, max_live, "an account has as many grants as its provider keeps");
        metrics::counter!("mortise_accounts_full_total").increment(1);
        let detail = json!({"max_live": max_live, "grants": grants.len(), "newest": connection});
        let event = line(&*self.clock, &*self.entropy, EventKind::AccountFull, detail);
        self.store.event_append(*oldest, &event).await?;
        Ok(())
    }
}

/// Digested with the app's key, so that nobody compares accounts across apps.
fn account_of(app: &LoadedApp, extra: &BTreeMap<String, Value>) -> Option<[u8; 32]> {
    let account = match extra.get(ACCOUNT)? {
        Value::String(text) if !text.is_empty() => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(sha256(format!("{} {account}", app.app.key.as_uuid())))
}
