//! The worker: a ticker, a table of jobs, and a runner that keeps each job from overlapping itself.
//!
//! Cron only pokes; the database decides what is due. A tick may come late, twice or not at all: every job looks for its
//! work afresh, runs at most once at a time in a process, and is safe beside the same job of another process. Deliberately
//! absent: logic that a test could not call directly (it is in the broker), and state that only memory holds.

mod jobs;
mod outcome;
mod runner;
mod schedule;

pub use outcome::JobError;
pub use runner::{Runner, Ticked, WorkerError};
pub use schedule::{JOBS, Job};
