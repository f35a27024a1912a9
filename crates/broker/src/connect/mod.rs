//! The connect flow: a link, a page, a trip to the provider, a callback, a stored grant.
//!
//! ```text
//! session ── page (changes nothing) ── start ── provider ── callback ──┬─ exchange ── stored ── return URL
//!                                                                     └─ code held ── complete ── exchange ── stored
//! ```
//!
//! The callback moves through types that only go forward ([`callback`]), and no step of it can be done twice.

mod beside;
mod brought;
mod callback;
mod complete;
mod device;
mod exchange;
mod give_back;
mod lifetime;
mod oauth1;
mod page;
mod said;
mod session;
mod start;

pub use brought::{Asked, Brought};
pub use callback::{CallbackOutcome, CallbackQuery, Handover};
pub use complete::Completion;
pub use device::{DevicePage, DeviceStep};
pub(crate) use exchange::{ClientGrant, GrantTarget};
pub use page::{AppChoice, ConnectPage, Field};
pub use session::{Link, NewSession, SessionView};
pub use start::{Started, flow_cookie_name};
