//! Accounts at providers: whose grant it is, and how many there are of one where only so many are kept (`max_live`).
//!
//! An account is known where the manifest lifts a field called [`ACCOUNT`]; where it does not, nothing is compared or
//! counted, because every guess would be wrong for most. Invariant: counting warns people, and no grant is refused or ended
//! for it; only a repair that brings another account is.

use crate::loaded::LoadedApp;
use crate::sealing::Place;
use crate::timeline::line;
use crate::{Broker, Error, Result};
use mortise_domain::{ConnectionId, EventKind, Timestamp};
use mortise_store::Connection;
use mortise_vault::sha256;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The lifted field that says whose grant it is, in `token_response.extra`.
const ACCOUNT: &str = "account";

impl Broker {
    /// Whether a grant is for another account than the one whose place it takes. A stored token that does not open tells
    /// nothing: it may be what is to be repaired.
    pub(crate) async fn is_of_other_account(
        &self,
        app: &LoadedApp,
        before: &Connection,
        extra: &BTreeMap<String, Value>,
    ) -> Result<bool> {
        let Some((account, sealed)) = account_of(app, extra).zip(before.access.as_ref()) else { return Ok(false) };
        let place = Place { environment: before.environment, connection: before.id, generation: before.generation };
        match self.secrets.open_access(place, sealed).await {
            Ok(access) => Ok(account_of(app, &access.extra).is_some_and(|known| known != account)),
            Err(error @ Error::Unavailable(_)) => Err(error),
            Err(_) => Ok(false),
        }
    }

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
