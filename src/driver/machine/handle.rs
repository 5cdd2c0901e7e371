//! The hub's hold on a machine's task.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::event::{Event, Order};
use super::task::Task;
use crate::driver::clock::Clock;
use crate::driver::pulse::Pulse;
use crate::driver::transport::Opener;
use crate::driver::wire_log::WireLog;
use crate::grbl::Session;
use crate::model::latch::Latch;

/// Orders that may wait for the task; a full queue is refused by the hub at once.
const ORDERS: usize = 16;
/// The task ends itself within less than this; beyond it is aborted.
const LONGEST_SHUTDOWN: Duration = Duration::from_secs(2);

/// A running task. Dropping it ends the task as [`shutdown`](Self::shutdown) does, without waiting.
#[derive(Debug)]
pub struct MachineHandle {
    /// Where orders go.
    pub orders: mpsc::Sender<Order>,
    closing: DropGuard,
    task: JoinHandle<()>,
}

/// Starts the task that owns the port of one machine.
///
/// The session is told of the link by the task and by nobody else. The latch is the one that all clients share: this task is the only one
/// that takes from it. Events leave through `events` in the order in which things happened; when that channel is
/// closed, the task ends.
pub fn spawn(
    session: Session,
    opener: Opener,
    clock: Clock,
    latch: Arc<Latch>,
    events: mpsc::Sender<Event>,
) -> MachineHandle {
    spawn_logged(session, opener, clock, latch, events, None, Pulse::default())
}

/// The same, with every byte on the wire written to a log, and signs of life.
pub fn spawn_logged(
    session: Session,
    opener: Opener,
    clock: Clock,
    latch: Arc<Latch>,
    events: mpsc::Sender<Event>,
    wire_log: Option<WireLog>,
    pulse: Pulse,
) -> MachineHandle {
    let (orders, inbox) = mpsc::channel(ORDERS);
    let closing = CancellationToken::new();
    let mut task = Task::new(session, opener, clock, latch, inbox, events, closing.clone());
    task.wire_log = wire_log;
    task.pulse = pulse;
    MachineHandle { orders, closing: closing.drop_guard(), task: tokio::spawn(task.run()) }
}

impl MachineHandle {
    /// Cancels a jog in progress, ends every order as voided, closes the port. Bounded in time.
    pub async fn shutdown(self) {
        drop(self.closing);
        let abort = self.task.abort_handle();
        match tokio::time::timeout(LONGEST_SHUTDOWN, self.task).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the machine's task failed"),
            Err(_elapsed) => {
                tracing::error!("the machine's task did not end in time");
                abort.abort();
            }
        }
    }
}
