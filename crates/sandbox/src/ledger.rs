//! The ledger: who was granted what, which tokens came of it, and what became of them.
//!
//! Invariant: a token is kept as its [`TokenId`] only. Whether it is good is computed when asked, from its history, its
//! family's fate and the time, and never stored. Deliberately absent: HTTP, locks, and any reading of the time.

mod codes;
mod id;
mod mint;
mod records;
mod redeem;
mod rules;
#[cfg(test)]
mod tests;

pub use codes::{CodeRecord, CodeRefusal};
pub use id::{FamilyId, TokenId};
pub use mint::Mint;
pub use records::{AccessRecord, Ended, Family, RefreshRecord};
pub use redeem::{RefreshRefusal, Refused};
pub use rules::Rules;

use crate::class::RecoveryClass;
use mortise_domain::ScopeSet;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, VecDeque};

/// How many refresh tokens of a family are remembered; an older one is answered like an unknown one.
const REMEMBERED: usize = 1000;

/// What became of a family: begun, or ended for this reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    pub family: FamilyId,
    pub ended: Option<Ended>,
}

/// All grants and tokens.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Ledger {
    pub(crate) families: HashMap<FamilyId, Family>,
    pub(crate) refresh: HashMap<TokenId, RefreshRecord>,
    pub(crate) access: HashMap<TokenId, AccessRecord>,
    codes: HashMap<TokenId, CodeRecord>,
    /// The families of clients that act for themselves.
    services: BTreeMap<RecoveryClass, HashMap<String, FamilyId>>,
    newest_family: u64,
    /// What happened to families since somebody last took this.
    #[serde(skip)]
    pub(crate) changes: Vec<Change>,
    #[serde(skip)]
    sweep_at: usize,
}

impl Ledger {
    /// Begins a family that has no tokens yet.
    pub fn open(
        &mut self,
        class: RecoveryClass,
        client_id: &str,
        subject: Option<&str>,
        scopes: ScopeSet,
        now: i64,
    ) -> FamilyId {
        self.newest_family += 1;
        let id = FamilyId(self.newest_family);
        let family = Family {
            class,
            client_id: client_id.to_owned(),
            subject: subject.map(str::to_owned),
            scopes,
            created_at: now,
            ended: None,
            ended_at: None,
            last_used_at: 0,
            refreshed_at: VecDeque::new(),
            newest_access: None,
            generation: 0,
            oldest_good_access: 0,
            reuse_events: 0,
            overlaps: 0,
            refresh_tokens: VecDeque::new(),
        };
        self.families.insert(id, family);
        self.changes.push(Change { family: id, ended: None });
        id
    }

    /// Ends the oldest live families of an account until no more than `most` are left.
    pub fn evict(&mut self, newest: FamilyId, most: usize, now: i64) {
        let Some(newest) = self.families.get(&newest) else {
            return;
        };
        let same = |family: &Family| {
            (family.class, &family.client_id, &family.subject) == (newest.class, &newest.client_id, &newest.subject)
        };
        let live = self.families.iter().filter(|(_, family)| family.ended.is_none() && same(family));
        let mut live: Vec<FamilyId> = live.map(|(id, _)| *id).collect();
        live.sort_unstable();
        let surplus = live.len().saturating_sub(most.max(1));
        for id in live.into_iter().take(surplus) {
            self.end(id, Ended::Evicted, now);
        }
    }

    /// How many families were ever begun.
    pub const fn families_opened(&self) -> u64 {
        self.newest_family
    }

    /// The family of what a client is granted for itself (RFC 6749 section 4.4): one each, until it ends.
    pub fn open_service(&mut self, class: RecoveryClass, client_id: &str, now: i64) -> FamilyId {
        let known = self.services.get(&class).and_then(|clients| clients.get(client_id)).copied();
        if let Some(id) = known.filter(|id| self.families.get(id).is_some_and(|family| family.ended.is_none())) {
            return id;
        }
        let id = self.open(class, client_id, None, ScopeSet::default(), now);
        self.services.entry(class).or_default().insert(client_id.to_owned(), id);
        id
    }

    /// The family of a refresh token that `client_id` may use at `class`.
    pub fn family_of_refresh(&self, id: TokenId, class: RecoveryClass, client_id: &str) -> Option<(FamilyId, &Family)> {
        let family_id = self.refresh.get(&id)?.family;
        let family = self.families.get(&family_id)?;
        (family.class == class && family.client_id == client_id).then_some((family_id, family))
    }

    /// Uses an access token as an API would: `None` if it is not good.
    pub fn use_access(
        &mut self,
        id: TokenId,
        class: RecoveryClass,
        rules: &Rules,
        now: i64,
    ) -> Option<(&Family, &AccessRecord)> {
        let record = self.access.get(&id).filter(|record| self.access_is_good(record, rules, now))?;
        let (family, parent) = (record.family, record.parent);
        if self.families.get(&family)?.class != class {
            return None;
        }
        self.supersede(class, parent);
        self.families.get(&family).zip(self.access.get(&id))
    }

    fn supersede(&mut self, class: RecoveryClass, parent: Option<TokenId>) {
        if let Some(parent) = parent.filter(|_| class.use_supersedes_parent())
            && let Some(record) = self.refresh.get_mut(&parent)
        {
            record.superseded = true;
        }
    }

    /// Makes every token of a family bad. The first reason stays; `false` if there is no such family or it had ended.
    pub fn end(&mut self, id: FamilyId, why: Ended, now: i64) -> bool {
        match self.families.get_mut(&id) {
            Some(family) if family.ended.is_none() => {
                (family.ended, family.ended_at) = (Some(why), Some(now));
                self.changes.push(Change { family: id, ended: Some(why) });
                true
            }
            _ => false,
        }
    }

    /// Whether a refresh token would be accepted at `now`, as soon as the refresh window and the rate allow it.
    pub fn refresh_is_good(&self, record: &RefreshRecord, rules: &Rules, now: i64) -> bool {
        self.families.get(&record.family).is_some_and(|family| {
            family.ended.is_none()
                && rules.refresh_end(family).is_none_or(|end| now < end)
                && family.class.accepts(record.history(), rules.grace, now)
        })
    }

    /// Whether an access token would be accepted at `now`.
    pub fn access_is_good(&self, record: &AccessRecord, rules: &Rules, now: i64) -> bool {
        self.families.get(&record.family).is_some_and(|family| {
            family.ended.is_none()
                && !record.revoked
                && now < record.expires_at
                && rules.absolute_end(family).is_none_or(|end| now < end)
                && record.generation >= family.oldest_good_access
        })
    }
}
