//! Issuing tokens for a family.

use super::{AccessRecord, FamilyId, Ledger, REMEMBERED, RefreshRecord, TokenId};
use mortise_domain::{AccessToken, Entropy, RefreshToken, ScopeSet, random_text};

/// How long the ledger still knows an access token or a code after its end, in milliseconds.
pub(super) const AFTERLIFE: i64 = 600_000;
const SWEEP_FROM: usize = 4096;

/// What to issue.
pub struct Mint {
    /// The refresh token that was exchanged, if one was.
    pub parent: Option<TokenId>,
    /// The access token that is to be given out again instead of a new one.
    pub repeat_access: Option<TokenId>,
    /// Whether a refresh token is issued too.
    pub with_refresh: bool,
    /// Whether the family's earlier access tokens end.
    pub ends_prior_access: bool,
    /// Of the access token, in milliseconds.
    pub lifetime: i64,
    /// Of the access token.
    pub scopes: ScopeSet,
    /// In unix milliseconds.
    pub now: i64,
}

/// What was issued.
pub struct Minted {
    /// `sbx_at_…`; nothing if one was to be repeated.
    pub access: Option<AccessToken>,
    /// Its id.
    pub access_id: TokenId,
    /// `sbx_rt_…`
    pub refresh: Option<RefreshToken>,
    /// Its id.
    pub refresh_id: Option<TokenId>,
}

impl Ledger {
    /// Issues an access token, and a refresh token where asked. `None`: there is no such family.
    pub fn mint(&mut self, family_id: FamilyId, order: Mint, entropy: &dyn Entropy) -> Option<Minted> {
        self.sweep_access(order.now);
        let family = self.families.get_mut(&family_id)?;
        family.generation += 1;
        let generation = family.generation;
        let fresh = order.repeat_access.is_none().then(|| draw("sbx_at_", entropy));
        let access_id = match &fresh {
            Some((_, id)) => {
                if order.ends_prior_access {
                    family.oldest_good_access = generation;
                }
                let record = AccessRecord {
                    family: family_id,
                    parent: order.parent,
                    generation,
                    issued_at: order.now,
                    expires_at: order.now.saturating_add(order.lifetime),
                    scopes: order.scopes,
                    revoked: false,
                };
                self.access.insert(*id, record);
                *id
            }
            None => order.repeat_access?,
        };
        family.newest_access = Some(access_id);
        let drawn = order.with_refresh.then(|| draw("sbx_rt_", entropy));
        if let Some((_, refresh_id)) = drawn {
            family.refresh_tokens.push_back(refresh_id);
            if family.refresh_tokens.len() > REMEMBERED
                && let Some(oldest) = family.refresh_tokens.pop_front()
            {
                self.refresh.remove(&oldest);
            }
            let record = RefreshRecord {
                family: family_id,
                parent: order.parent,
                generation,
                issued_at: order.now,
                spent_at: None,
                superseded: false,
            };
            self.refresh.insert(refresh_id, record);
        }
        let (refresh, refresh_id) = drawn.unzip();
        Some(Minted {
            access: fresh.map(|(text, _)| AccessToken::new(text)),
            access_id,
            refresh: refresh.map(RefreshToken::new),
            refresh_id,
        })
    }

    /// Forgets access tokens that ended long ago, whenever their number has doubled since the last time.
    fn sweep_access(&mut self, now: i64) {
        if self.access.len() >= self.sweep_at.max(SWEEP_FROM) {
            self.access.retain(|_, record| now < record.expires_at.saturating_add(AFTERLIFE));
            self.sweep_at = self.access.len() * 2;
        }
    }
}

/// A new random token with its id.
pub(super) fn draw(prefix: &str, entropy: &dyn Entropy) -> (String, TokenId) {
    let text = format!("{prefix}{}", random_text::<32, String>(entropy));
    let id = TokenId::of(&text);
    (text, id)
}
