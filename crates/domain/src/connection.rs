//! The states of a connection and of an app, with the reasons that lead there.

/// What a stored state that this program does not know is reported as: an inconsistent row, never a default.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("no {kind} is called `{value}`")]
pub struct UnknownState {
    /// Which list was searched.
    pub kind: &'static str,
    /// What was not in it.
    pub value: String,
}

macro_rules! worded {
    ($(#[$doc:meta])* $name:ident as $kind:literal { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant,)* }

        impl $name {
            /// Every value, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word that the API shows and the database stores.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::connection::UnknownState;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    other => Err($crate::connection::UnknownState { kind: $kind, value: other.to_owned() }),
                }
            }
        }
    };
}
pub(crate) use worded;

worded! {
    /// What a connection can be, as shown outside.
    ConnectionState as "connection state" {
        /// Begun, and no grant received yet.
        Pending = "pending",
        /// Holds a grant that is kept fresh.
        Active = "active",
        /// The grant is gone: the customer has to connect again.
        NeedsReauth = "needs_reauth",
        /// Switched off by an admin or a guard.
        Held = "held",
        /// Its ciphertext did not authenticate: nothing is sent or served.
        Quarantined = "quarantined",
        /// Ended by us, at the provider too.
        Revoked = "revoked",
    }
}

worded! {
    /// Why a connection is in its state.
    StateReason as "state reason" {
        /// A customer consented.
        Consented = "consented",
        /// The tokens were brought along by `POST /v1/connections`.
        Imported = "imported",
        /// The client's own credentials were granted a token (RFC 6749 section 4.4).
        ClientCredentials = "client_credentials",
        /// The provider answered `invalid_grant` to a refresh (RFC 6749 section 5.2).
        RefreshTokenRejected = "refresh_token_rejected",
        /// The provider no longer accepts what the customer gave to ask for tokens with.
        CredentialsRejected = "credentials_rejected",
        /// A rotation was spent at the provider and its successor never reached us.
        LostRotation = "lost_rotation",
        /// The account at the provider was given so many newer grants that the provider dropped this one.
        Evicted = "evicted",
        /// The access token ended and the provider had given no refresh token.
        NoRefreshToken = "no_refresh_token",
        /// The stored ciphertext or its associated data did not authenticate.
        CiphertextRejected = "ciphertext_rejected",
        /// `DELETE /v1/connections/{id}`.
        Disconnected = "disconnected",
        /// The customer was deleted.
        CustomerDeleted = "customer_deleted",
        /// An admin switched it off, by itself or with what it belongs to.
        HeldByAdmin = "held_by_admin",
        /// The database was restored from a backup, and the tokens in it may have been spent since.
        RestoredFromBackup = "restored_from_backup",
        /// It is switched on again.
        HoldLifted = "hold_lifted",
        /// It failed in a new version of its connector, and is back in the one before.
        MoveRolledBack = "move_rolled_back",
    }
}

worded! {
    /// How much a hold switches off.
    HoldScope as "scope of a hold" {
        /// Every connection of the environment.
        Environment = "environment",
        /// Every connection at the apps of a connector.
        Connector = "connector",
        /// Every connection at an app.
        App = "app",
        /// Every connection of a customer.
        Customer = "customer",
        /// One connection.
        Connection = "connection",
    }
}

worded! {
    /// Whether an app's client may be used at its provider.
    AppState as "app state" {
        /// In use.
        Active = "active",
        /// The provider refuses the client (`invalid_client`): refreshes wait, one probe at a time tries again.
        Held = "held",
    }
}

impl ConnectionState {
    /// Whether a refresh may be sent in this state (invariant: held, quarantined and revoked rows send nothing).
    pub const fn may_refresh(self) -> bool {
        matches!(self, Self::Active)
    }
}
