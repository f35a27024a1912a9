//! Refresh: one request in flight a connection, whoever asks for it.
//!
//! ```text
//! claim: lease + fence + intent, committed ─ call ─┬─ granted ─ spill ─ compare-and-set on family and generation
//!                                                  └─ failed ── class rule ─ next time, state, reason
//! ```
//!
//! `core` decides, `driver` does; `pass` and `shared` say who begins and who waits; `engine` holds the seams.
//!
//! Invariants: the intent is committed before the first byte; no attempt is still outstanding when the next begins
//! (a claim waits for the deadline of the one before); a new pair is persisted before anybody sees it; a late answer is
//! stored or revoked at the provider, never dropped.

mod budgets;
pub mod core;
mod driver;
mod engine;
mod flights;
mod herd;
mod hold;
mod lifetime;
mod outage;
mod outcome;
mod pass;
mod recover;
mod seams;
mod shared;
mod trust;

pub use engine::{Engine, Seams};
pub use outcome::{Cause, Ended, Reason};
pub use pass::RefreshPass;
pub use seams::{Apps, Beside, LateReplies, Seals};

pub(crate) use flights::Flights;
pub(crate) use herd::USUAL_RATE;
pub(crate) use lifetime::{Came, Lesson, Stored};
pub(crate) use outage::Outage;
pub(crate) use outcome::failure_as_error;
use outcome::{REFRESHED, outcome_word};
