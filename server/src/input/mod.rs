//! From a request to typed values: path, query, body. Everything that does not fit is a problem that names the member.
//!
//! Invariant: nothing is read before the caller is let in, no more than 1 MiB is read at all, and no value that
//! was sent is repeated in a problem, since it may be a secret.

mod body;
mod fault;
mod object;
mod path;
mod query;
#[cfg(test)]
mod tests;

pub(crate) use body::{Body, Json, OrEmpty, bytes};
pub(crate) use object::Object;
pub(crate) use path::{Id, PathInput};
pub(crate) use query::{Anything, Nothing, read as query};
