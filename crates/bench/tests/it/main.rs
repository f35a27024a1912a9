//! The benchmark as a program: every figure of the engine, at the size that proves its code.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod process;
