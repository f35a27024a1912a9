//! The two grant types that present something: a code (RFC 6749 section 4.1.3) or a refresh token (section 6).

use super::issue::{issue, with_member};
use crate::class::RecoveryClass;
use crate::flight::Decision;
use crate::ledger::{CodeRefusal, RefreshRefusal, Refused, TokenId};
use crate::params::Params;
use crate::reply::OAuthError;
use crate::shared::Shared;
use crate::state::State;
use mortise_domain::ScopeSet;
use std::time::Duration;

/// Exchanges a code.
pub fn exchange_code(
    state: &mut State,
    shared: &Shared,
    class: RecoveryClass,
    client: &str,
    params: &Params,
) -> Result<Decision, OAuthError> {
    let code = params.get("code").map(TokenId::of).ok_or(OAuthError::invalid_request("`code` is missing"))?;
    let (redirect_uri, verifier) = (params.get("redirect_uri"), params.get("code_verifier"));
    let now = shared.now();
    let record = match state.ledger.redeem_code(code, class, client, redirect_uri, verifier, now) {
        Ok(record) => record,
        Err(refusal) => {
            let description = match refusal {
                CodeRefusal::Unknown => "the code is unknown",
                CodeRefusal::Reused => "the code was presented before; what came of it has been revoked",
                CodeRefusal::Expired => "the code has expired",
                CodeRefusal::RedirectUri => "`redirect_uri` is not that of the authorization request",
                CodeRefusal::Verifier => "`code_verifier` does not match the challenge",
            };
            let mut decision = Decision::from(OAuthError::invalid_grant(description));
            decision.changed = refusal != CodeRefusal::Unknown;
            return Ok(decision);
        }
    };
    let family = state.ledger.open(class, client, Some(&record.subject), record.scopes.clone(), now);
    state.ledger.bind_code(code, family);
    if let Some(most) = state.settings(class).max_live {
        state.ledger.evict(family, most as usize, now);
    }
    let with_refresh = state.settings(class).issue_refresh_token;
    issue(state, shared, class, family, None, with_refresh, record.scopes)
}

/// Exchanges a refresh token by the rules of its class.
pub fn refresh(
    state: &mut State,
    shared: &Shared,
    class: RecoveryClass,
    client: &str,
    params: &Params,
) -> Result<Decision, OAuthError> {
    let presented = params.get("refresh_token").ok_or(OAuthError::invalid_request("`refresh_token` is missing"))?;
    let token = TokenId::of(presented);
    let granted = state.ledger.family_of_refresh(token, class, client).map(|(_, family)| family.scopes.clone());
    let scopes = match (params.get("scope"), granted) {
        (Some(asked), Some(granted)) => {
            let asked = ScopeSet::parse(asked, " ");
            if !asked.missing_from(&granted).is_empty() {
                return Err(OAuthError::bad_request("invalid_scope", "`scope` asks for more than was granted"));
            }
            asked
        }
        (_, granted) => granted.unwrap_or_default(),
    };
    let rules = state.settings(class).rules();
    match state.ledger.redeem(token, class, client, &rules, shared.now()) {
        Ok(family) => {
            let mut decision = issue(state, shared, class, family, Some(token), class.rotates(), scopes)?;
            if !class.rotates() && state.settings(class).repeat_refresh_token {
                decision.reply = with_member(decision.reply, "refresh_token", presented);
            }
            Ok(decision)
        }
        Err(Refused { why, reuse }) => {
            let mut decision = Decision::from(refusal(why, class));
            decision.reuse = reuse;
            decision.changed = why != RefreshRefusal::Unknown;
            Ok(decision)
        }
    }
}

fn refusal(why: RefreshRefusal, class: RecoveryClass) -> OAuthError {
    OAuthError::invalid_grant(match why {
        RefreshRefusal::Unknown => "the refresh token is unknown",
        RefreshRefusal::Ended => "the grant has ended",
        RefreshRefusal::Expired => "the refresh token has expired",
        RefreshRefusal::Spent if class.reuse_ends_family() => {
            "the refresh token was used before, so the whole grant has been revoked"
        }
        RefreshRefusal::Spent => "the refresh token was used before",
        RefreshRefusal::Early => "the access token has not expired yet",
        RefreshRefusal::TooOften { wait } => {
            return OAuthError::too_often(
                "the grant was refreshed too often",
                Duration::from_millis(wait.unsigned_abs()),
            );
        }
    })
}
