//! Whoever opens connect links.

pub use mortise_testkit::visitor::{Visitor, title_of, to};
