//! The pages as a browser gets them.

mod browser;
mod callback;
mod connect;
mod console;
mod forms;
mod headers;
mod hostile;
mod login;
mod pasted;
mod rig;
