//! The faults do what they say, to a plain echo server and to plain programs.

mod clock;
mod disk;
mod freeze;
mod wire;
