//! The main job against the sandbox provider: connect, hand out, renew, end, and whatever goes wrong on the way.

mod callback;
mod classes;
mod explained;
mod fetch;
mod grants;
mod lifetimes;
mod replies;
mod trouble;
