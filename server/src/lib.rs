//! See the crate's module head.
