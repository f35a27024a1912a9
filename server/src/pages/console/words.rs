//! States, reasons and events in plain words. Closed lists without a catch-all: a new state needs its words here before
//! it compiles.

use crate::pages::look::Badge;
use mortise_domain::{AppState, ConnectionState, EventKind, StateReason};

/// A connection's state.
pub(super) fn state(state: ConnectionState) -> Badge {
    let (tone, word) = match state {
        ConnectionState::Pending => ("calm", "Pending"),
        ConnectionState::Active => ("good", "Active"),
        ConnectionState::NeedsReauth => ("warn", "Needs reconnect"),
        ConnectionState::Held => ("warn", "Held"),
        ConnectionState::Quarantined => ("bad", "Quarantined"),
        ConnectionState::Revoked => ("idle", "Revoked"),
    };
    Badge { tone, word }
}

/// Why a connection is in its state.
pub(super) fn reason(reason: StateReason) -> &'static str {
    match reason {
        StateReason::Consented => "the customer gave consent",
        StateReason::Imported => "made by the API",
        StateReason::ClientCredentials => "granted to the app itself",
        StateReason::RefreshTokenRejected => "the provider refused the refresh token",
        StateReason::CredentialsRejected => "the provider no longer accepts the credentials",
        StateReason::LostRotation => "a renewal was used up and its answer never arrived",
        StateReason::Evicted => "newer grants of the same account pushed it out",
        StateReason::NoRefreshToken => "the provider gave no refresh token",
        StateReason::CiphertextRejected => "the stored credentials do not authenticate",
        StateReason::Disconnected => "deleted by the API",
        StateReason::CustomerDeleted => "its customer was deleted",
        StateReason::HeldByAdmin => "an admin switched it off",
        StateReason::RestoredFromBackup => "the database was restored, and its tokens may have been spent since",
        StateReason::HoldLifted => "it was switched on again",
        StateReason::MoveRolledBack => "its connector's new version failed, and the one before is back",
    }
}

/// What to do about a state, where there is something to do.
pub(super) fn remedy(state: ConnectionState) -> Option<&'static str> {
    match state {
        ConnectionState::Active | ConnectionState::Revoked => None,
        ConnectionState::Pending => {
            Some("The customer has not given consent yet: make a connect session and send them its link.")
        }
        ConnectionState::NeedsReauth => {
            Some("The grant is gone. Make a connect session with this connection and send the customer its link.")
        }
        ConnectionState::Held => Some("It is switched off: nothing is sent to the provider and no token is served."),
        ConnectionState::Quarantined => Some(
            "Its ciphertext was changed or sealed with another key. Nothing is sent or served until you have looked.",
        ),
    }
}

/// Whether the provider accepts an app's client.
pub(super) fn app_state(state: AppState) -> Badge {
    match state {
        AppState::Active => Badge { tone: "good", word: "Active" },
        AppState::Held => Badge { tone: "bad", word: "Held" },
    }
}

/// A line of a timeline.
pub(super) fn event(kind: EventKind) -> (&'static str, &'static str) {
    match kind {
        EventKind::Connected => ("good", "Connected: the customer gave consent"),
        EventKind::Reconnected => ("good", "Reconnected: the customer gave consent again"),
        EventKind::Imported => ("good", "Made without a consent page"),
        EventKind::RefreshStarted => ("idle", "Renewal started"),
        EventKind::Refreshed => ("good", "Renewed: new tokens are stored"),
        EventKind::RefreshFailed => ("warn", "Renewal failed; it is tried again"),
        EventKind::RefreshAmbiguous => ("warn", "Renewal sent, and no usable answer came back"),
        EventKind::RefreshSuspected => {
            ("warn", "The provider refused the renewal; it is asked again before that is believed")
        }
        EventKind::ReauthDue => ("warn", "The grant ends soon: the customer should connect again"),
        EventKind::AccountFull => {
            ("warn", "The same account has as many grants as its provider keeps: the next one ends this one")
        }
        EventKind::LifetimeLearned => ("idle", "The provider told when the token ends"),
        EventKind::Recovered => ("good", "Tokens of an interrupted renewal were recovered"),
        EventKind::LateReply => ("warn", "Tokens came too late for a grant that had ended"),
        EventKind::NeedsReauth => ("bad", "The customer has to connect again"),
        EventKind::Quarantined => ("bad", "Quarantined: the stored credentials do not authenticate"),
        EventKind::Held => ("warn", "Switched off"),
        EventKind::Released => ("good", "Switched on again"),
        EventKind::Moved => ("idle", "Moved to another version of its connector"),
        EventKind::Revoked => ("idle", "Ended here"),
        EventKind::RevokedUpstream => ("idle", "Ended at the provider too"),
        EventKind::RevocationFailed => ("warn", "The provider was not told of the end"),
    }
}
