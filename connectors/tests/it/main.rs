//! The crate from outside: what the catalog holds, what variables can do, and what no text can.

mod bundled;
mod expansion;
mod hostile;
mod reference;
