//! What can keep the sandbox from starting, from saving, or from doing as a caller in the same process asks.

use crate::clients::ClientError;
use crate::oracle::NewGrantsError;
use crate::script::ScriptError;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the sandbox could not start, could not keep its state, or refused an order.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The address is taken, or not one of this machine.
    #[error("the sandbox cannot listen on {address}: choose another port or stop the program that holds it")]
    Bind {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The state file exists and cannot be read.
    #[error("the sandbox's state file {} cannot be read", path.display())]
    ReadState {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The state file is not what an earlier run wrote.
    #[error("the sandbox's state file {} is damaged: delete it to start with an empty provider", path.display())]
    DamagedState {
        /// The file.
        path: PathBuf,
        /// What does not fit, and where.
        source: serde_json::Error,
    },
    /// The state could not be turned into JSON.
    #[error("the sandbox's state cannot be written as JSON")]
    EncodeState(#[source] serde_json::Error),
    /// The state file cannot be written.
    #[error("the sandbox's state file {} cannot be written: check the folder and the free space", path.display())]
    WriteState {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The script contradicts itself.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// The client is out of shape.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The grants cannot be made.
    #[error(transparent)]
    Grants(#[from] NewGrantsError),
}
