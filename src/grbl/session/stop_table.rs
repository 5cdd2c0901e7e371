//! The stop table: key × situation × firmware → what is sent. One table, a test per cell.
//!
//! Sources: facts grbl-protocol §0.4, §2.2, §5; the reset itself is not in it because it always goes out.

use super::situation::Situation;
use crate::model::command::Realtime;
use crate::model::machine::Firmware;

/// What a stop key leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing is sent, and why.
    Nothing(&'static str),
    /// `!`, and watch until `Hold:0`.
    FeedHold,
    /// `!`, wait for `Hold:0`, then reset: position is kept.
    HoldThenReset,
    /// 0x84, and watch until it stands at the door.
    Door,
    /// 0x84, wait until it stands there, then reset.
    DoorThenReset,
    /// The jog-cancel recipe.
    CancelJog,
    /// 0x18: nothing else stops this.
    Reset,
}

/// Looks up the cell for [`Realtime::Stop`], [`Realtime::FeedHold`] or [`Realtime::StopProgram`].
pub fn decide(key: Realtime, situation: Situation, firmware: Option<Firmware>) -> Decision {
    use Decision::{CancelJog, Door, DoorThenReset, FeedHold, HoldThenReset, Nothing, Reset};
    let end_program = key == Realtime::StopProgram;
    match situation {
        Situation::Closed => Nothing("the link is down: sunmill cannot reach the machine, use its own stop"),
        // Grbl and FluidNC end a jog on `!` as well, but grblHAL ignores it while jogging.
        Situation::Jog | Situation::Unknown { last_was_jog: true } => CancelJog,
        Situation::Run | Situation::Unknown { last_was_jog: false } => {
            if end_program {
                HoldThenReset
            } else {
                FeedHold
            }
        }
        // FluidNC ignores `!` while homing; on the others only a reset is sure.
        Situation::Home => Reset,
        // It is about to move, and `!` is ignored in Door (Grbl `protocol_exec_rt_system`): the door byte takes it back there.
        Situation::LeavingDoor if end_program => DoorThenReset,
        Situation::LeavingDoor => Door,
        Situation::Hold { .. } | Situation::Door { .. } if end_program => HoldThenReset,
        Situation::Hold { stopped: true } => Nothing("already on hold"),
        Situation::Hold { stopped: false } => Nothing("already slowing to a hold"),
        Situation::Door { stopped: true } => Nothing("already stopped by the safety door"),
        Situation::Door { stopped: false } => Nothing("already slowing for the safety door"),
        // `!` would latch a Hold here.
        Situation::Idle => Nothing("nothing moves"),
        Situation::Check if end_program => Reset,
        Situation::Check => Nothing("check mode moves nothing"),
        Situation::Tool if end_program => Reset,
        Situation::Tool => Nothing("it waits for a tool change, nothing moves"),
        Situation::Sleep => Nothing("the controller sleeps, the motors are off"),
        Situation::Starting => Nothing("the controller is restarting, nothing moves"),
        Situation::Alarm => Nothing(match firmware {
            Some(Firmware::Grbl) => "locked by an alarm; Grbl may not answer until a reset (Ctrl+X)",
            _ => "locked by an alarm, nothing moves",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole table, written out: a change of any cell has to be made twice.
    #[test]
    fn every_cell() {
        const FW: [Option<Firmware>; 4] =
            [None, Some(Firmware::Grbl), Some(Firmware::FluidNc), Some(Firmware::GrblHal)];
        let rows = [
            (Situation::Closed, "none", "none", "none"),
            (Situation::Unknown { last_was_jog: true }, "cancel", "cancel", "cancel"),
            (Situation::Unknown { last_was_jog: false }, "hold", "hold", "hold+reset"),
            (Situation::Idle, "none", "none", "none"),
            (Situation::Run, "hold", "hold", "hold+reset"),
            (Situation::Jog, "cancel", "cancel", "cancel"),
            (Situation::Home, "reset", "reset", "reset"),
            (Situation::Hold { stopped: true }, "none", "none", "hold+reset"),
            (Situation::Hold { stopped: false }, "none", "none", "hold+reset"),
            (Situation::Door { stopped: true }, "none", "none", "hold+reset"),
            (Situation::Door { stopped: false }, "none", "none", "hold+reset"),
            (Situation::LeavingDoor, "door", "door", "door+reset"),
            (Situation::Alarm, "none", "none", "none"),
            (Situation::Check, "none", "none", "reset"),
            (Situation::Sleep, "none", "none", "none"),
            (Situation::Tool, "none", "none", "reset"),
            (Situation::Starting, "none", "none", "none"),
        ];
        let name = |decision| match decision {
            Decision::Nothing(why) => {
                assert!(!why.is_empty());
                "none"
            }
            Decision::FeedHold => "hold",
            Decision::HoldThenReset => "hold+reset",
            Decision::Door => "door",
            Decision::DoorThenReset => "door+reset",
            Decision::CancelJog => "cancel",
            Decision::Reset => "reset",
        };
        for firmware in FW {
            for (situation, stop, hold, program) in rows {
                for (key, want) in
                    [(Realtime::Stop, stop), (Realtime::FeedHold, hold), (Realtime::StopProgram, program)]
                {
                    assert_eq!(
                        name(decide(key, situation, firmware)),
                        want,
                        "{key:?} in {situation:?} on {firmware:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn an_alarm_on_grbl_says_that_nothing_answers() {
        let Decision::Nothing(why) = decide(Realtime::Stop, Situation::Alarm, Some(Firmware::Grbl)) else {
            panic!("nothing is sent in alarm")
        };
        assert!(why.contains("reset"));
    }
}
