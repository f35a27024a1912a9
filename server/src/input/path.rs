//! The one parameter of a path.

use crate::problem::{Code, Item, Problem, Result};
use actix_web::HttpRequest;
use percent_encoding::percent_decode_str;
use std::fmt::Display;
use std::str::FromStr;

/// What a route reads from its path.
pub(crate) trait PathInput: Sized + 'static {
    /// Whether there is anything to read.
    const PRESENT: bool;

    /// Reads it.
    fn read(request: &HttpRequest) -> Result<Self>;
}

impl PathInput for () {
    const PRESENT: bool = false;

    fn read(_: &HttpRequest) -> Result<Self> {
        Ok(())
    }
}

/// The parameter `{id}`.
pub(crate) struct Id<T>(pub(crate) T);

impl<T: FromStr<Err: Display> + 'static> PathInput for Id<T> {
    const PRESENT: bool = true;

    /// A text that cannot be an id names nothing, so it is not found; the problem says why.
    fn read(request: &HttpRequest) -> Result<Self> {
        // The router replaces what is not UTF-8, so that many paths would name one id.
        let utf8 = percent_decode_str(request.uri().path()).decode_utf8();
        utf8.map_err(|_| unknown("use UTF-8, percent-encoded"))?;
        let text = percent_decode_str(request.match_info().get("id").unwrap_or_default()).decode_utf8_lossy();
        text.parse().map(Self).map_err(|error: T::Err| unknown(&error.to_string()))
    }
}

fn unknown(why: &str) -> Problem {
    let item = Item { pointer: "/id".into(), detail: why.into(), ..Item::default() };
    Problem::new(Code::NotFound, "What stands in the path cannot be an id.").with_errors(vec![item])
}
