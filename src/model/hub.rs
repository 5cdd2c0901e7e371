//! The handle through which a screen or a script holds the hub.
//!
//! It is made of channels, so it cannot tell whether the hub is in this process or behind a
//! socket. This file and [`latch`](super::latch) are the only ones of the room that know tokio, and only its `sync`.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use tokio::sync::{broadcast, mpsc, watch};

use super::command::{ClientId, Command, Origin, Realtime, Refused, TicketId};
use super::desk::{Answer, Query};
use super::latch::Latch;
use super::log::LogEntry;
use super::people::PeopleNews;
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

/// A question on its way to the desk, and where its answer goes.
#[derive(Clone, Debug)]
pub struct Errand {
    /// What is asked.
    pub query: Query,
    /// Where the answer goes.
    pub answer_to: mpsc::Sender<Answer>,
}

/// Answers that may wait for a client.
const ANSWERS: usize = 8;

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
    /// To a question of this client.
    Answer(Answer),
}

/// A client's hold on the hub.
#[derive(Debug)]
pub struct Hub {
    origin: Origin,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    requests: mpsc::Sender<Request>,
    log: broadcast::Receiver<Arc<LogEntry>>,
    latch: Arc<Latch>,
    desk: Option<mpsc::Sender<Errand>>,
    programs: Option<mpsc::Sender<Errand>>,
    power: Option<mpsc::Sender<Errand>>,
    answer_to: mpsc::Sender<Answer>,
    answers: mpsc::Receiver<Answer>,
}

/// The hub's ends of the channels behind the handles; handles for more clients are made from it.
#[derive(Clone, Debug)]
pub struct HubPort {
    snapshots: watch::Receiver<Arc<Snapshot>>,
    requests: mpsc::Sender<Request>,
    log: broadcast::Sender<Arc<LogEntry>>,
    /// For the first client, which reads the log from its beginning: the hub may have written before it attached.
    whole_log: Arc<Mutex<Option<broadcast::Receiver<Arc<LogEntry>>>>>,
    latch: Arc<Latch>,
    desk: Option<mpsc::Sender<Errand>>,
    programs: Option<mpsc::Sender<Errand>>,
    power: Option<mpsc::Sender<Errand>>,
    people: Option<mpsc::Sender<PeopleNews>>,
}

impl HubPort {
    /// From the channels that the hub made.
    pub fn new(
        snapshots: watch::Receiver<Arc<Snapshot>>,
        requests: mpsc::Sender<Request>,
        log: broadcast::Sender<Arc<LogEntry>>,
        latch: Arc<Latch>,
    ) -> Self {
        let whole_log = Arc::new(Mutex::new(Some(log.subscribe())));
        Self { snapshots, requests, log, whole_log, latch, desk: None, programs: None, power: None, people: None }
    }

    /// With somebody who answers questions.
    #[must_use]
    pub fn with_desk(mut self, desk: mpsc::Sender<Errand>) -> Self {
        self.desk = Some(desk);
        self
    }

    /// With somebody who answers questions about programs.
    #[must_use]
    pub fn with_programs(mut self, programs: mpsc::Sender<Errand>) -> Self {
        self.programs = Some(programs);
        self
    }

    /// With somebody who answers questions about inverters.
    #[must_use]
    pub fn with_power(mut self, power: mpsc::Sender<Errand>) -> Self {
        self.power = Some(power);
        self
    }

    /// With a hub that wants to know who comes and goes.
    #[must_use]
    pub fn with_people(mut self, people: mpsc::Sender<PeopleNews>) -> Self {
        self.people = Some(people);
        self
    }

    /// Tells the hub of a client. What it has no room for is left out: it is told again.
    pub fn tell(&self, news: PeopleNews) {
        if let Some(people) = &self.people {
            let _ = people.try_send(news);
        }
    }

    /// Tells the hub of a client, and waits until it has room.
    pub async fn tell_surely(&self, news: PeopleNews) {
        if let Some(people) = &self.people {
            // A hub that has ended knows of nobody any more.
            let _ = people.send(news).await;
        }
    }

    /// A handle for one client. The first reads the log from its beginning, the others from now on.
    pub fn attach(&self, origin: Origin) -> Hub {
        let first = self.whole_log.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.handle(origin, first.unwrap_or_else(|| self.log.subscribe()))
    }

    fn handle(&self, origin: Origin, log: broadcast::Receiver<Arc<LogEntry>>) -> Hub {
        let (answer_to, answers) = mpsc::channel(ANSWERS);
        Hub {
            origin,
            desk: self.desk.clone(),
            programs: self.programs.clone(),
            power: self.power.clone(),
            answer_to,
            answers,
            snapshots: self.snapshots.clone(),
            requests: self.requests.clone(),
            log,
            latch: Arc::clone(&self.latch),
        }
    }

    /// A handle for one client that reads the log from now on, whoever comes first.
    pub fn join(&self, origin: Origin) -> Hub {
        self.handle(origin, self.log.subscribe())
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

    /// Waits for a newer snapshot, an answer or the next log entry, whichever comes first. Nothing is lost if the call is dropped,
    /// nor when the hub ends: that it has is told after all that it said.
    pub async fn next(&mut self) -> Result<News, HubGone> {
        enum Got {
            Changed,
            Answer(Answer),
            Entry(Result<Arc<LogEntry>, broadcast::error::RecvError>),
        }
        let got = {
            let mut changed = pin!(self.snapshots.changed());
            let mut entry = pin!(self.log.recv());
            poll_fn(|cx| {
                let is_gone = match changed.as_mut().poll(cx) {
                    Poll::Ready(Ok(())) => return Poll::Ready(Ok(Got::Changed)),
                    Poll::Ready(Err(_)) => true,
                    Poll::Pending => false,
                };
                if let Poll::Ready(Some(answer)) = self.answers.poll_recv(cx) {
                    return Poll::Ready(Ok(Got::Answer(answer)));
                }
                match entry.as_mut().poll(cx) {
                    Poll::Ready(entry) => Poll::Ready(Ok(Got::Entry(entry))),
                    Poll::Pending if is_gone => Poll::Ready(Err(HubGone)),
                    Poll::Pending => Poll::Pending,
                }
            })
            .await?
        };
        match got {
            Got::Changed => Ok(News::Snapshot(Arc::clone(&self.snapshots.borrow_and_update()))),
            Got::Answer(answer) => Ok(News::Answer(answer)),
            Got::Entry(Ok(entry)) => Ok(News::Log(LogEvent::Entry(entry))),
            Got::Entry(Err(broadcast::error::RecvError::Lagged(n))) => Ok(News::Log(LogEvent::Gap(n))),
            Got::Entry(Err(broadcast::error::RecvError::Closed)) => Err(HubGone),
        }
    }

    /// Asks for a realtime action: cannot be refused, never waits.
    pub fn realtime(&self, realtime: Realtime) {
        self.latch.set_by(realtime, &self.origin);
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

    /// Asks the desk. The answer comes as [`News::Answer`].
    ///
    /// # Errors
    /// Refused at once when too many questions wait, or when there is nobody to ask.
    pub fn ask(&self, query: Query) -> Result<(), Refused> {
        let desk = match query {
            Query::Program(_) => &self.programs,
            Query::Power(_) => &self.power,
            _ => &self.desk,
        };
        let desk = desk.as_ref().ok_or_else(|| Refused::because("there is nobody to ask for that here"))?;
        let errand = Errand { query, answer_to: self.answer_to.clone() };
        desk.try_send(errand).map_err(|_| Refused::because("sunmill is busy with earlier questions; try again"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::log::LogItem;
    use crate::model::machine::{MachineState, StateKind};
    use crate::model::time::Time;

    #[tokio::test]
    async fn that_the_hub_has_ended_is_told_after_all_that_it_said() {
        let (snapshots, watched) = watch::channel(Arc::default());
        let (requests, _inbox) = mpsc::channel(1);
        let (log, _) = broadcast::channel(4);
        let port = HubPort::new(watched, requests, log.clone(), Arc::default());
        let mut hub = port.attach_screen();
        let what = LogItem::State(MachineState::plain(StateKind::Idle));
        let entry = Arc::new(LogEntry { id: 1, at: Time::ZERO, what });
        log.send(Arc::clone(&entry)).unwrap();
        drop(snapshots);
        assert_eq!(hub.next().await, Ok(News::Log(LogEvent::Entry(entry))));
        // The port holds the log open; nobody writes into it any more.
        assert_eq!(hub.next().await, Err(HubGone));
    }

    #[test]
    fn the_first_client_reads_what_was_logged_before_it_came() {
        let (_snapshots, watched) = watch::channel(Arc::default());
        let (requests, _inbox) = mpsc::channel(1);
        let (log, _) = broadcast::channel(4);
        let port = HubPort::new(watched, requests, log.clone(), Arc::default());
        let what = LogItem::State(MachineState::plain(StateKind::Idle));
        log.send(Arc::new(LogEntry { id: 1, at: Time::ZERO, what })).unwrap();
        let (mut first, mut second) = (port.attach_screen(), port.attach_screen());
        assert_eq!(first.log.try_recv().unwrap().id, 1);
        assert!(second.log.try_recv().is_err());
    }
}
