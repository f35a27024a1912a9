//! What may become of bytes on the wire.

use std::time::Duration;

/// A direction on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the program that connects to the server.
    Up,
    /// From the server back.
    Down,
}

/// How a connection is broken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// In order (FIN), towards both sides.
    Close,
    /// At once (RST), towards both sides.
    Reset,
}

/// What becomes of bytes on one way, in connections that are open and in those to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// They arrive.
    Pass,
    /// They wait in the sender's buffers, as if the other side had stopped reading, until the flow is changed.
    Hang,
    /// They are taken and never arrive.
    Swallow,
    /// Each portion arrives so much later.
    Delay(Duration),
    /// So many more arrive in each connection; at the next one the connection ends. With 0 not one byte gets through, and
    /// a connection on which nothing is sent stays open.
    Limit(u64, End),
    /// This way ends (FIN) and the other goes on.
    HalfClose,
}

/// The flows, and how often everything was cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) up: Flow,
    pub(super) down: Flow,
    pub(super) cuts: u64,
    pub(super) end: End,
}

impl Rules {
    pub(super) fn flow(&self, way: Way) -> Flow {
        match way {
            Way::Up => self.up,
            Way::Down => self.down,
        }
    }
}
