//! The ledger: who was granted what, which tokens came of it, and what became of them.
//!
//! Invariant: a token is kept as its [`TokenId`] only. Whether it is good is computed when asked, from its history, its
//! family's fate and the time, and never stored. Deliberately absent: HTTP, locks, and any reading of the time.

mod codes;
mod id;
mod mint;
mod records;
#[cfg(test)]
mod tests;

pub use codes::{CodeRecord, CodeRefusal};
pub use id::{FamilyId, TokenId};
pub use mint::{Mint, Minted};
pub use records::{AccessRecord, Ended, Family, RefreshRecord};

use crate::class::RecoveryClass;
use mortise_domain::ScopeSet;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, VecDeque};

/// How many refresh tokens of a family are remembered; an older one is answered like an unknown one.
const REMEMBERED: usize = 1000;

/// Why a refresh token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshRefusal {
    /// Never issued here, long forgotten, or issued to another client or by another class.
    Unknown,
    /// Its family has ended.
    Ended,
    /// It is no longer good; in class F this presentation ended the family.
    Spent,
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
            generation: 0,
            oldest_good_access: 0,
            reuse_events: 0,
            overlaps: 0,
            refresh_tokens: VecDeque::new(),
        };
        self.families.insert(id, family);
        id
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

    /// Presents a refresh token for exchange and applies the rules of its class. `grace` in milliseconds.
    pub fn redeem(
        &mut self,
        id: TokenId,
        class: RecoveryClass,
        client_id: &str,
        grace: i64,
        now: i64,
    ) -> Result<FamilyId, RefreshRefusal> {
        let (family_id, _) = self.family_of_refresh(id, class, client_id).ok_or(RefreshRefusal::Unknown)?;
        let record = self.refresh.get_mut(&id).ok_or(RefreshRefusal::Unknown)?;
        let family = self.families.get_mut(&family_id).ok_or(RefreshRefusal::Unknown)?;
        let good = class.accepts(record.history(), grace, now);
        if !good {
            family.reuse_events += 1;
        }
        if family.ended.is_some() {
            return Err(RefreshRefusal::Ended);
        }
        if !good {
            if class.reuse_ends_family() {
                family.ended = Some(Ended::RefreshTokenReused);
            }
            return Err(RefreshRefusal::Spent);
        }
        if class.rotates() {
            record.spent_at.get_or_insert(now);
        }
        let parent = record.parent;
        self.supersede(class, parent);
        Ok(family_id)
    }

    /// Uses an access token as an API would: `None` if it is not good.
    pub fn use_access(&mut self, id: TokenId, class: RecoveryClass, now: i64) -> Option<(&Family, &AccessRecord)> {
        let record = self.access.get(&id).filter(|record| self.access_is_good(record, now))?;
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
    pub fn end(&mut self, family: FamilyId, why: Ended) -> bool {
        match self.families.get_mut(&family) {
            Some(family) if family.ended.is_none() => {
                family.ended = Some(why);
                true
            }
            _ => false,
        }
    }

    /// Whether a refresh token would be accepted at `now`; `grace` in milliseconds.
    pub fn refresh_is_good(&self, record: &RefreshRecord, grace: i64, now: i64) -> bool {
        self.families
            .get(&record.family)
            .is_some_and(|family| family.ended.is_none() && family.class.accepts(record.history(), grace, now))
    }

    /// Whether an access token would be accepted at `now`.
    pub fn access_is_good(&self, record: &AccessRecord, now: i64) -> bool {
        self.families.get(&record.family).is_some_and(|family| {
            family.ended.is_none()
                && !record.revoked
                && now < record.expires_at
                && record.generation >= family.oldest_good_access
        })
    }
}
