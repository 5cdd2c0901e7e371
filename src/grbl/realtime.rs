//! Realtime bytes: taken out of the stream by the controller the moment they arrive, never answered `ok`.
//!
//! | byte | Grbl 1.1 | FluidNC | grblHAL |
//! |---|---|---|---|
//! | `?` | status; a burst is answered once | status; each is answered | status; a burst is answered once |
//! | `!` | feed hold (cancels a jog) | feed hold (cancels a jog) | feed hold (**ignored in a jog**) |
//! | `~` | cycle start | cycle start | cycle start, also ends `Tool` |
//! | 0x18 | soft reset | soft reset | soft reset |
//! | 0x84 | safety door | safety door | safety door |
//! | 0x85 | jog cancel | jog cancel | jog cancel, **empties the receive buffer in any state** |
//! | 0x90–0x94 | feed 100 %, +10, −10, +1, −1 | same | same |
//! | 0x95–0x97 | rapid 100, 50, 25 % | same | same |
//! | 0x99–0x9D | spindle 100 %, +10, −10, +1, −1 | same | same |
//! | 0x9E | spindle stop, in Hold only | same | same |
//! | 0xA0, 0xA1 | flood, mist toggle | same | same |
//!
//! Sources: Grbl 1.1 `doc/markdown/commands.md` and `config.h`, FluidNC `RealtimeCmd.h`, grblHAL `grbl.h`.

use crate::model::command::{OverrideStep, RapidStep, Realtime};

/// `?`: status report.
pub const STATUS: u8 = b'?';
/// `!`: feed hold.
pub const FEED_HOLD: u8 = b'!';
/// `~`: cycle start, resume.
pub const CYCLE_START: u8 = b'~';
/// Ctrl-X: soft reset.
pub const SOFT_RESET: u8 = 0x18;
/// Safety door.
pub const SAFETY_DOOR: u8 = 0x84;
/// Jog cancel.
pub const JOG_CANCEL: u8 = 0x85;
/// Spindle stop toggle, in Hold only.
pub const SPINDLE_STOP: u8 = 0x9E;
/// Flood coolant toggle.
pub const FLOOD_TOGGLE: u8 = 0xA0;
/// Mist coolant toggle.
pub const MIST_TOGGLE: u8 = 0xA1;

const FEED_OVERRIDE: u8 = 0x90;
const RAPID_OVERRIDE: u8 = 0x95;
const SPINDLE_OVERRIDE: u8 = 0x99;

/// The byte of an action. `None` for those that are no single byte: [`Realtime::Stop`] (a table decides),
/// [`Realtime::StopProgram`] (a sequence) and [`Realtime::ReconnectNow`] (not for the controller).
pub const fn byte(realtime: Realtime) -> Option<u8> {
    Some(match realtime {
        Realtime::Stop | Realtime::StopProgram | Realtime::ReconnectNow => return None,
        Realtime::FeedHold => FEED_HOLD,
        Realtime::SoftReset => SOFT_RESET,
        Realtime::JogCancel => JOG_CANCEL,
        Realtime::CycleStart => CYCLE_START,
        Realtime::SafetyDoor => SAFETY_DOOR,
        Realtime::StatusQuery => STATUS,
        Realtime::FeedOverride(step) => FEED_OVERRIDE + step_offset(step),
        Realtime::RapidOverride(RapidStep::Full) => RAPID_OVERRIDE,
        Realtime::RapidOverride(RapidStep::Half) => RAPID_OVERRIDE + 1,
        Realtime::RapidOverride(RapidStep::Quarter) => RAPID_OVERRIDE + 2,
        Realtime::SpindleOverride(step) => SPINDLE_OVERRIDE + step_offset(step),
        Realtime::SpindleStop => SPINDLE_STOP,
        Realtime::FloodToggle => FLOOD_TOGGLE,
        Realtime::MistToggle => MIST_TOGGLE,
    })
}

const fn step_offset(step: OverrideStep) -> u8 {
    match step {
        OverrideStep::Reset => 0,
        OverrideStep::CoarsePlus => 1,
        OverrideStep::CoarseMinus => 2,
        OverrideStep::FinePlus => 3,
        OverrideStep::FineMinus => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_those_of_the_manuals() {
        use OverrideStep::{CoarseMinus, CoarsePlus, FineMinus, FinePlus, Reset};
        for (realtime, expected) in [
            (Realtime::StatusQuery, 0x3F),
            (Realtime::FeedHold, 0x21),
            (Realtime::CycleStart, 0x7E),
            (Realtime::SoftReset, 0x18),
            (Realtime::SafetyDoor, 0x84),
            (Realtime::JogCancel, 0x85),
            (Realtime::FeedOverride(Reset), 0x90),
            (Realtime::FeedOverride(CoarsePlus), 0x91),
            (Realtime::FeedOverride(CoarseMinus), 0x92),
            (Realtime::FeedOverride(FinePlus), 0x93),
            (Realtime::FeedOverride(FineMinus), 0x94),
            (Realtime::RapidOverride(RapidStep::Full), 0x95),
            (Realtime::RapidOverride(RapidStep::Half), 0x96),
            (Realtime::RapidOverride(RapidStep::Quarter), 0x97),
            (Realtime::SpindleOverride(Reset), 0x99),
            (Realtime::SpindleOverride(CoarsePlus), 0x9A),
            (Realtime::SpindleOverride(CoarseMinus), 0x9B),
            (Realtime::SpindleOverride(FinePlus), 0x9C),
            (Realtime::SpindleOverride(FineMinus), 0x9D),
            (Realtime::SpindleStop, 0x9E),
            (Realtime::FloodToggle, 0xA0),
            (Realtime::MistToggle, 0xA1),
        ] {
            assert_eq!(byte(realtime), Some(expected), "{realtime:?}");
        }
        for realtime in [Realtime::Stop, Realtime::StopProgram, Realtime::ReconnectNow] {
            assert_eq!(byte(realtime), None, "{realtime:?}");
        }
    }
}
