//! Grants on their way into the database, on disk.
//!
//! A provider that rotates refresh tokens has spent the old one when its reply arrives: from then on the reply is the only
//! copy of the grant. So it is spilled first, sealed exactly as the row will hold it, and flushed to the disk; it is
//! crossed off when the database has it. What a dead process left is stored by the next start, or by the next look of
//! whoever shares the folder. For ten minutes longer it stays, for a database whose failover forgets its last commits.
//!
//! `seam` is what a refresh needs of it, `log` keeps it in a folder, `memory` in memory; `entry` is what it keeps, and
//! `replay` how that gets into the database after all.

mod entry;
mod log;
mod memory;
mod recent;
mod replay;
mod seam;

pub use entry::{Entry, SpilledGrant, SpilledRefresh};
pub use log::SpillLog;
pub use memory::MemorySpill;
pub use seam::{Keeper, Left, Recent, Spill, Ticket};

pub(crate) use replay::Replays;
pub(crate) use seam::KEPT;

#[cfg(test)]
mod tests;
