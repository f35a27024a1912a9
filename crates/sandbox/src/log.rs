//! The log of requests to the protocol endpoints, in order of arrival, bounded.

use crate::class::RecoveryClass;
use crate::ledger::{FamilyId, TokenId};
use crate::shared::Stamp;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// An endpoint whose requests are logged and can be scripted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// RFC 6749 section 3.2.
    #[default]
    Token,
    /// RFC 7009.
    Revoke,
    /// RFC 7662.
    Introspect,
    /// Stands for the provider's API.
    Userinfo,
}

/// What happened to one request. Times ending in `_ms` are unix milliseconds, those ending in `_us` microseconds of the
/// sandbox's monotonic clock.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RequestRecord {
    /// Counts up from 1 and is never used again.
    pub id: u64,
    /// The provider that was asked.
    pub class: RecoveryClass,
    /// The endpoint that was asked.
    pub endpoint: Endpoint,
    /// `grant_type` of a token request.
    pub grant_type: Option<String>,
    /// Who asked, as far as the request says.
    pub client_id: Option<String>,
    /// The refresh token, access token or code that was presented.
    pub token: Option<TokenId>,
    /// The refresh token that the presented one had been issued for.
    pub parent: Option<TokenId>,
    /// The grant that it belongs to.
    pub family: Option<FamilyId>,
    /// Whether another request with the same refresh token was in flight when this one arrived.
    pub overlapped: bool,
    /// Those other requests.
    pub overlaps: Vec<u64>,
    /// Whether a refresh token was presented that was no longer good.
    pub reuse: bool,
    /// Whether a script or a mode changed what was done.
    pub scripted: bool,
    /// When the whole request had arrived.
    pub received_at_ms: i64,
    /// When it took effect; never if a script kept it from it.
    pub processed_at_ms: Option<i64>,
    /// When the last byte of an unbroken reply was handed to the connection.
    pub replied_at_ms: Option<i64>,
    /// The same on the monotonic clock.
    pub received_us: u64,
    /// The same on the monotonic clock.
    pub processed_us: Option<u64>,
    /// The same on the monotonic clock.
    pub replied_us: Option<u64>,
    /// When its client was seen to have closed the connection while the request waited.
    pub left_us: Option<u64>,
    /// When it ceased to be in flight: with the last byte of its reply, or when that was given up.
    pub closed_us: Option<u64>,
    /// The status of the reply.
    pub status: Option<u16>,
    /// How much of the reply's body was handed to the connection.
    pub bytes_delivered: u64,
    /// `in_progress`, `not_processed`, `issued`, `ok`, or an OAuth error code: what the provider decided, whatever the
    /// script made of the reply.
    pub outcome: &'static str,
    /// The access token that was issued.
    pub new_access_token: Option<TokenId>,
    /// The refresh token that was issued.
    pub new_refresh_token: Option<TokenId>,
}

impl RequestRecord {
    /// A request of which nothing is known yet but where it arrived, and when.
    pub(crate) fn arriving(class: RecoveryClass, endpoint: Endpoint, now: Stamp) -> Self {
        Self {
            id: 0,
            class,
            endpoint,
            grant_type: None,
            client_id: None,
            token: None,
            parent: None,
            family: None,
            overlapped: false,
            overlaps: Vec::new(),
            reuse: false,
            scripted: false,
            received_at_ms: now.ms,
            processed_at_ms: None,
            replied_at_ms: None,
            received_us: now.us,
            processed_us: None,
            replied_us: None,
            left_us: None,
            closed_us: None,
            status: None,
            bytes_delivered: 0,
            outcome: "in_progress",
            new_access_token: None,
            new_refresh_token: None,
        }
    }
}

/// The newest requests.
#[derive(Debug)]
pub struct RequestLog {
    records: VecDeque<RequestRecord>,
    capacity: usize,
    newest: u64,
    forgotten: u64,
}

impl RequestLog {
    /// An empty log that keeps `capacity` requests.
    pub fn new(capacity: usize) -> Self {
        Self { records: VecDeque::new(), capacity: capacity.max(1), newest: 0, forgotten: 0 }
    }

    /// Adds a request, whose `id` is set here and returned.
    pub fn push(&mut self, mut record: RequestRecord) -> u64 {
        if self.records.len() >= self.capacity {
            self.records.pop_front();
            self.forgotten += 1;
        }
        self.newest += 1;
        record.id = self.newest;
        self.records.push_back(record);
        self.newest
    }

    /// The request with this id, if it is still remembered.
    pub fn get_mut(&mut self, id: u64) -> Option<&mut RequestRecord> {
        let first = self.records.front()?.id;
        self.records.get_mut(usize::try_from(id.checked_sub(first)?).ok()?)
    }

    /// The request with this id, if it is still remembered.
    pub fn get(&self, id: u64) -> Option<&RequestRecord> {
        let first = self.records.front()?.id;
        self.records.get(usize::try_from(id.checked_sub(first)?).ok()?)
    }

    /// How many gave way to newer ones.
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// The requests after `id`, oldest first.
    pub fn after(&self, id: u64) -> impl Iterator<Item = &RequestRecord> {
        self.records.iter().skip(self.records.partition_point(|record| record.id <= id))
    }

    /// All remembered requests, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &RequestRecord> {
        self.records.iter().rev()
    }

    /// The id given last.
    pub const fn newest(&self) -> u64 {
        self.newest
    }

    /// Forgets the requests but not the count, so that ids stay unique.
    pub fn clear(&mut self) {
        self.records.clear();
        self.forgotten = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> RequestRecord {
        RequestRecord::arriving(RecoveryClass::N, Endpoint::Token, Stamp::default())
    }

    #[test]
    fn the_oldest_give_way_and_ids_go_on() {
        let mut log = RequestLog::new(2);
        let ids: Vec<u64> = (0..3).map(|_| log.push(record())).collect();
        assert_eq!(ids, [1, 2, 3]);
        assert!(log.get_mut(1).is_none() && log.get_mut(2).is_some_and(|r| r.id == 2));
        assert_eq!(log.after(2).map(|r| r.id).collect::<Vec<_>>(), [3]);
        log.clear();
        assert!(log.get_mut(3).is_none());
        assert_eq!(log.push(record()), 4);
    }
}
