//! The fault matrix: one row a test, with the real program, a real PostgreSQL and the sandbox, whose oracle and the history
//! checker have the last word.
//!
//! A row's fault is made where it happens: on the wire, in the process, on its disk, in its clock, in its database. Time that
//! nobody can shorten honestly (a lease of half a minute) is taken from the row's database once whoever held it is dead.

mod budgets;
mod callers;
mod clock;
mod database;
mod disk;
mod freeze;
mod hands;
mod hold;
mod keys;
mod kill;
mod moves;
mod names;
mod outcome;
mod pool;
mod provider;
mod race;
mod regions;
mod reply;
mod restore;
mod slow;
pub mod stage;
pub mod story;
mod upgrade;
