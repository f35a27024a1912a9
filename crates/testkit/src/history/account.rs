//! One connection's books: which issued pairs were stored, by which line of the timeline, and which were not.

use super::{Connection, Event, History, Request};
use std::collections::BTreeMap;

/// An issued refresh with the line that accounts for it.
pub(super) struct Issued<'a> {
    pub(super) request: &'a Request,
    /// That it was stored, or that it came too late and was given back.
    pub(super) line: Option<&'a Event>,
}

impl Issued<'_> {
    /// Whether it became the connection's pair.
    pub(super) fn stored(&self) -> bool {
        self.line.is_some_and(is_commit)
    }
}

/// A connection with the requests that were made for it.
pub(super) struct Account<'a> {
    pub(super) connection: &'a Connection,
    /// Refresh requests in order of arrival.
    pub(super) requests: Vec<&'a Request>,
    /// The requests that brought the grants: code exchanges.
    pub(super) exchanges: Vec<&'a Request>,
    /// Those that the provider granted.
    pub(super) issued: Vec<Issued<'a>>,
    /// Lines of pairs that nobody issued.
    pub(super) unissued: Vec<&'a Event>,
}

/// A pair of a refresh was stored.
pub(super) fn is_commit(event: &Event) -> bool {
    ["refreshed", "recovered"].contains(&event.kind.as_str())
}

/// A grant was stored.
pub(super) fn is_grant(event: &Event) -> bool {
    ["connected", "imported", "reconnected"].contains(&event.kind.as_str())
}

impl<'a> Account<'a> {
    /// No two attempts at one connection are under way at once, so a line belongs to the newest request that was processed
    /// before it and has none yet.
    fn new(history: &'a History, connection: &'a Connection, by_family: &BTreeMap<u64, Vec<&'a Request>>) -> Self {
        let mut requests: Vec<&Request> =
            connection.families.iter().filter_map(|family| by_family.get(family)).flatten().copied().collect();
        requests.sort_by_key(|request| request.id);
        let ours = |request: &&Request| request.family.is_some_and(|family| connection.families.contains(&family));
        let exchanges =
            history.requests.iter().filter(|request| !request.is_refresh() && request.issued()).filter(ours).collect();
        let issued = requests.iter().filter(|request| request.issued());
        let mut issued: Vec<_> = issued.map(|request| Issued { request, line: None }).collect();
        let (mut unissued, mut first) = (Vec::new(), 0);
        for line in connection.events.iter().filter(|event| is_commit(event) || event.kind == "late_reply") {
            let before = |issued: &Issued<'_>| issued.request.effect_ms() <= line.at_ms;
            match issued.iter().enumerate().skip(first).take_while(|(_, issued)| before(issued)).last() {
                Some((at, _)) => {
                    issued[at].line = Some(line);
                    first = at + 1;
                }
                None => unissued.push(line),
            }
        }
        Self { connection, requests, exchanges, issued, unissued }
    }

    /// Of every connection.
    pub(super) fn all(history: &'a History) -> Vec<Self> {
        let by_family = history.refreshes();
        history.connections.iter().map(|connection| Self::new(history, connection, &by_family)).collect()
    }

    /// The request that brought this access token.
    pub(super) fn origin(&self, access_token: &str) -> Option<&'a Request> {
        let all = self.exchanges.iter().chain(&self.requests);
        all.copied().find(|request| request.new_access_token.as_deref() == Some(access_token))
    }

    /// The refresh token that the program should hold at the end, if that can be told.
    pub(super) fn held(&self) -> Option<&'a str> {
        let newest = self.connection.families.last();
        let of_newest = |request: &&&Request| request.family.as_ref() == newest;
        let mut stored = self.issued.iter().filter(|issued| issued.stored()).map(|issued| issued.request);
        let stored = stored.rfind(|request| request.family.as_ref() == newest);
        let begun = self.exchanges.iter().rfind(of_newest).and_then(|r| r.new_refresh_token.as_deref());
        let presented = || self.requests.iter().find(of_newest).and_then(|request| request.token.as_deref());
        match stored {
            // No new one means that the one that was presented stays.
            Some(request) => request.new_refresh_token.as_deref().or(request.token.as_deref()),
            None => begun.or_else(presented),
        }
    }
}
