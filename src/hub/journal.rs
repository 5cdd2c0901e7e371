//! The hub's log: numbers its entries and puts events into a person's words.

use std::sync::Arc;

use tokio::sync::broadcast;

use super::ledger::Ledger;
use crate::driver::machine::{Event, EventKind};
use crate::grbl;
use crate::grbl::event::ResetCause;
use crate::model::axes::AxisVec;
use crate::model::log::{LogEntry, LogItem};
use crate::model::machine::{AlarmInfo, MessageLevel};
use crate::model::snapshot::{LinkState, Machine, StopPhase};
use crate::model::time::Time;

/// Writes the log. Clients that are slow lose the oldest entries and are told how many.
#[derive(Debug)]
pub(super) struct Journal {
    last_id: u64,
    log: broadcast::Sender<Arc<LogEntry>>,
    /// Why the link was down when that was last said, so that retries do not repeat it.
    down_said: Option<String>,
    /// Unreadable bytes since the link opened, and how many of them have been told.
    garbage: (usize, usize),
}

impl Journal {
    pub(super) fn new(log: broadcast::Sender<Arc<LogEntry>>) -> Self {
        Self { last_id: 0, log, down_said: None, garbage: (0, 0) }
    }

    pub(super) fn write(&mut self, at: Time, what: LogItem) {
        self.last_id += 1;
        // An error says that nobody listens, which is no error here.
        let _ = self.log.send(Arc::new(LogEntry { id: self.last_id, at, what }));
    }

    /// What `event` means to a reader. `machine` is as it was folded with the event. Outcomes are the hub's to write.
    pub(super) fn tell(&mut self, event: &Event, machine: &Machine, ledger: &Ledger) {
        let item = match &event.what {
            EventKind::Link(state) => self.link(state, machine),
            EventKind::Session(grbl::Event::Garbage { bytes }) => self.garbage(*bytes, machine),
            EventKind::Session(event) => session(event, ledger),
            EventKind::Wire { out, text } => Some(LogItem::Wire { out: *out, text: text.clone() }),
            // The outcome of the command and the links that follow say it.
            EventKind::Asked(_)
            | EventKind::KeptBack(_)
            | EventKind::Outcome { .. }
            | EventKind::Stats(_)
            | EventKind::Port(_) => None,
        };
        if let Some(item) = item {
            self.write(event.at, item);
        }
    }

    /// A new alarm, or the code of one that had none.
    pub(super) fn alarm(&mut self, at: Time, info: Option<&AlarmInfo>) {
        let (code, text) = match info {
            Some(info) => (info.code, format!("{} {}", info.meaning, info.remedy)),
            None => (0, "The controller is locked and told no code: home or unlock it.".to_owned()),
        };
        self.write(at, LogItem::Alarm { code, text });
    }

    /// Told at the first and then whenever there is twice as much, so that a noisy line does not fill the log.
    fn garbage(&mut self, bytes: usize, machine: &Machine) -> Option<LogItem> {
        let (heard, told) = &mut self.garbage;
        *heard += bytes;
        // Without an answer the link itself says what it hears, and what that means.
        if machine.link.state != LinkState::Up || *heard < 2 * *told {
            return None;
        }
        *told = *heard;
        let text =
            format!("{heard} unreadable bytes on the line so far: look for a loose plug, noise or a wrong baud rate");
        Some(note(MessageLevel::Warning, text))
    }

    fn link(&mut self, state: &LinkState, machine: &Machine) -> Option<LogItem> {
        if !matches!(state, LinkState::Up | LinkState::Identifying) {
            self.garbage = (0, 0);
        }
        let text = match state {
            LinkState::Up => {
                self.down_said = None;
                let who = machine.identity.as_ref().map_or_else(
                    || "a controller".to_owned(),
                    |identity| format!("{} {}", identity.firmware, identity.version),
                );
                return Some(note(MessageLevel::Info, format!("{who} answers on {}", machine.link.endpoint)));
            }
            LinkState::Down { why, .. } => {
                if self.down_said.as_ref() == Some(why) {
                    return None;
                }
                self.down_said = Some(why.clone());
                format!("the link is down: {why}")
            }
            LinkState::Silent { why } | LinkState::Foreign { why } => why.clone(),
            LinkState::Opening | LinkState::Asking | LinkState::Identifying => return None,
        };
        Some(note(MessageLevel::Warning, text))
    }
}

fn session(event: &grbl::Event, ledger: &Ledger) -> Option<LogItem> {
    use grbl::Event as E;
    Some(match event {
        E::Sent { ticket: Some(ticket), text } => {
            LogItem::Sent { ticket: *ticket, origin: ledger.origin(*ticket), text: text.clone() }
        }
        E::SentRealtime(realtime) => LogItem::SentRealtime(*realtime),
        E::Message { level, text } => LogItem::Received { level: *level, text: text.clone() },
        E::Probe(probe) => received(format!("[PRB:{}:{}]", numbers(&probe.position), u8::from(probe.success))),
        // Answers to sunmill's own questions are of no interest to a person who has asked nothing.
        E::Modal(modal) if ledger.awaits_listing() => received(format!("[GC:{}]", modal.words.join(" "))),
        E::Offset { name, value } if ledger.awaits_listing() => received(format!("[{name}:{}]", numbers(value))),
        E::Setting { name, value } if ledger.awaits_listing() => received(format!("${name}={value}")),
        E::Reset { cause: ResetCause::Asked, banner } => received(banner.clone()),
        E::Reset { cause: ResetCause::OnOpening, banner } => note(
            MessageLevel::Info,
            format!("the controller started when its port was opened ({banner}): it has not been homed since"),
        ),
        E::Reset { cause: ResetCause::ByItself, banner } => note(
            MessageLevel::Warning,
            format!("the controller restarted by itself ({banner}): position is not known, home before moving"),
        ),
        E::Stop(stop) if stop.phase == StopPhase::NotConfirmed => note(
            MessageLevel::Error,
            "the stop is NOT confirmed: the machine may still move, use its own stop button".to_owned(),
        ),
        _ => return None,
    })
}

fn received(text: String) -> LogItem {
    LogItem::Received { level: MessageLevel::Info, text }
}

fn note(level: MessageLevel, text: String) -> LogItem {
    LogItem::Note { level, text }
}

fn numbers(values: &AxisVec) -> String {
    values.as_slice().iter().map(|value| format!("{value:.3}")).collect::<Vec<_>>().join(",")
}
