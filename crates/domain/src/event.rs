//! The closed list of what a connection's timeline can say.

use crate::connection::worded;

worded! {
    /// What happened to a connection.
    EventKind as "event" {
        /// A customer consented and the grant was stored.
        Connected = "connected",
        /// A customer consented again; the grant was replaced.
        Reconnected = "reconnected",
        /// Tokens were imported, or granted to the client itself.
        Imported = "imported",
        /// A refresh was about to be sent: written before its first byte.
        RefreshStarted = "refresh_started",
        /// New tokens were stored.
        Refreshed = "refreshed",
        /// A refresh failed and will be tried again.
        RefreshFailed = "refresh_failed",
        /// It is unknown whether the provider processed a refresh.
        RefreshAmbiguous = "refresh_ambiguous",
        /// The provider refused the refresh token, or refuses for long in a way of its own; before that is believed it will be
        /// asked again.
        RefreshSuspected = "refresh_suspected",
        /// The provider was asked when a token in store ends, and told.
        LifetimeLearned = "lifetime_learned",
        /// Tokens of an interrupted attempt were found on disk and stored.
        Recovered = "recovered",
        /// Tokens arrived for a grant that had been replaced or ended.
        LateReply = "late_reply",
        /// The grant ends at a known time: the customer should connect again before.
        ReauthDue = "reauth_due",
        /// The account at the provider has as many grants as it may: the next one ends this one.
        AccountFull = "account_full",
        /// The customer has to connect again.
        NeedsReauth = "needs_reauth",
        /// The stored ciphertext did not authenticate.
        Quarantined = "quarantined",
        /// It was switched off.
        Held = "held",
        /// It was switched on again.
        Released = "released",
        /// It speaks another version of its connector from now on.
        Moved = "moved",
        /// The connection was ended here.
        Revoked = "revoked",
        /// The provider confirmed the revocation.
        RevokedUpstream = "revoked_upstream",
        /// The provider could not be told; it will be tried again, or it offers no way.
        RevocationFailed = "revocation_failed",
    }
}
