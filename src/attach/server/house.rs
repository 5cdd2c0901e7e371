//! What the server needs of the hub.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::access::Access;
use super::counted::Counted;
use super::ring::Ring;
use super::written::Written;
use crate::model::Time;
use crate::model::command::ClientId;
use crate::model::hub::HubPort;

/// The hub's own screen is client 1.
const FIRST_CLIENT: u32 = 2;

/// The hub, and what all clients share.
#[derive(Clone)]
pub(super) struct House {
    pub(super) port: HubPort,
    pub(super) now: Arc<dyn Fn() -> Time + Send + Sync>,
    pub(super) access: Arc<Access>,
    pub(super) ring: Ring,
    pub(super) written: Written,
    pub(super) counted: Arc<Counted>,
    next: Arc<AtomicU32>,
}

impl House {
    pub(super) fn new(port: HubPort, now: impl Fn() -> Time + Send + Sync + 'static, access: Access) -> Self {
        Self {
            port,
            now: Arc::new(now),
            access: Arc::new(access),
            ring: Ring::default(),
            written: Written::default(),
            counted: Arc::default(),
            next: Arc::new(AtomicU32::new(FIRST_CLIENT)),
        }
    }

    /// The number of the next client, whichever way it comes in.
    pub(super) fn next_id(&self) -> ClientId {
        ClientId(self.next.fetch_add(1, Ordering::Relaxed))
    }
}

impl fmt::Debug for House {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("House").field("port", &self.port).finish_non_exhaustive()
    }
}
