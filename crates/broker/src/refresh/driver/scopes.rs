//! What a refresh says of the scopes, held against what was known before.

use mortise_domain::ScopeSet;
use mortise_store::Connection;
use serde_json::{Value, json};

/// What a connection lost and gained by being told of `scopes`, for its timeline. `None`: nothing changed.
pub(super) fn scope_change(row: &Connection, scopes: &ScopeSet) -> Option<Value> {
    let before = row.granted_scopes.as_ref().unwrap_or(&row.requested_scopes);
    let words = |set: ScopeSet| set.iter().map(str::to_owned).collect::<Vec<_>>();
    let (lost, gained) = (before.missing_from(scopes), scopes.missing_from(before));
    (before != scopes).then(|| json!({"lost": words(lost), "gained": words(gained)}))
}
