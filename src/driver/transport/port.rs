//! An open byte stream and what is to be known about it.

use std::fmt;

use tokio::io::{AsyncRead, AsyncWrite};

use super::lock::DeviceLock;

/// A byte stream in both directions.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// An open port. Dropping it closes it and gives its lock back.
pub struct Port {
    /// The bytes. Never flushed or shut down: on a serial port both block until the wire has sent all.
    pub stream: Box<dyn Stream>,
    /// The rate of the wire, where writes have to be paced to it.
    pub pace_baud: Option<u32>,
    /// What it means when the stream ends.
    pub when_gone: &'static str,
    /// Keeps other hubs away from the device.
    pub lock: Option<DeviceLock>,
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Port").field("pace_baud", &self.pace_baud).finish_non_exhaustive()
    }
}
