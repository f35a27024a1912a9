//! An OAuth 2 provider to try things on, with an oracle that knows which tokens are alive.
//!
//! One provider for each recovery class (what happens to a refresh token when it is used) under `/{class}/…`: consent
//! page, token, revocation, introspection and userinfo endpoints. `/control/…`, open to loopback only, scripts faults
//! for single requests, puts whole endpoints into a mode of failure, sets the limits of a class, and answers as the
//! oracle: which tokens are good, which were presented after they were spent, whether two requests with the same refresh
//! token were ever in flight at once, and the history of every request with its times.
//!
//! [`Sandbox`] serves it over HTTP. [`Model`] is the same provider without sockets and sleep, for simulations.
//!
//! Invariants: deciding about a request is one step under one lock, so the ledger and the request log never disagree;
//! neither the oracle nor the history nor the state file holds a token, only fingerprints; with a state file, a reply is
//! sent only after the state that it speaks of was written.
//!
//! Deliberately absent: real accounts (it is a practice site), TLS (loopback), OpenID Connect.

mod accounts;
mod answer;
mod arrival;
mod assertion;
mod authorize;
mod class;
mod client_auth;
mod clients;
mod config;
mod control;
mod device;
mod error;
mod events;
mod flight;
mod flows;
mod inbound;
mod introspect;
mod ledger;
mod log;
mod model;
mod oauth1;
mod oracle;
mod pages;
mod params;
mod pending;
mod persist;
pub mod play;
mod reply;
mod revoke;
mod script;
mod serve;
mod settings;
mod shared;
mod start;
mod state;
mod token;
mod trust;
mod userinfo;

pub use class::RecoveryClass;
pub use clients::{ClientError, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, NewClient};
pub use config::SandboxConfig;
pub use error::SandboxError;
pub use events::GrantEvent;
pub use ledger::{Ended, FamilyId, TokenId};
pub use log::{Endpoint, RequestRecord};
pub use model::{Answer, Arrived, Delivered, Model, ModelRequest, ModelRequestError};
pub use oracle::{
    EACH_ITS_OWN, GrantFilter, GrantReport, History, HistoryFilter, LostSuccessor, NewGrants, NewGrantsError,
    OracleReport, Overlap, SeededGrant, TokenCheck, TokenReport, Totals,
};
pub use script::{Action, Canned, Mode, Moment, Script, ScriptError, StandingMode};
pub use settings::{ClassSettings, ClassSettingsPatch, ExpiresIn, Rate};
pub use start::{RunningSandbox, Sandbox, SandboxServer};
