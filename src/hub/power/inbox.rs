//! What the hub's task waits for on the side of inverters.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use crate::driver::bus::BusEvent;
use crate::inverter::Values;
use crate::model::command::TicketId;
use crate::model::power::ChangeRow;

/// Answers of buses that may wait for the hub; whoever brings one waits.
pub(super) const TOLD: usize = 32;

/// Something happened on the side of inverters.
#[derive(Debug)]
pub(in crate::hub) enum News {
    /// A bus tells something.
    Bus(BusEvent),
    /// No bus tells anything any more.
    BusesGone,
    /// A row of the history is over.
    Tick,
    /// Dangerous settings may have been armed for long enough.
    Disarm,
    /// What a set of settings would do, before it is written.
    Judged {
        /// Whose.
        ticket: TicketId,
        /// Each of them; or why it cannot be written.
        rows: Result<Vec<ChangeRow>, Vec<String>>,
    },
    /// All that is known of an inverter.
    Looked {
        /// Which.
        place: usize,
        /// Its registers.
        values: Arc<Values>,
    },
}

/// Where it comes from.
#[derive(Debug)]
pub(in crate::hub) struct Inbox {
    events: Option<mpsc::Receiver<BusEvent>>,
    told: mpsc::Receiver<News>,
    tick: Option<Interval>,
}

impl Inbox {
    /// `tick` is the time of a row of the history, and how much of the present one is over. To be called in the runtime.
    pub(super) fn new(
        events: Option<mpsc::Receiver<BusEvent>>,
        told: mpsc::Receiver<News>,
        tick: Option<(Duration, Duration)>,
    ) -> Self {
        let tick = tick.map(|(every, over)| {
            let mut tick = interval_at(Instant::now() + every.saturating_sub(over), every);
            tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
            tick
        });
        Self { events, told, tick }
    }

    /// The next thing. Nothing is lost if the call is dropped.
    pub(in crate::hub) async fn next(&mut self) -> News {
        tokio::select! {
            biased;
            Some(news) = self.told.recv() => news,
            event = next_event(&mut self.events) => match event {
                Some(event) => News::Bus(event),
                None => {
                    self.events = None;
                    News::BusesGone
                }
            },
            () = next_tick(&mut self.tick) => News::Tick,
        }
    }
}

/// Never comes where there are no buses.
async fn next_event(events: &mut Option<mpsc::Receiver<BusEvent>>) -> Option<BusEvent> {
    match events {
        Some(events) => events.recv().await,
        None => std::future::pending().await,
    }
}

/// Never comes where there is nothing to sample.
async fn next_tick(tick: &mut Option<Interval>) {
    match tick {
        Some(tick) => {
            tick.tick().await;
        }
        None => std::future::pending().await,
    }
}
