//! Faults from outside, for programs that know nothing of it: a wire that breaks as told, processes that stand still, a disk
//! without room, a clock that jumps.
//!
//! Invariant: every fault ends with its value, and none reaches beyond the processes of the test that made it. Deliberately
//! absent: faults that a provider can be scripted to (the sandbox has those), and network namespaces.

mod clock;
mod disk;
mod freeze;
mod proxy;

pub use clock::{FakeClock, JUMP_LIBRARY};
pub use disk::SmallDisk;
pub use freeze::{freeze, thaw};
pub use proxy::{End, FaultProxy, Flow, Way};
