//! What the tests of every crate share: real databases, a real browser, a real OpenID provider, the built program as a
//! process, and a search for secrets where none may be.
//!
//! Invariant: nothing here pretends. A part that is not installed is a panic that says how to install it, and every
//! process started here listens on loopback and ends with its owner. Absent: fixtures of one crate's own tests.

mod backend;
mod browser;
mod canary;
mod database;
mod dedicated;
pub mod faults;
pub mod history;
mod http;
mod oidc;
pub mod ports;
mod process;
mod servers;
pub mod visitor;
pub mod wait;

pub use backend::Backend;
pub use browser::Chromium;
pub use canary::{Canaries, Search, Sighting};
pub use database::TestDatabase;
pub use dedicated::DedicatedPostgres;
pub use http::{Answer, Http};
pub use oidc::{OidcConfig, OidcError, OidcEvents, OidcProvider, oidc_manifest};
pub use process::{Launch, Process};

use std::path::{Path, PathBuf};

/// The checkout's root folder.
pub fn workspace_root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// Ends the test with the whole chain of causes.
#[track_caller]
#[expect(clippy::panic, reason = "a test that cannot get what it needs has failed")]
pub(crate) fn or_panic<T>(result: anyhow::Result<T>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error:?}"),
    }
}
