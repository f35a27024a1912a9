//! What new tokens mean: how long they are good, and when the next are asked for.

use super::{At, Attempt, Credential, Plan, Rules, Standing};
use mortise_connectors::RecoveryClass;
use mortise_domain::{Deadlines, Timestamp, keep_alive, smear_import};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Tokens that live shorter are asked for when somebody needs one: renewing them ahead would be one long loop.
const SHORTEST_RENEWED: Duration = Duration::from_secs(15);
/// A provider that answers with the token that it gave before is asked again this much later at the earliest.
const UNCHANGED_PAUSE: Duration = Duration::from_secs(30);
/// A connection that nobody has fetched from for so long is only kept alive, where a rotation can be lost.
const DORMANT_AFTER: Duration = Duration::from_secs(24 * 3600);
/// How long a refresh token may lie unused where the manifest does not say: shorter than any known limit.
const ASSUMED_IDLE_LIMIT: Duration = Duration::from_secs(6 * 24 * 3600);

/// The provider's tokens, as far as decisions depend on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Granted {
    /// The database's time when they were asked for: lives count from there, so that they end early rather than late.
    pub asked_at: Timestamp,
    /// How long the access token lives.
    pub lifetime: Option<Duration>,
    /// When the grant ends for good, by the manifest and this reply.
    pub deadlines: Deadlines,
    /// There is a new refresh token.
    pub rotated: bool,
    /// The access token is the one in store.
    pub unchanged: bool,
    /// What the connection's other tokens come to, where it has several.
    pub others: Others,
}

/// The first that happens to the other tokens of a connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Others {
    /// One of them ends.
    pub expires_at: Option<Timestamp>,
    /// One of them is to be renewed.
    pub next_refresh_at: Option<Timestamp>,
    /// One of them can no longer be renewed.
    pub refresh_idle_at: Option<Timestamp>,
}

impl Others {
    /// With another token among them.
    pub fn and(self, times: &Times) -> Self {
        Self {
            expires_at: sooner(self.expires_at, times.expires_at),
            next_refresh_at: sooner(self.next_refresh_at, times.next_refresh_at),
            refresh_idle_at: sooner(self.refresh_idle_at, times.refresh_idle_at),
        }
    }
}

/// What one token of several comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// When it was asked for.
    #[serde(rename = "a", with = "chrono::serde::ts_milliseconds")]
    pub asked_at: Timestamp,
    /// When it ends.
    #[serde(
        rename = "e",
        with = "chrono::serde::ts_milliseconds_option",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub expires_at: Option<Timestamp>,
    /// When it is to be renewed; `None`: when somebody needs it.
    #[serde(
        rename = "d",
        with = "chrono::serde::ts_milliseconds_option",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub next_refresh_at: Option<Timestamp>,
    /// When its refresh token ends unless it is used before.
    #[serde(
        rename = "i",
        with = "chrono::serde::ts_milliseconds_option",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub refresh_idle_at: Option<Timestamp>,
}

impl Times {
    /// When its turn comes; `None`: whenever the others' do not.
    pub fn turn(&self) -> Option<Timestamp> {
        sooner(self.next_refresh_at, self.expires_at)
    }
}

fn sooner(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    [one, other].into_iter().flatten().min()
}

/// What is stored beside the tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// When the access token was asked for.
    pub refreshed_at: Timestamp,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// When the next refresh is due; `None`: when somebody needs it.
    pub next_refresh_at: Option<Timestamp>,
    /// When the grant ends for good.
    pub deadlines: Deadlines,
    /// The refresh token that was spent is kept beside the new one.
    pub keeps_previous: bool,
    /// Why then, for the timeline.
    pub why: &'static str,
    /// The same of the token that was renewed alone, where the connection has others.
    pub own: Times,
}

impl Pair {
    /// Whichever token comes first decides for the connection.
    fn beside(self, others: Others, now: Timestamp) -> Self {
        let Others { expires_at, next_refresh_at, refresh_idle_at } = others;
        let others_turn = next_refresh_at.map(|at| at.max(now));
        let theirs = others_turn.filter(|at| self.next_refresh_at.is_none_or(|own| *at < own));
        Self {
            expires_at: sooner(self.expires_at, expires_at),
            next_refresh_at: theirs.or(self.next_refresh_at),
            deadlines: Deadlines {
                refresh_idle_at: sooner(self.deadlines.refresh_idle_at, refresh_idle_at),
                ..self.deadlines
            },
            why: if theirs.is_some() { "another token of the connection is to be renewed first" } else { self.why },
            ..self
        }
    }
}

/// What to store with the tokens that were granted.
pub(super) fn plan(attempt: &Attempt, spent: Credential, at: At, granted: &Granted) -> Pair {
    let rules = &attempt.rules;
    // Where the one before was spent, the current one had been refused.
    let keeps_previous = granted.rotated && rules.class == RecoveryClass::M && spent == Credential::Current;
    Pair { keeps_previous, ..renewed(rules, &attempt.standing, at, granted) }
}

/// What to know of tokens that a refresh brought; also of stored ones, when their life becomes known only later: then
/// `granted` was asked for when that was.
pub fn renewed(rules: &Rules, standing: &Standing, at: At, granted: &Granted) -> Pair {
    let lifetime = granted.lifetime.or(rules.default_lifetime);
    let (next, why) = next(rules, standing, at, granted, lifetime);
    alone(granted, lifetime, next, why).beside(granted.others, at.now)
}

fn alone(granted: &Granted, lifetime: Option<Duration>, next: Option<Timestamp>, why: &'static str) -> Pair {
    let own = Times {
        asked_at: granted.asked_at,
        expires_at: lifetime.map(|life| granted.asked_at + life),
        next_refresh_at: next,
        refresh_idle_at: granted.deadlines.refresh_idle_at,
    };
    Pair {
        refreshed_at: own.asked_at,
        expires_at: own.expires_at,
        next_refresh_at: own.next_refresh_at,
        deadlines: granted.deadlines,
        keeps_previous: false,
        why,
        own,
    }
}

/// What to store with a refresh token that came alone, because the provider asked for fewer requests and renewed it all the
/// same: the access token stays what it was, and the next attempt is that of the failure.
pub(super) fn without_access(attempt: &Attempt, after: &Plan, at: At, deadlines: Deadlines) -> Pair {
    let own = Times {
        asked_at: attempt.standing.refreshed_at.unwrap_or(at.now),
        expires_at: attempt.standing.expires_at,
        next_refresh_at: Some(after.next),
        refresh_idle_at: deadlines.refresh_idle_at,
    };
    Pair {
        refreshed_at: own.asked_at,
        expires_at: own.expires_at,
        next_refresh_at: own.next_refresh_at,
        deadlines,
        keeps_previous: false,
        why: "the provider asked to wait, and renewed the refresh token all the same",
        own,
    }
}

/// What to store with a grant's first tokens. Imports come in herds of one age, so theirs are spread over all the life
/// that is left, however short: how long a whole one is, only a refresh tells. What cannot be renewed is not due at any
/// time.
pub fn first(rules: &Rules, granted: &Granted, renewable: bool, imported: bool, fraction: f64) -> Pair {
    let lifetime = granted.lifetime.or(rules.default_lifetime);
    let at = At { now: granted.asked_at, elapsed: Duration::ZERO, fraction };
    let (next, why) = next(rules, &Standing::new(granted.asked_at), at, granted, lifetime);
    let (next, why) = match lifetime.filter(|_| imported) {
        Some(life) => {
            // An unused refresh token may end before the access token does.
            let idle = idle(granted).filter(|_| rules.timing.window.is_none());
            let left = idle.map_or(life, |idle| life.min(idle / 2));
            let spread = smear_import(&rules.timing, granted.asked_at, left, fraction);
            (Some(spread), "brought along: renewed at some time of the life that is left")
        }
        None => (next, why),
    };
    let why = if renewable { why } else { "there is nothing to renew it with" };
    alone(granted, lifetime, next.filter(|_| renewable), why).beside(granted.others, at.now)
}

fn next(
    rules: &Rules,
    standing: &Standing,
    at: At,
    granted: &Granted,
    lifetime: Option<Duration>,
) -> (Option<Timestamp>, &'static str) {
    let kept_alive = |idle: Duration| keep_alive(granted.asked_at, idle, at.fraction);
    let quiet = idle(granted).map(kept_alive);
    let Some(life) = lifetime else {
        return match quiet {
            Some(quiet) => (Some(quiet), "nobody knows when the token ends: renewed to keep the grant alive"),
            None => (None, "nobody knows when the token ends: renewed when it fails"),
        };
    };
    let end = granted.asked_at + life;
    let usual = rules.timing.refresh_at(granted.asked_at, life, at.fraction);
    // A provider that refuses early refreshes would take one that keeps the grant alive for a reason to end it.
    let quiet = quiet.map(|quiet| if rules.timing.window.is_some() { quiet.max(usual) } else { quiet });
    if granted.unchanged {
        let later = usual.max(end - Duration::from_secs(5));
        let later = quiet.map_or(later, |quiet| quiet.min(later)).max(at.now + UNCHANGED_PAUSE);
        return (Some(later), "the provider gave the token that it gave before: asked again when that ends");
    }
    if rules.spends() && standing.has_refresh && is_dormant(standing, at.now) {
        let quiet = quiet.unwrap_or_else(|| kept_alive(ASSUMED_IDLE_LIMIT).max(usual));
        return (Some(quiet), "nobody has fetched for a day: renewed on demand, and to keep the grant alive");
    }
    if life < SHORTEST_RENEWED {
        return (quiet, "the token lives too short to be renewed ahead: renewed on demand");
    }
    match quiet.filter(|quiet| *quiet < usual) {
        Some(quiet) => (Some(quiet), "the refresh token ends first: renewed to keep the grant alive"),
        None => (Some(usual), "renewed ahead of its end"),
    }
}

/// How long the refresh token may lie unused from now on, where that is known.
fn idle(granted: &Granted) -> Option<Duration> {
    granted.deadlines.refresh_idle_at.map(|end| (end - granted.asked_at).to_std().unwrap_or_default())
}

/// Consent counts as a use: whoever connects is about to fetch.
fn is_dormant(standing: &Standing, now: Timestamp) -> bool {
    let last = standing.used_at.unwrap_or(standing.granted_at).max(standing.granted_at);
    (now - last).to_std().is_ok_and(|quiet| quiet > DORMANT_AFTER)
}
