//! The loop: opens the link, asks one question after the other, and puts the link in order when something went wrong.

use tokio::sync::mpsc;
use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;

use super::desk::{Attended, Desk};
use super::handle::BusConfig;
use super::link::BusLink;
use super::order::{BusEvent, BusOrder};
use super::unit::Question;
use crate::driver::backoff::Backoff;
use crate::driver::clock::Clock;
use crate::driver::transport::OpenError;
use crate::inverter::Reply;
use crate::inverter::request::Failure;
use crate::model::power::BusState;

/// The task is to end.
struct Closing;

/// Owner of the link.
pub(super) struct Task {
    name: String,
    link: BusLink,
    desk: Desk,
    clock: Clock,
    backoff: Backoff,
    /// Times that the link was opened when the units were told of it last.
    opens: u64,
}

impl Task {
    pub(super) fn new(
        config: BusConfig,
        bus: usize,
        clock: Clock,
        orders: mpsc::Receiver<BusOrder>,
        hub: mpsc::Sender<BusEvent>,
        closing: CancellationToken,
    ) -> Self {
        Self {
            name: config.name.clone(),
            link: BusLink::new(config.opener.clone()),
            desk: Desk::new(config, bus, clock, orders, hub, closing),
            clock,
            backoff: Backoff::default(),
            opens: 0,
        }
    }

    pub(super) async fn run(mut self) {
        while self.turn().await.is_ok() {}
        // Closed before the hub hears of the end: who starts anew finds the port free.
        drop(self.link);
        self.desk.close().await;
    }

    /// One step: opens the link, asks a question, or waits until there is one.
    async fn turn(&mut self) -> Result<(), Closing> {
        if !self.desk.is_busy() {
            return self.idle().await;
        }
        if !self.link.is_open() {
            return self.open().await;
        }
        self.desk.reconnect = false;
        let Some((unit, question)) = self.desk.next(self.link.stats().slowest) else {
            let due = self.desk.due().map(|due| self.clock.deadline(due));
            let wait = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            return match self.desk.attend(wait, true).await {
                Attended::Closing => Err(Closing),
                Attended::Order | Attended::Done(()) => Ok(()),
            };
        };
        let asked = self.desk.now();
        let Question { request, patience, canary } = &question;
        let exchange = self.link.exchange(request, *patience, canary.as_ref());
        match self.desk.attend(exchange, false).await {
            Attended::Closing => return Err(Closing),
            Attended::Order => {}
            Attended::Done(answer) => {
                let now = self.desk.now();
                self.desk.units[unit].answered(now, request, &answer);
                self.after(unit, &question, &answer);
                if matches!(answer, Err(Failure::Timeout | Failure::Framing(_))) {
                    self.desk.rest(unit, asked);
                }
            }
        }
        self.desk.tell_counters(self.link.stats());
        Ok(())
    }

    /// What an answer, or none, says of the link.
    fn after(&mut self, unit: usize, question: &Question, answer: &Result<Reply, Failure>) {
        match answer {
            Ok(_) | Err(Failure::Exception(_)) => self.backoff.reset(),
            Err(Failure::Closed(why)) => {
                let why = why.clone();
                self.lost(why);
                return;
            }
            Err(Failure::Timeout | Failure::Framing(_)) => {}
        }
        if std::mem::take(&mut self.desk.units[unit].out_of_step) {
            self.link.doubt(question.patience);
        }
        if self.link.stats().opens != self.opens {
            self.opens = self.link.stats().opens;
            self.desk.link_up();
        }
        self.desk.tell_news();
        let state = match (self.link.is_doubted(), answer) {
            (false, _) => BusState::Open,
            (true, Err(failure)) => BusState::Quiet { why: format!("unit {}: {failure}", question.request.unit) },
            (true, Ok(_)) => BusState::Quiet { why: "another serial number was read than expected".to_owned() },
        };
        self.desk.tell_state(state);
    }

    /// Nobody is polled: the port is free for other programs.
    async fn idle(&mut self) -> Result<(), Closing> {
        if self.link.is_open() {
            self.link.close();
            self.desk.link_down("all its inverters are switched off");
        }
        self.desk.tell_state(BusState::Opening);
        match self.desk.attend(std::future::pending::<()>(), true).await {
            Attended::Closing => Err(Closing),
            Attended::Order | Attended::Done(()) => Ok(()),
        }
    }

    async fn open(&mut self) -> Result<(), Closing> {
        self.wait().await?;
        if !self.desk.is_busy() {
            return Ok(());
        }
        if self.opens == 0 && self.desk.retry_at().is_none() {
            self.desk.tell_state(BusState::Opening);
        }
        match self.desk.attend(self.link.open(), false).await {
            Attended::Closing => return Err(Closing),
            Attended::Order => {}
            Attended::Done(Ok(())) => {
                self.opens = self.link.stats().opens;
                tracing::info!(bus = %self.name, "open");
                self.desk.link_up();
                if !self.link.is_doubted() {
                    self.desk.tell_state(BusState::Open);
                }
            }
            Attended::Done(Err(error)) => {
                self.lost(words(&error));
            }
        }
        Ok(())
    }

    /// The link cannot be opened, or is gone.
    fn lost(&mut self, why: String) {
        self.link.close();
        let (attempt, wait) = self.backoff.fail();
        tracing::warn!(bus = %self.name, attempt, why, "down");
        self.desk.link_down(&why);
        self.desk.tell_state(BusState::Down { why, attempt, retry_at: self.desk.now() + wait });
    }

    /// Waits for the next try, if there was one that failed.
    async fn wait(&mut self) -> Result<(), Closing> {
        let Some(until) = self.desk.retry_at() else { return Ok(()) };
        let until = self.clock.deadline(until);
        while !std::mem::take(&mut self.desk.reconnect) && self.desk.is_busy() {
            match self.desk.attend(sleep_until(until), true).await {
                Attended::Closing => return Err(Closing),
                Attended::Order => {}
                Attended::Done(()) => break,
            }
        }
        Ok(())
    }
}

/// Why a bus cannot be opened. Where this very process holds the device it is the machine's, or another bus's.
fn words(error: &OpenError) -> String {
    match error {
        OpenError::Busy { port, holder: Some(holder) } if holder.pid == std::process::id() => format!(
            "{port} is in use here already, by the machine or by another bus: give each a port of its own in the configuration"
        ),
        error => error.to_string(),
    }
}
