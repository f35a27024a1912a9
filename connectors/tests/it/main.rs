//! The crate from outside: what the catalog holds, what variables can do, and what no text can.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

mod bundled;
mod expansion;
mod hostile;
mod own_host;
mod reference;
