//! The handle through which a screen or a script holds the hub.
//!
//! It is made of channels, so it cannot tell whether the hub is in this process or behind a
//! socket. This file and [`latch`](super::latch) are the only ones of the room that know tokio, and only its `sync`.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use tokio::sync::{broadcast, mpsc, watch};

use super::command::{ClientId, Command, Origin, Realtime, Refused, TicketId};
use super::latch::Latch;
use super::log::LogEntry;
use super::snapshot::Snapshot;

/// A command on its way to the hub. The hub stamps the time of asking when it arrives.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Its ticket number.
    pub ticket: TicketId,
    /// Who asks.
    pub origin: Origin,
    /// What is asked.
    pub command: Command,
}

/// The hub has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the hub has ended")]
pub struct HubGone;

/// What the next log call brings.
#[derive(Clone, Debug, PartialEq)]
pub enum LogEvent {
    /// The next entry.
    Entry(Arc<LogEntry>),
    /// This many entries were lost because this client was slow.
    Gap(u64),
}

/// What [`Hub::next`] brings.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// A newer snapshot.
    Snapshot(Arc<Snapshot>),
    /// From the log.
    Log(LogEvent),
}

/// A client's hold on the hub.
#[derive(Debug)]
pub struct Hub {
    origin: Origin,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    requests: mpsc::Sender<Request>,
    log: broadcast::Receiver<Arc<LogEntry>>,
    latch: Arc<Latch>,
}

/// The hub's ends of the channels behind the handles; handles for more clients are made from it.
#[derive(Clone, Debug)]
pub struct HubPort {
    snapshots: watch::Receiver<Arc<Snapshot>>,
    requests: mpsc::Sender<Request>,
    log: broadcast::Sender<Arc<LogEntry>>,
    latch: Arc<Latch>,
}

impl HubPort {
    /// From the channels that the hub made.
    pub fn new(
        snapshots: watch::Receiver<Arc<Snapshot>>,
        requests: mpsc::Sender<Request>,
        log: broadcast::Sender<Arc<LogEntry>>,
        latch: Arc<Latch>,
    ) -> Self {
        Self { snapshots, requests, log, latch }
    }

    /// A handle for one client.
    pub fn attach(&self, origin: Origin) -> Hub {
        Hub {
            origin,
            snapshots: self.snapshots.clone(),
            requests: self.requests.clone(),
            log: self.log.subscribe(),
            latch: Arc::clone(&self.latch),
        }
    }

    /// A handle for the screen of client 1.
    pub fn attach_screen(&self) -> Hub {
        self.attach(Origin::Screen(ClientId(1)))
    }
}

impl Hub {
    /// The latest snapshot.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshots.borrow())
    }

    /// Waits for a snapshot newer than the last one seen through this call.
    pub async fn changed(&mut self) -> Result<Arc<Snapshot>, HubGone> {
        self.snapshots.changed().await.map_err(|_| HubGone)?;
        Ok(Arc::clone(&self.snapshots.borrow_and_update()))
    }

    /// The next log entry, or how many were lost.
    pub async fn log(&mut self) -> Result<LogEvent, HubGone> {
        match self.log.recv().await {
            Ok(entry) => Ok(LogEvent::Entry(entry)),
            Err(broadcast::error::RecvError::Lagged(n)) => Ok(LogEvent::Gap(n)),
            Err(broadcast::error::RecvError::Closed) => Err(HubGone),
        }
    }

    /// Waits for a newer snapshot or the next log entry, whichever comes first. Nothing is lost if the call is dropped.
    pub async fn next(&mut self) -> Result<News, HubGone> {
        enum Got {
            Changed,
            Entry(Result<Arc<LogEntry>, broadcast::error::RecvError>),
        }
        let got = {
            let mut changed = pin!(self.snapshots.changed());
            let mut entry = pin!(self.log.recv());
            poll_fn(|cx| {
                if let Poll::Ready(changed) = changed.as_mut().poll(cx) {
                    return Poll::Ready(changed.map(|()| Got::Changed).map_err(|_| HubGone));
                }
                entry.as_mut().poll(cx).map(|entry| Ok(Got::Entry(entry)))
            })
            .await?
        };
        match got {
            Got::Changed => Ok(News::Snapshot(Arc::clone(&self.snapshots.borrow_and_update()))),
            Got::Entry(Ok(entry)) => Ok(News::Log(LogEvent::Entry(entry))),
            Got::Entry(Err(broadcast::error::RecvError::Lagged(n))) => Ok(News::Log(LogEvent::Gap(n))),
            Got::Entry(Err(broadcast::error::RecvError::Closed)) => Err(HubGone),
        }
    }

    /// Asks for a realtime action: cannot be refused, never waits.
    pub fn realtime(&self, realtime: Realtime) {
        self.latch.set(realtime);
    }

    /// Queues a command. Its outcome comes through the log under the returned ticket.
    ///
    /// # Errors
    /// Refused at once when the queue is full or the hub has ended; then there is no ticket and no outcome.
    pub fn submit(&self, command: Command) -> Result<TicketId, Refused> {
        let ticket = self.latch.next_ticket();
        let request = Request { ticket, origin: self.origin.clone(), command };
        self.requests.try_send(request).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Refused::because("sunmill is busy with earlier commands; try again"),
            mpsc::error::TrySendError::Closed(_) => Refused::because(HubGone.to_string()),
        })?;
        Ok(ticket)
    }
}
