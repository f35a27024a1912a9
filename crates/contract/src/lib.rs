//! The life of a connector, lived against a provider that is played as the manifest describes it.
//!
//! [`live`] connects, uses, renews and ends a connection as the product does it, with the builders and readers of
//! `mortise-oauth` over its one HTTP client; the sandbox's [`Played`](mortise_sandbox::play::Played) provider judges every
//! request and answers in the manifest's words. Then come wrong input and error replies.
//!
//! Invariant: the host alone is mapped to loopback, everything else of a request is what a real provider would get.
//! Deliberately absent: rows, schedules and use cases, which need a broker.

mod code;
mod compare;
mod device;
mod errors;
mod further;
mod implicit;
mod input;
mod keys;
mod life;
mod login;
mod oauth1;
mod own;
mod pasted;
mod report;
mod signed;
mod stage;

pub use life::{live, live_against};
pub use report::{Check, Report, Step};
pub use stage::{Mapped, Stage, StageError};
