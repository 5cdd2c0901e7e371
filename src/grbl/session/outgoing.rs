//! Realtime bytes that wait to leave: a set, not a queue.
//!
//! They go in the order of what matters most: reset, jog cancel, hold, door, status, and only then what starts or tunes.

use std::time::Duration;

use crate::grbl::realtime as byte;
use crate::model::Time;
use crate::model::command::{OverrideStep, RapidStep, Realtime};
use crate::model::latch::RealtimeSet;
use crate::model::machine::Firmware;

/// Grbl collapses overrides that arrive in one burst (facts: grbl-protocol §0.9), so they go one by one.
const GRBL_OVERRIDE_GAP: Duration = Duration::from_millis(50);

/// What tunes and is one byte, in the order of leaving; the steps of the overrides come after it.
const TUNED: [Realtime; 8] = [
    Realtime::FeedOverride(OverrideStep::Reset),
    Realtime::SpindleOverride(OverrideStep::Reset),
    Realtime::RapidOverride(RapidStep::Full),
    Realtime::RapidOverride(RapidStep::Half),
    Realtime::RapidOverride(RapidStep::Quarter),
    Realtime::SpindleStop,
    Realtime::FloodToggle,
    Realtime::MistToggle,
];

/// What waits.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    reset: bool,
    jog_cancel: bool,
    hold: bool,
    door: bool,
    status: bool,
    resume: bool,
    tuning: RealtimeSet,
    override_at: Time,
}

/// A realtime byte and what it means; `None` for status questions and repeats that are not told.
pub(super) type Byte = (u8, Option<Realtime>);

impl Outgoing {
    /// A reset wipes every other waiting bit (design §4, invariant 6).
    pub(super) fn reset(&mut self) {
        *self = Self { reset: true, override_at: self.override_at, ..Self::default() };
    }

    /// A stop takes back a resume that has not left.
    pub(super) fn hold(&mut self) {
        self.hold = true;
        self.resume = false;
    }

    pub(super) fn jog_cancel(&mut self) {
        self.jog_cancel = true;
        self.resume = false;
    }

    pub(super) fn door(&mut self) {
        self.door = true;
        self.resume = false;
    }

    pub(super) fn status(&mut self) {
        self.status = true;
    }

    pub(super) fn resume(&mut self) {
        self.resume = !(self.hold || self.reset || self.door);
    }

    pub(super) fn take_back_resume(&mut self) {
        self.resume = false;
    }

    /// Overrides and toggles of the set; they add up with what waits already.
    pub(super) fn tune(&mut self, set: &RealtimeSet) {
        for realtime in TUNED {
            if set.contains(realtime) {
                self.tuning.insert(realtime);
            }
        }
        self.tuning.feed_coarse += set.feed_coarse;
        self.tuning.feed_fine += set.feed_fine;
        self.tuning.spindle_coarse += set.spindle_coarse;
        self.tuning.spindle_fine += set.spindle_fine;
    }

    /// The next byte to leave.
    pub(super) fn next(&mut self, now: Time, firmware: Option<Firmware>) -> Option<Byte> {
        let take = |flag: &mut bool| std::mem::take(flag);
        if take(&mut self.reset) {
            return Some((byte::SOFT_RESET, Some(Realtime::SoftReset)));
        }
        if take(&mut self.jog_cancel) {
            return Some((byte::JOG_CANCEL, Some(Realtime::JogCancel)));
        }
        if take(&mut self.hold) {
            return Some((byte::FEED_HOLD, Some(Realtime::FeedHold)));
        }
        if take(&mut self.door) {
            return Some((byte::SAFETY_DOOR, Some(Realtime::SafetyDoor)));
        }
        if take(&mut self.status) {
            return Some((byte::STATUS, None));
        }
        if take(&mut self.resume) {
            return Some((byte::CYCLE_START, Some(Realtime::CycleStart)));
        }
        if now < self.override_at {
            return None;
        }
        let realtime = self.next_tuning()?;
        if firmware == Some(Firmware::Grbl) {
            self.override_at = now + GRBL_OVERRIDE_GAP;
        }
        byte::byte(realtime).map(|b| (b, Some(realtime)))
    }

    fn next_tuning(&mut self) -> Option<Realtime> {
        use OverrideStep::{CoarseMinus, CoarsePlus, FineMinus, FinePlus};
        let set = &mut self.tuning;
        for realtime in TUNED {
            if set.contains(realtime) {
                set.remove(realtime);
                return Some(realtime);
            }
        }
        let feed = [(&mut set.feed_coarse, CoarsePlus, CoarseMinus), (&mut set.feed_fine, FinePlus, FineMinus)];
        for (count, plus, minus) in feed {
            if *count != 0 {
                let step = if *count > 0 { plus } else { minus };
                *count -= count.signum();
                return Some(Realtime::FeedOverride(step));
            }
        }
        let spindle =
            [(&mut set.spindle_coarse, CoarsePlus, CoarseMinus), (&mut set.spindle_fine, FinePlus, FineMinus)];
        for (count, plus, minus) in spindle {
            if *count != 0 {
                let step = if *count > 0 { plus } else { minus };
                *count -= count.signum();
                return Some(Realtime::SpindleOverride(step));
            }
        }
        None
    }

    /// When a byte that has to wait may leave.
    pub(super) fn due(&self) -> Option<Time> {
        (!self.tuning.is_empty()).then_some(self.override_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(outgoing: &mut Outgoing, now: Time, firmware: Firmware) -> Vec<u8> {
        std::iter::from_fn(|| outgoing.next(now, Some(firmware)).map(|(b, _)| b)).collect()
    }

    #[test]
    fn what_stops_goes_first_and_a_set_is_no_queue() {
        let mut outgoing = Outgoing::default();
        outgoing.resume();
        outgoing.status();
        outgoing.status();
        outgoing.hold();
        outgoing.hold();
        assert_eq!(drain(&mut outgoing, Time::ZERO, Firmware::FluidNc), b"!?", "the hold took the resume back");
    }

    #[test]
    fn a_reset_wipes_the_rest() {
        let mut outgoing = Outgoing::default();
        outgoing.hold();
        outgoing.status();
        let mut set = RealtimeSet::default();
        set.insert(Realtime::FeedOverride(OverrideStep::CoarsePlus));
        outgoing.tune(&set);
        outgoing.reset();
        assert_eq!(drain(&mut outgoing, Time::ZERO, Firmware::Grbl), [0x18]);
    }

    #[test]
    fn overrides_are_spread_out_on_grbl_only() {
        let mut set = RealtimeSet::default();
        for _ in 0..3 {
            set.insert(Realtime::FeedOverride(OverrideStep::CoarsePlus));
        }
        let mut outgoing = Outgoing::default();
        outgoing.tune(&set);
        assert_eq!(drain(&mut outgoing, Time::ZERO, Firmware::FluidNc), [0x91, 0x91, 0x91]);
        let mut outgoing = Outgoing::default();
        outgoing.tune(&set);
        assert_eq!(drain(&mut outgoing, Time::ZERO, Firmware::Grbl), [0x91]);
        assert_eq!(outgoing.due(), Some(Time::from_millis(50)));
        assert_eq!(drain(&mut outgoing, Time::from_millis(50), Firmware::Grbl), [0x91]);
        assert_eq!(drain(&mut outgoing, Time::from_millis(100), Firmware::Grbl), [0x91]);
        assert_eq!(outgoing.due(), None);
    }
}
