//! What a refresh without tokens means: the next attempt, what stays in doubt, and when a refusal is believed.

use super::{At, Attempt, Refusal, Standing};
use mortise_connectors::RecoveryClass;
use mortise_domain::{EventKind, StateReason, Timestamp, backoff};
use mortise_oauth::FailureClass;
use mortise_store::Doubt;
use std::time::Duration;

/// Between two tries of an app whose client is refused.
const PROBE_INTERVAL: Duration = Duration::from_secs(5);
/// Class F asks a second time this long before the served token ends: a reuse that trips the provider's detector ends
/// that token too.
const LATE_RETRY_LEAD: Duration = Duration::from_secs(60);
/// A refusal is believed at the third time, over an hour, as long as the token in store can be served: that hour costs
/// nobody anything, and a provider's bad deployment is mended in it.
const CONFIRMATIONS: u32 = 3;
const CONFIRMED_OVER: Duration = Duration::from_secs(3600);
/// Once nothing can be served any more, waiting costs the customer more than a needless question.
const LATE_CONFIRMATIONS: u32 = 2;
const LATE_CONFIRMED_OVER: Duration = Duration::from_secs(30);

/// So many failures in a row use up the ordinary waits, in some twenty minutes. A provider that then still refuses in a
/// way of its own may mean it: it is asked ever more seldom.
const SELDOM_AFTER: u32 = 8;
/// The next wait is then this part of the time since the token's end, or until it: two dozen questions in the first day
/// without a token, and later one a day.
const SELDOM_PART: u32 = 4;
/// And no longer than this.
const SELDOM_AT_MOST: Duration = Duration::from_secs(86_400);

/// After so long an unanswered request is over in the classes that forgive a second use: its deadline, and some skew.
const FORGIVEN_AFTER: Duration = Duration::from_secs(30 + 5);

/// What is written down of a failure.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The line in the timeline.
    pub kind: EventKind,
    /// When to try again.
    pub next: Timestamp,
    /// Failures in a row.
    pub failures: u32,
    /// Refusals in a row that are not believed yet.
    pub suspicions: u32,
    /// When the first of them was.
    pub suspected_at: Option<Timestamp>,
    /// What is not known.
    pub doubt: Doubt,
    /// What was decided, for the timeline.
    pub why: &'static str,
}

/// The plan after `refusal`.
pub(super) fn plan(attempt: &Attempt, at: At, since: Timestamp, refusal: &Refusal) -> Plan {
    let standing = &attempt.standing;
    let rejected = refusal.class == FailureClass::GrantRejected;
    // Whoever is told how long to wait need not find it out by waiting longer each time.
    let told = refusal.class == FailureClass::Throttled && refusal.retry_after.is_some();
    let counts = !told && refusal.class != FailureClass::AppMisconfigured;
    let failures = standing.failures + u32::from(counts);
    let (next, why) = next(attempt, at, since, refusal, failures);
    Plan {
        kind: match refusal.class {
            FailureClass::Ambiguous => EventKind::RefreshAmbiguous,
            FailureClass::GrantRejected => EventKind::RefreshSuspected,
            // What is refused for so long is more than a failure. It is never believed to be the end of the grant: nobody
            // knows what it says.
            FailureClass::Unknown if failures > SELDOM_AFTER => EventKind::RefreshSuspected,
            FailureClass::NotSent
            | FailureClass::Throttled
            | FailureClass::AppMisconfigured
            | FailureClass::Unknown => EventKind::RefreshFailed,
        },
        next,
        failures,
        suspicions: standing.suspicions + u32::from(rejected),
        suspected_at: standing.suspected_at.or(rejected.then_some(at.now)),
        doubt: doubt(attempt, since, refusal),
        why,
    }
}

/// An attempt that is not sent, because one before it may have spent the token and a second use may cost the whole app.
pub(super) fn hold_back(standing: &Standing, until: Timestamp) -> Plan {
    Plan {
        kind: EventKind::RefreshFailed,
        next: until,
        failures: standing.failures,
        suspicions: standing.suspicions,
        suspected_at: standing.suspected_at,
        doubt: Doubt::Processed,
        why: "not sent: an earlier attempt may have spent the refresh token, and a reuse may cost the whole app",
    }
}

/// Whether a refusal that comes now is the truth, and what it then is. Two independent signs are one confirmation more:
/// the refusal, and an attempt before it whose reply never arrived. Apps are held just because their refusals may be
/// without fault, so what a probe hears is believed by the long rule only; but it is, or an app whose grants are all gone
/// would be held for ever.
pub fn believed(attempt: &Attempt, at: At, definitive: bool) -> Option<StateReason> {
    known_bad!(DeadAtFirstRefusal => return Some(StateReason::RefreshTokenRejected));
    let standing = &attempt.standing;
    let lost = standing.unresolved && attempt.rules.spends();
    let signs = standing.suspicions + 1 + u32::from(lost);
    let over = standing.suspected_at.map_or(Duration::ZERO, |first| (at.now - first).to_std().unwrap_or_default());
    let sure = if attempt.probe || standing.serves(at.now) {
        signs >= CONFIRMATIONS && over >= CONFIRMED_OVER
    } else {
        // A lost reply alone confirms nothing: in a bad deployment every grant is refused, and who lost a reply just
        // before it would be the first to be given up.
        signs >= LATE_CONFIRMATIONS && over >= LATE_CONFIRMED_OVER
    };
    let believed = sure || (definitive && !attempt.probe);
    believed.then_some(if lost { StateReason::LostRotation } else { StateReason::RefreshTokenRejected })
}

fn next(attempt: &Attempt, at: At, since: Timestamp, refusal: &Refusal, failures: u32) -> (Timestamp, &'static str) {
    let standing = &attempt.standing;
    let soon = at.now + backoff(failures.max(1), at.fraction);
    let latest = standing.expires_at.map(|end| end - LATE_RETRY_LEAD);
    let late = latest.filter(|late| *late > soon);
    let grave = attempt.rules.class == RecoveryClass::F && standing.has_refresh;
    let (usual, why) = match (refusal.class, late) {
        (FailureClass::AppMisconfigured, _) => {
            (at.now + PROBE_INTERVAL, "the app is held until its client is accepted again")
        }
        (FailureClass::Throttled, _) => {
            // The provider's gate opens for all at once; what waits at it must not come at once.
            let told = refusal.retry_after.map(|wait| at.now + wait.mul_f64(1.0 + at.fraction / 10.0));
            (told.unwrap_or(soon), "the provider asked to wait")
        }
        (FailureClass::GrantRejected, Some(late)) if grave => (late, "asked again as late as the served token allows"),
        (FailureClass::GrantRejected, _) => {
            let pause = if standing.serves(at.now) { CONFIRMED_OVER / 2 } else { LATE_CONFIRMED_OVER };
            let paused = at.now + pause.mul_f64(1.0 + at.fraction / 10.0);
            let end = standing.expires_at.filter(|end| *end > at.now);
            (end.map_or(paused, |end| paused.min(end.max(soon))), "a refusal is confirmed before it is believed")
        }
        (FailureClass::Ambiguous, Some(late)) if grave => {
            (late, "a second use may end the served token too: tried as late as it allows")
        }
        (FailureClass::Ambiguous, _) => {
            (in_grace(attempt, at, since, soon), "the provider may have processed it: tried again")
        }
        (FailureClass::NotSent, _) => (soon, "nothing was sent: tried again"),
        (FailureClass::Unknown, _) if failures > SELDOM_AFTER => {
            let next = seldom(standing, at).max(soon).max(after(at, refusal));
            (next, "the provider goes on refusing in a way of its own: asked ever more seldom, at last once a day")
        }
        (FailureClass::Unknown, _) => {
            (soon.max(after(at, refusal)), "the provider refused in a way of its own: tried again")
        }
    };
    // Whatever became of this attempt, the doubt about the one before it is as grave as it was.
    match latest.filter(|late| grave && standing.unresolved && *late > usual) {
        Some(late) => (late, "an earlier attempt may have spent the token: tried as late as the served one allows"),
        None => (usual, why),
    }
}

/// Ever later after the served token's end, and ever sooner before it: then it is worth most to know.
fn seldom(standing: &Standing, at: At) -> Timestamp {
    let end = standing.expires_at.or(standing.refreshed_at).unwrap_or(standing.granted_at);
    let away = (at.now - end).abs().to_std().unwrap_or_default() / SELDOM_PART;
    at.now + away.min(SELDOM_AT_MOST).mul_f64(1.0 + at.fraction / 10.0)
}

/// Where the spent token stays good for a known time, the second attempt comes well within it. That time began with the
/// request at the earliest, and not with its failure.
fn in_grace(attempt: &Attempt, at: At, since: Timestamp, soon: Timestamp) -> Timestamp {
    match attempt.rules.grace {
        Some(grace) if !attempt.standing.unresolved => {
            soon.min((since + grace / 2).max(at.now + backoff(1, at.fraction)))
        }
        Some(_) | None => soon,
    }
}

fn after(at: At, refusal: &Refusal) -> Timestamp {
    at.now + refusal.retry_after.unwrap_or_default()
}

/// A reply that came whole, senseless as it may be, ends its request; what broke or timed out may still be processed,
/// by whoever holds it at the provider. In the classes that forgive a second use that is waited for only as long as an
/// ordinary request may take, so that the second comes while the first token is still good. Doubt about an earlier
/// attempt stays until one succeeds.
fn doubt(attempt: &Attempt, since: Timestamp, refusal: &Refusal) -> Doubt {
    known_bad!(RetryInsideDeadline => return crate::known_bad::forgiven(refusal, attempt.standing.unresolved));
    match (refusal.class, refusal.answered, attempt.standing.unresolved) {
        (FailureClass::Ambiguous, false, _) if attempt.rules.spends() => Doubt::UnderWay,
        (FailureClass::Ambiguous, false, _) => Doubt::UnderWayUntil(since + FORGIVEN_AFTER),
        (FailureClass::Ambiguous, true, _) | (_, _, true) => Doubt::Processed,
        (_, _, false) => Doubt::None,
    }
}
