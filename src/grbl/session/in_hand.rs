//! The line that FluidNC has in its hands at a reset.
//!
//! FluidNC carries that one line out after the reset, with modes of its own (recorded; Grbl and grblHAL throw it away). It
//! may be a rapid whose lift before it was thrown away, or an M3. Nobody asked for it any more. So after a reset over lines
//! that had no answer yet, nothing is sent until it is known what became of it. When it was carried out, what it began is
//! held at once, and reset again at standstill; then nothing is in its hands, since nothing was sent meanwhile.

use std::time::Duration;

use super::core::Session;
use super::reports::Mark;
use super::stop::Goal;
use super::stop::StopRun;
use super::window::Owner;
use crate::grbl::event::Event;
use crate::model::Time;
use crate::model::command::Realtime;
use crate::model::machine::{Firmware, MessageLevel, StateKind};

/// The line is read right behind the banner; its answer takes the way of any other.
const ANSWER_WAIT: Duration = Duration::from_millis(500);

/// A line may be in its hands.
#[derive(Clone, Copy, Debug)]
pub(super) enum InHand {
    /// The banner has not come yet.
    Restarting,
    /// Until then it is waited for an answer, or for a report later than `mark` that shows motion.
    Until {
        /// When it is given up.
        until: Time,
        /// A report after the banner.
        mark: Mark,
    },
    /// It was carried out and is being held. A line that is sent now would be the next in its hands.
    Held,
}

impl InHand {
    /// When it is due next.
    pub(super) const fn due(&self) -> Option<Time> {
        match self {
            Self::Restarting | Self::Held => None,
            Self::Until { until, .. } => Some(*until),
        }
    }
}

impl Session {
    /// Before a reset throws away what has no answer.
    pub(super) fn note_in_hand(&mut self) {
        let unanswered = self.window.oldest().is_some_and(|slot| !matches!(slot.owner, Owner::Query(_)));
        self.in_hand = (self.firmware == Some(Firmware::FluidNc) && unanswered).then_some(InHand::Restarting);
    }

    /// The banner came, or is waited for no longer.
    pub(super) fn await_in_hand(&mut self, now: Time) {
        if self.in_hand.is_some() {
            let mark = self.reports.mark();
            self.in_hand = Some(InHand::Until { until: now + ANSWER_WAIT, mark });
        }
    }

    /// An answer: `true`, it was that of the line in its hands.
    pub(super) fn answers_in_hand(&mut self, now: Time, error: Option<u16>) -> bool {
        if !matches!(self.in_hand, Some(InHand::Restarting | InHand::Until { .. })) {
            return false;
        }
        self.in_hand = None;
        // Refused, it has done nothing.
        if error.is_none() {
            self.hold_in_hand(now);
        }
        true
    }

    /// One turn of waiting.
    pub(super) fn step_in_hand(&mut self, now: Time) {
        let (until, mark) = match self.in_hand {
            Some(InHand::Until { until, mark }) => (until, mark),
            // It came to rest by itself.
            Some(InHand::Held) if self.stop.as_ref().is_none_or(StopRun::is_done) => {
                self.in_hand = None;
                return;
            }
            _ => return,
        };
        let moves = self.state().is_some_and(|state| matches!(state.kind, StateKind::Run | StateKind::Jog));
        if self.reports.is_proved(mark) && moves {
            self.hold_in_hand(now);
        } else if now >= until {
            self.in_hand = None;
        }
    }

    fn hold_in_hand(&mut self, now: Time) {
        let asked = self.stop.as_ref().map_or(Realtime::SoftReset, StopRun::asked);
        self.in_hand = Some(InHand::Held);
        self.outgoing.hold();
        self.begin_stop_run(now, asked, Goal::HeldThenReset);
        let text =
            "FluidNC began to carry out a line that it still had in its hands at the reset: held, and reset once more";
        self.events.push_back(Event::Message { level: MessageLevel::Warning, text: text.to_owned() });
    }

    /// A reset is under way, or what it left behind is not known yet: no line may be sent.
    pub(super) const fn is_restarting(&self) -> bool {
        self.restarting_until.is_some() || self.in_hand.is_some()
    }
}
