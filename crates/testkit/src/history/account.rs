//! One connection's books: which issued pairs were stored, by which line of the timeline, and which were not.

use super::{Connection, Event, Fetch, History, Request};
use std::collections::BTreeMap;

/// The provider's log by grant, in order of arrival.
struct Requests<'a> {
    refreshes: BTreeMap<u64, Vec<&'a Request>>,
    /// Granted ones of other kinds.
    exchanges: BTreeMap<u64, Vec<&'a Request>>,
}

impl<'a> Requests<'a> {
    fn of(history: &'a History) -> Self {
        let mut all = Self { refreshes: BTreeMap::new(), exchanges: BTreeMap::new() };
        for request in &history.requests {
            let Some(family) = request.family else { continue };
            match request.is_refresh() {
                true => all.refreshes.entry(family).or_default().push(request),
                false if request.issued() => all.exchanges.entry(family).or_default().push(request),
                false => {}
            }
        }
        all
    }
}

/// From when until when each attempt was the newest, by its id.
fn attempts(connection: &Connection) -> BTreeMap<&str, (i64, i64)> {
    let begun = || connection.events.iter().filter(|event| event.kind == "refresh_started");
    let ends = begun().skip(1).map(|event| event.at_ms).chain([i64::MAX]);
    let spans = begun().zip(ends);
    spans.filter_map(|(event, end)| Some((event.detail["attempt"].as_str()?, (event.at_ms, end)))).collect()
}

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
    /// Answers to callers.
    pub(super) fetches: Vec<&'a Fetch>,
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
    fn new(connection: &'a Connection, requests: &Requests<'a>, fetches: Vec<&'a Fetch>, skew_ms: i64) -> Self {
        let of = |by_family: &BTreeMap<u64, Vec<&'a Request>>| {
            let ours = connection.families.iter().filter_map(|family| by_family.get(family)).flatten();
            let mut ours: Vec<&Request> = ours.copied().collect();
            ours.sort_by_key(|request| request.id);
            ours
        };
        let (refreshes, exchanges) = (of(&requests.refreshes), of(&requests.exchanges));
        let issued = refreshes.iter().filter(|request| request.issued());
        let issued = issued.map(|request| Issued { request, line: None }).collect();
        let mut account = Self { connection, requests: refreshes, exchanges, issued, unissued: Vec::new(), fetches };
        account.assign(&attempts(connection), skew_ms);
        account
    }

    /// Finds the request that each line stands for. No two attempts at one connection are under way at once, so it is the
    /// newest that arrived between the line's attempt and the next one, whatever the line's own time. Where the timeline
    /// does not tell the attempt, it is the newest one before the line.
    fn assign(&mut self, attempts: &BTreeMap<&str, (i64, i64)>, skew_ms: i64) {
        let mut first = 0;
        for line in self.connection.events.iter().filter(|event| is_commit(event) || event.kind == "late_reply") {
            let attempt = line.detail["attempt"].as_str().and_then(|attempt| attempts.get(attempt));
            let during = |request: &Request| {
                attempt.is_some_and(|(from, to)| (from - skew_ms..*to).contains(&request.received_at_ms))
            };
            let free = |at: &usize| self.issued.get(*at).is_some_and(|issued| issued.line.is_none());
            let all = || (0..self.issued.len()).filter(free);
            let own = || all().filter(|at| during(self.issued[*at].request));
            let before = |at: &usize| self.issued[*at].request.effect_ms() <= line.at_ms;
            let newest = own().rfind(before).or_else(|| own().next());
            match newest.or_else(|| all().filter(|at| *at >= first).rfind(before)) {
                Some(at) => {
                    self.issued[at].line = Some(line);
                    first = first.max(at + 1);
                }
                None => self.unissued.push(line),
            }
        }
    }

    /// Of every connection.
    pub(super) fn all(history: &'a History) -> Vec<Self> {
        let requests = Requests::of(history);
        let mut fetches: BTreeMap<&str, Vec<&Fetch>> = BTreeMap::new();
        for fetch in &history.fetches {
            fetches.entry(&fetch.connection).or_default().push(fetch);
        }
        let account = |connection: &'a Connection| {
            let fetches = fetches.remove(connection.id.as_str()).unwrap_or_default();
            Self::new(connection, &requests, fetches, history.skew_ms)
        };
        history.connections.iter().map(account).collect()
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
