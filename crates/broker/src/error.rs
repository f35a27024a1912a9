//! What can go wrong, as whoever asked has to hear it.
//!
//! One closed list: the server maps it to problem documents and pages, the worker to its log. Nothing here holds a
//! secret or a provider's body.

use mortise_connectors::{Diagnostic, ValueError};
use mortise_domain::{ApiScope, AppId, ConnectionId, CustomerId, StateReason};
use mortise_oauth::FailureClass;
use mortise_store::StoreError;
use mortise_vault::VaultError;
use std::time::Duration;

/// Why a request was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such thing in the caller's environment; another environment's id is answered alike.
    #[error("there is no {0} of that id in this environment")]
    NotFound(&'static str),
    /// The customer has not connected the app.
    #[error(
        "customer `{customer}` has no connection at app `{app}`: make a connect session and send the customer to its url"
    )]
    NotConnected {
        /// Which customer.
        customer: CustomerId,
        /// Which app.
        app: AppId,
    },
    /// No credentials, or none that are good.
    #[error("the API key is missing, mistyped, expired or revoked")]
    Unauthorized,
    /// The key lacks a scope.
    #[error("this needs the scope `{0}`, which the API key does not have")]
    ForbiddenScope(ApiScope),
    /// Members of the request are wrong, each with its name.
    #[error("the request is not valid")]
    Invalid(Vec<Fault>),
    /// A manifest is wrong, with every violation.
    #[error("the manifest is not valid")]
    InvalidManifest(Vec<Diagnostic>),
    /// The name is taken.
    #[error("this {0} exists already")]
    Exists(&'static str),
    /// Something else still needs it.
    #[error("this {what} is in use: {why}")]
    InUse {
        /// What was to be deleted.
        what: &'static str,
        /// What stands in the way, and how to get it out.
        why: &'static str,
    },
    /// Somebody else changed it in between.
    #[error("this {0} was changed by somebody else in the meantime: read it again and repeat the change")]
    Stale(&'static str),
    /// Several connections fit the natural key.
    #[error("the customer has several connections at this app: ask for one by its id")]
    Ambiguous(Vec<ConnectionId>),
    /// The connection is in a state that serves no token.
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// A token was asked for that lives longer than refreshes can always bring.
    #[error("a `min_ttl` of {min_ttl} s is more than half of what this provider's tokens live: ask for at most {most}")]
    MinTtlUnavailable {
        /// What was asked for, in seconds.
        min_ttl: u32,
        /// What can always be had, in seconds.
        most: u64,
    },
    /// The provider could not be reached, or gave no usable answer.
    #[error("the provider gave no usable answer ({class:?}); nothing is lost and it is tried again")]
    ProviderUnavailable {
        /// What kind of failure it was.
        class: FailureClass,
        /// When to ask again.
        retry_after: Duration,
    },
    /// The provider asks for fewer requests.
    #[error("the provider asks to wait")]
    ProviderThrottled {
        /// How long.
        retry_after: Duration,
    },
    /// The provider refuses the app's client.
    #[error("the provider refuses the client of app `{app}` (invalid_client): check its client id and secret")]
    AppHeld {
        /// Which app.
        app: AppId,
        /// When the next probe is due.
        retry_after: Duration,
    },
    /// The provider refused the grant that was just made or brought along.
    #[error("the provider refused the grant{}", .error.as_ref().map(|code| format!(" (`{code}`)")).unwrap_or_default())]
    GrantRefused {
        /// The provider's error code.
        error: Option<String>,
    },
    /// A step of the connect flow was refused.
    #[error(transparent)]
    Connect(#[from] ConnectFault),
    /// The database is away.
    #[error("the database cannot be reached")]
    Unavailable(#[source] StoreError),
    /// A row, a ciphertext or a setting is not what it must be.
    #[error("an internal inconsistency; the log says more under this request's id")]
    Internal(#[source] Internal),
}

/// What only the log should say.
#[derive(Debug, thiserror::Error)]
pub enum Internal {
    /// The store found something impossible.
    #[error("the store")]
    Store(#[source] StoreError),
    /// A ciphertext did not open, or could not be made.
    #[error("the vault")]
    Vault(#[from] VaultError),
    /// A stored manifest or reply no longer reads.
    #[error("a stored document")]
    Document(#[from] serde_json::Error),
    /// A stored manifest cannot be spoken.
    #[error("the protocol")]
    Protocol(#[from] mortise_oauth::ProtocolError),
    /// A spill folder cannot be read.
    #[error("the spill folder {} cannot be read", .folder.display())]
    Folder {
        /// Which.
        folder: std::path::PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Something that must be there is not.
    #[error("{0} is missing")]
    Missing(&'static str),
}

/// One wrong member of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The member, as a JSON pointer such as `/settings/return_urls/0`.
    pub pointer: String,
    /// What is wrong and what is allowed.
    pub detail: String,
}

/// Why a connection serves no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// The customer has to connect again.
    #[error(
        "the grant of {connection} is gone ({reason}): make a connect session with this connection and send the \
             customer there"
    )]
    NeedsReauth {
        /// Which connection.
        connection: ConnectionId,
        /// Why.
        reason: StateReason,
    },
    /// No consent yet.
    #[error("the customer has not consented yet")]
    Pending {
        /// Which connection.
        connection: ConnectionId,
    },
    /// Switched off.
    #[error("the connection is switched off ({reason}): nothing is sent for it, and no token is served")]
    Held {
        /// Why.
        reason: StateReason,
    },
    /// Its ciphertext does not authenticate.
    #[error("the stored credentials do not authenticate; nothing is sent or served until an admin has looked")]
    Quarantined,
    /// Ended.
    #[error("the connection was ended ({reason})")]
    Revoked {
        /// Why.
        reason: StateReason,
    },
}

/// Why a step of the connect flow was refused, as the customer's page says it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectFault {
    /// No such link.
    #[error("this link is not known")]
    UnknownLink,
    /// The link's time is over.
    #[error("this link has expired")]
    LinkExpired,
    /// The link has done its work.
    #[error("this link was used already")]
    LinkUsed,
    /// What was filled in is wrong, a fault a field.
    #[error("some fields need another look")]
    Fields(Vec<Fault>),
    /// No such flow, or its time is over, or it came back before.
    #[error("this answer was used already, or came too late")]
    StaleState,
    /// Another browser began the flow.
    #[error("this answer belongs to another browser")]
    OtherBrowser,
    /// The answer came to another app's callback, or from another issuer (RFC 9207).
    #[error("this answer does not come from the provider that was asked")]
    MixedUp,
    /// A parameter is missing, there twice, or far too long.
    #[error("the provider's answer is not well formed: {0}")]
    Malformed(&'static str),
    /// The customer said no.
    #[error("the request was declined")]
    Denied,
    /// The provider reports an error.
    #[error("the provider reports an error")]
    Provider {
        /// Its code, sanitised.
        code: String,
    },
    /// The code was not exchanged.
    #[error("the provider did not complete the connection")]
    Exchange {
        /// What kind of failure it was.
        class: FailureClass,
        /// Its code, sanitised.
        code: Option<String>,
    },
    /// A connection was to be repaired, and the consent is for another account at the provider.
    #[error("this consent is for another account at the provider than the connection's")]
    OtherAccount,
    /// The finisher check failed: another customer came back.
    #[error("the completion code does not belong to this session and customer")]
    WrongFinisher,
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(what) => Self::Exists(what),
            StoreError::Stale(what) => Self::Stale(what),
            StoreError::Missing(what) => Self::NotFound(what),
            other if other.is_unavailable() => Self::Unavailable(other),
            other => Self::Internal(Internal::Store(other)),
        }
    }
}

macro_rules! internal {
    ($($source:ty),*) => {$(
        impl From<$source> for Error {
            fn from(error: $source) -> Self {
                Self::Internal(error.into())
            }
        }
    )*};
}

internal!(VaultError, serde_json::Error, mortise_oauth::ProtocolError);

impl Error {
    /// One wrong member.
    pub fn invalid(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![Fault { pointer: pointer.into(), detail: detail.into() }])
    }

    pub(crate) fn missing(what: &'static str) -> Self {
        Self::Internal(Internal::Missing(what))
    }
}

pub(crate) fn value_faults(pointer: &str, faults: Vec<ValueError>) -> Vec<Fault> {
    let fault = |e: ValueError| Fault { pointer: format!("{pointer}/{}", e.variable), detail: e.message };
    faults.into_iter().map(fault).collect()
}
