//! The main job against the sandbox provider: connect, hand out, renew, end, and whatever goes wrong on the way.

mod callback;
mod classes;
mod fetch;
mod grants;
mod replies;
mod trouble;
