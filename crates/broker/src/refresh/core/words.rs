//! The words of the machine: states, events, effects and ends.

use super::{Credential, Granted, Pair, Plan};
use mortise_connectors::{Auth, RefreshError};
use mortise_domain::{Deadlines, StateReason, Timestamp};
use mortise_oauth::{Failure, FailureClass};
use mortise_store::CommitOutcome;
use std::time::Duration;

/// Where an attempt is.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// Lease and intent are committed; nothing was sent.
    Claimed,
    /// A credential is being opened.
    Opening(Credential),
    /// A request is out.
    InFlight {
        /// What it presents.
        credential: Credential,
        /// Which of the app's client secrets it is sent with, newest first.
        client: usize,
        /// When it was sent, by the database's clock.
        since: Timestamp,
    },
    /// A refusal is believed, unless the app is held.
    Weighing {
        /// Why the grant is given up then.
        reason: StateReason,
        /// When the request was sent.
        since: Timestamp,
        /// What was answered to it.
        refusal: Refusal,
    },
    /// A pair is on its way to the disk.
    Spilling(Pair),
    /// A pair is on its way into the database.
    Committing {
        /// Which.
        pair: Pair,
        /// Monotonic time until which it is tried again.
        until: Duration,
    },
    /// A pair that belongs to nobody is being sent back.
    Revoking,
    /// The outcome is being written.
    Recording(End),
    /// Over.
    Ended(End),
}

/// What came of an effect.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The attempt begins.
    Begin,
    /// The credential is open.
    Opened,
    /// It opened, and holds nothing for the token whose turn it is.
    NothingKept,
    /// The credential's seal does not authenticate.
    Unreadable,
    /// The provider answered with tokens.
    Granted(Granted),
    /// It answered with something else, or not at all.
    Refused(Refusal),
    /// It asked for fewer requests, and renewed the refresh token all the same.
    RefusedWithToken(Refusal, Deadlines),
    /// Whether the app is held now.
    AppHeld(bool),
    /// The pair is on disk.
    Spilled,
    /// The disk did not take it.
    SpillFailed,
    /// The database answered to the pair.
    Committed(CommitOutcome),
    /// The database wrote the outcome down.
    Recorded,
    /// The database no longer has the claim.
    Outrun,
    /// The database does not answer.
    DatabaseAway,
    /// Something that nobody foresaw; it has been logged.
    Faulted,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Open a credential's seal.
    Open(Credential),
    /// Send a refresh.
    Send {
        /// What it presents.
        credential: Credential,
        /// Which client secret it is sent with.
        client: usize,
        /// When it is given up, from now on.
        deadline: Duration,
    },
    /// Tell the budgets how the provider answered; `None`: with tokens.
    Report(Option<FailureClass>),
    /// Look whether the app is held.
    LookAtApp,
    /// Seal the pair and write it to the disk.
    Spill(Pair),
    /// Write the pair into the database.
    Commit(Pair),
    /// Do nothing for a while.
    Wait(Duration),
    /// The spilled pair is where it belongs.
    SettleSpill,
    /// Two attempts of one generation brought pairs.
    WarnOfDoubleRefresh,
    /// Revoke the pair at the provider.
    RevokePair,
    /// Write the failure and the next time down.
    Record(Plan),
    /// Hold the app: its client is refused.
    HoldApp,
    /// The customer has to connect again.
    GiveUp {
        /// Why, for the state.
        reason: StateReason,
        /// Why, for the timeline.
        why: &'static str,
    },
    /// Nothing is sent or served until somebody looks.
    Quarantine,
    /// The driver told something that cannot have happened.
    Astray,
}

/// How an attempt ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// A new pair is stored.
    Refreshed,
    /// The connection moved on meanwhile.
    Moved,
    /// It can no longer be refreshed.
    Unusable,
    /// It will be tried again.
    Failed,
    /// The process or the database could not go on; the lease, and the spill, keep what there is.
    Interrupted,
}

/// What a gateway answers that has lost the provider behind it, which may still be at work on the request: 502 and 504 of
/// RFC 9110 section 15.6, and a common one of its own.
const GATEWAY_GAVE_UP: [u16; 3] = [502, 504, 524];

/// A request without tokens, as far as decisions depend on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What it means.
    pub class: FailureClass,
    /// Whether the provider itself sent a whole reply, senseless as it may be: then the request is over.
    pub answered: bool,
    /// How long the provider asks to wait.
    pub retry_after: Option<Duration>,
    /// The manifest says that this error is the truth the first time.
    pub definitive: bool,
}

impl Refusal {
    /// What decisions need to know of `failure`.
    pub fn of(failure: &Failure, auth: &Auth) -> Self {
        let meaning = |code: &String| auth.refresh_errors()?.meaning(code);
        let known = |code: &String| meaning(code) == Some(RefreshError::Permanent);
        Self {
            class: failure.class,
            answered: failure.status.is_some_and(|status| !GATEWAY_GAVE_UP.contains(&status)),
            retry_after: failure.retry_after,
            definitive: failure.error.as_ref().is_some_and(known),
        }
    }

    /// The time was up before anything was sent.
    pub(super) fn out_of_time() -> Self {
        Self { class: FailureClass::NotSent, answered: false, retry_after: None, definitive: false }
    }
}
