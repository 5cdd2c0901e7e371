//! The hub's hold on a bus's task.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::endpoint::BusOpener;
use super::order::{BusEvent, BusOrder};
use super::task::Task;
use crate::driver::clock::Clock;
use crate::inverter::Profile;
use crate::inverter::poller::Options;

/// Orders that may wait for the task; a full queue is refused by the hub at once.
const ORDERS: usize = 16;
/// The task ends itself within less than this; beyond it is aborted.
const LONGEST_SHUTDOWN: Duration = Duration::from_secs(2);

/// A bus and what is on it.
#[derive(Clone, Debug)]
pub struct BusConfig {
    /// Its name, for people.
    pub name: String,
    /// How it is opened.
    pub opener: BusOpener,
    /// The inverters on it; events count them in this order.
    pub units: Vec<UnitConfig>,
}

/// An inverter on a bus.
#[derive(Clone, Debug)]
pub struct UnitConfig {
    /// Its name, for people.
    pub name: String,
    /// What it is.
    pub family: Family,
    /// Its addresses, who is expected there, and what was learned of it before. The baud rate is the bus's.
    pub options: Options,
    /// It is polled.
    pub enabled: bool,
    /// Nominal voltage of its grid.
    pub nominal_v: f64,
}

/// What an inverter is.
#[derive(Clone, Debug)]
pub enum Family {
    /// Of this profile; its time-out and spacing are those in force.
    Profile(Arc<Profile>),
    /// It says itself what it has.
    SunSpec,
    /// It cannot be asked: why, in words.
    Unusable(String),
}

/// A running task. Dropping it ends the task as [`shutdown`](Self::shutdown) does, without waiting.
#[derive(Debug)]
pub struct BusHandle {
    /// Where orders go.
    pub orders: mpsc::Sender<BusOrder>,
    closing: DropGuard,
    task: JoinHandle<()>,
}

/// Starts the task that owns a bus. `bus` is the number that its events carry. When `events` is closed, the task ends.
pub fn spawn(config: BusConfig, bus: usize, clock: Clock, events: mpsc::Sender<BusEvent>) -> BusHandle {
    let (orders, inbox) = mpsc::channel(ORDERS);
    let closing = CancellationToken::new();
    let task = Task::new(config, bus, clock, inbox, events, closing.clone());
    BusHandle { orders, closing: closing.drop_guard(), task: tokio::spawn(task.run()) }
}

impl BusHandle {
    /// Ends every order, and a set of settings on its way as not known; closes the bus. Bounded in time.
    pub async fn shutdown(self) {
        drop(self.closing);
        let abort = self.task.abort_handle();
        match tokio::time::timeout(LONGEST_SHUTDOWN, self.task).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "a bus's task failed"),
            Err(_elapsed) => {
                tracing::error!("a bus's task did not end in time");
                abort.abort();
            }
        }
    }
}
