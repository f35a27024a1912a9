//! Templates filled with what must not be left behind in memory.
//!
//! Invariant: the result grows in one buffer that is large enough from the start, and is wiped.

use crate::ProtocolError;
use mortise_connectors::{Piece, TemplateError, pieces};
use zeroize::Zeroizing;

/// The template with what `named` knows in its places.
///
/// # Errors
/// A brace without its partner, or a name that nothing stands for.
pub(crate) fn fill<'a>(
    template: &'a str,
    named: impl Fn(&str) -> Option<&'a str>,
) -> Result<Zeroizing<String>, ProtocolError> {
    let text = |piece| match piece {
        Piece::Literal(text) => Ok(text),
        Piece::Name(name) => named(name).ok_or_else(|| ProtocolError::from(TemplateError::NoValue(name.to_owned()))),
    };
    let parts = pieces(template)?.into_iter().map(text).collect::<Result<Vec<&str>, _>>()?;
    let mut filled = Zeroizing::new(String::with_capacity(parts.iter().map(|part| part.len()).sum()));
    parts.iter().for_each(|part| filled.push_str(part));
    Ok(filled)
}
