//! The main job against the sandbox provider: connect, hand out, renew, end, and whatever goes wrong on the way.

mod callback;
mod classes;
pub mod device;
mod explained;
mod fetch;
mod given;
mod grants;
pub mod implicit;
mod lifetimes;
pub mod oauth1;
mod replies;
mod trouble;
