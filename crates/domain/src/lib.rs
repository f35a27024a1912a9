//! Values and rules of the broker: ids, secrets, states, grants, schedules, scopes, events.
//!
//! Invariant: everything here is a plain value or a pure function over one. Deliberately absent: async, SQL, HTTP,
//! logging, and any reading of time or randomness outside the two seams [`Clock`] and [`Entropy`].

mod access;
mod clock;
mod connection;
mod entropy;
mod environment;
mod event;
pub mod gate;
mod grant;
mod ids;
mod moves;
mod names;
mod schedule;
mod scope;
mod sealed;
mod secret;

pub use access::{ApiScope, UnknownApiScope};
pub use clock::{Clock, ManualClock, SystemClock};
pub use connection::{AppState, ConnectionState, HoldScope, StateReason, UnknownState};
pub use entropy::{Entropy, OsEntropy, SeededEntropy, random_text};
pub use environment::{EnvironmentSettings, FinisherCheck};
pub use event::EventKind;
pub use grant::{FurtherGrant, FurtherToken, TokenGrant, TokenType};
pub use ids::{
    ApiKeyId, AppKey, AttemptId, ConnectSessionId, ConnectionId, ConnectorKey, CustomerKey, DataKeyId, EnvironmentKey,
    EventId, HoldId, IdError, LeaseOwner, MoveId, RequestId, RevocationId,
};
pub use moves::{MoveEvidence, MoveMoment, MoveReason, MoveStage, MoveState, MoveStep, MoveTerms, Verdict};
pub use names::{AppId, ConnectorId, CustomerId, EnvironmentName, NameError};
pub use schedule::{
    Deadlines, RefreshRules, WARNING_DAYS, backoff, keep_alive, reauth_warning, refresh_at, smear, smear_import,
};
pub use scope::ScopeSet;
pub use sealed::Sealed;
pub use secret::{
    AccessToken, ApiKeySecret, AuthorizationCode, ClientSecret, CompletionCode, ConnectToken, DeviceCode, DpopKey,
    FlowCookie, PastedSecret, PkceVerifier, RefreshToken, StateToken,
};

/// An instant in UTC. Every time in the product is one of these; the database stores unix milliseconds.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
