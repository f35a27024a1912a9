//! The one place that prints: the report on standard output, progress on standard error.

use std::io::Write as _;

/// A document on standard output.
pub(crate) fn document(text: &str) -> anyhow::Result<()> {
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}

/// What is going on.
#[expect(clippy::print_stderr, reason = "this is the one place that prints progress")]
pub(crate) fn note(text: impl std::fmt::Display) {
    eprintln!("bench: {text}");
}
