//! Refresh tokens are used in the order in which they were issued.

use super::{Evidence, Rule, Violation};
use crate::trace::What;
use mortise_sandbox::{RecoveryClass, TokenId};
use std::collections::BTreeMap;

/// Outside classes N and M: once a token was presented, none from which it descends is.
pub fn judge(evidence: &Evidence) -> Vec<Violation> {
    let mut depths: BTreeMap<TokenId, u64> = BTreeMap::new();
    for line in &evidence.lines {
        if let What::Consented { refresh, .. } = line.what {
            depths.insert(refresh, 1);
        }
    }
    let (mut deepest, mut found): (BTreeMap<u64, u64>, Vec<Violation>) = (BTreeMap::new(), Vec::new());
    for request in &evidence.history.requests {
        let (Some(token), Some(grant)) = (request.token, request.family) else { continue };
        let Some(depth) = depths.get(&token).copied() else { continue };
        if let Some(new) = request.new_refresh_token {
            depths.insert(new, depth + 1);
        }
        let before = deepest.entry(grant.0).or_default();
        if depth < *before && !matches!(request.class, RecoveryClass::N | RecoveryClass::M) {
            let what = format!("request {} presents {token}, of generation {depth} after {before}", request.id);
            found.push(Violation { rule: Rule::Order, what });
        }
        *before = depth.max(*before);
    }
    found
}
