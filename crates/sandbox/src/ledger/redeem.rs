//! Presenting a refresh token: what its class and the limits of its provider make of it.

use super::{Ended, FamilyId, Ledger, Rules, TokenId};
use crate::class::RecoveryClass;

/// Why a refresh token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshRefusal {
    /// Never issued here, long forgotten, or issued to another client or by another class.
    Unknown,
    /// Its family has ended.
    Ended,
    /// Its family was not used for too long, or is too old.
    Expired,
    /// It is no longer good; in class F this presentation ended the family.
    Spent,
    /// The access token lives for too long still. Nothing was spent.
    Early,
    /// The family was refreshed too often. Nothing was spent.
    TooOften {
        /// Milliseconds until it may be refreshed again.
        wait: i64,
    },
}

/// A refusal, and whether it was a reuse: whether the token itself was no longer good, ended family or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    pub why: RefreshRefusal,
    pub reuse: bool,
}

impl From<RefreshRefusal> for Refused {
    fn from(why: RefreshRefusal) -> Self {
        Self { why, reuse: false }
    }
}

impl Ledger {
    /// Presents a refresh token for exchange and applies the rules of its class.
    pub fn redeem(
        &mut self,
        id: TokenId,
        class: RecoveryClass,
        client_id: &str,
        rules: &Rules,
        now: i64,
    ) -> Result<FamilyId, Refused> {
        let (family_id, family) = self.family_of_refresh(id, class, client_id).ok_or(RefreshRefusal::Unknown)?;
        let record = self.refresh.get(&id).ok_or(RefreshRefusal::Unknown)?;
        let reuse = !class.accepts(record.history(), rules.grace, now);
        let refusal = if family.ended.is_some() {
            Some(RefreshRefusal::Ended)
        } else if rules.refresh_end(family).is_some_and(|end| now >= end) {
            Some(RefreshRefusal::Expired)
        } else if reuse {
            Some(RefreshRefusal::Spent)
        } else if !self.in_window(family.newest_access, rules.refresh_window, now) {
            Some(RefreshRefusal::Early)
        } else {
            rules.throttle(family, now).map(|wait| RefreshRefusal::TooOften { wait })
        };
        let parent = record.parent;
        if reuse {
            self.note_reuse(family_id, refusal, rules, now);
        }
        if let Some(why) = refusal {
            return Err(Refused { why, reuse });
        }
        if let Some(record) = self.refresh.get_mut(&id).filter(|_| class.rotates()) {
            record.spent_at.get_or_insert(now);
        }
        if let Some(family) = self.families.get_mut(&family_id) {
            family.last_used_at = now;
            if let Some((requests, _)) = rules.mint_rate {
                family.refreshed_at.push_back(now);
                let surplus = family.refreshed_at.len().saturating_sub(requests);
                family.refreshed_at.drain(..surplus);
            }
        }
        self.supersede(class, parent);
        Ok(family_id)
    }

    fn note_reuse(&mut self, id: FamilyId, refusal: Option<RefreshRefusal>, rules: &Rules, now: i64) {
        let Some(family) = self.families.get_mut(&id) else {
            return;
        };
        family.reuse_events += 1;
        if refusal != Some(RefreshRefusal::Spent) {
            return;
        }
        let (class, client) = (family.class, family.client_id.clone());
        if class.reuse_ends_family() {
            self.end(id, Ended::RefreshTokenReused, now);
        }
        if rules.reuse_penalty {
            let punished = self.families.iter().filter(|(_, other)| other.class == class && other.client_id == client);
            let mut punished: Vec<FamilyId> = punished.map(|(other, _)| *other).collect();
            punished.sort_unstable();
            for other in punished {
                self.end(other, Ended::Penalty, now);
            }
        }
    }
}
