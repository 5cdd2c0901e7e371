//! What a person can do to a machine while it is served: switches, probe, faults.

use std::str::FromStr;

use crate::sim::machine::{BadFault, Fault, Machine};

/// One command of the person beside the simulated machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Control {
    /// An input closes (`true`) or opens.
    Pin(char, bool),
    /// Height of the touch plate, Z of a homed machine; `None` takes it away.
    Plate(Option<f64>),
    /// Something goes wrong.
    Fault(Fault),
    /// Show the counters.
    Counters,
    /// Show what can be typed.
    Help,
    /// End.
    Quit,
}

/// The text is not a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadControl {
    /// Not a fault.
    #[error(transparent)]
    Fault(#[from] BadFault),
    /// Not a command at all.
    #[error("{0:?} is not a command here; type help to see what is")]
    Unknown(String),
}

impl Control {
    /// What can be typed.
    pub const HELP: &str = "\
pin X on | pin X off      limit switch of an axis; also D door, P probe, H hold, S start, R reset
door open | door close    the safety door
probe on | probe off      the probe touches
plate -30 | plate off     height at which the probe touches
fault NAME                drop, garbage, silence, reset, hard-limit
counters                  bytes lost, lines read, times the planner starved
quit";
}

impl FromStr for Control {
    type Err = BadControl;

    fn from_str(text: &str) -> Result<Self, BadControl> {
        let unknown = || BadControl::Unknown(text.trim().to_owned());
        let lower = text.to_ascii_lowercase();
        let words: Vec<&str> = lower.split_whitespace().collect();
        let switch = |word: &str| match word {
            "on" | "1" | "open" => Ok(true),
            "off" | "0" | "close" | "closed" => Ok(false),
            _ => Err(unknown()),
        };
        Ok(match words[..] {
            ["pin", pin, state] if pin.len() == 1 => {
                Self::Pin(pin.to_ascii_uppercase().chars().next().ok_or_else(unknown)?, switch(state)?)
            }
            ["door", state] => Self::Pin('D', switch(state)?),
            ["probe", state] => Self::Pin('P', switch(state)?),
            ["plate", "off"] => Self::Plate(None),
            ["plate", z] => Self::Plate(Some(z.parse().ok().filter(|z: &f64| z.is_finite()).ok_or_else(unknown)?)),
            ["fault", name] => Self::Fault(name.parse()?),
            ["counters"] => Self::Counters,
            ["help" | "?"] => Self::Help,
            ["quit" | "exit" | "q"] => Self::Quit,
            _ => return Err(unknown()),
        })
    }
}

impl Machine {
    /// Does what the person beside the machine did; the rest of [`Control`] is for the server.
    pub(super) fn apply(&mut self, control: Control) {
        match control {
            Control::Pin(pin, true) => self.press_pin(pin),
            Control::Pin(pin, false) => self.release_pin(pin),
            Control::Plate(z_mm) => self.set_probe_contact_at(z_mm),
            Control::Fault(fault) => self.trigger(fault),
            Control::Counters | Control::Help | Control::Quit => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_types_is_understood_or_named() {
        for (text, control) in [
            ("pin x on", Control::Pin('X', true)),
            ("door close\n", Control::Pin('D', false)),
            ("probe 1", Control::Pin('P', true)),
            ("plate -12.5", Control::Plate(Some(-12.5))),
            ("fault hard-limit", Control::Fault(Fault::HardLimit)),
            ("quit", Control::Quit),
        ] {
            assert_eq!(text.parse(), Ok(control), "{text}");
        }
        for text in ["pin", "pin XY on", "door ajar", "plate inf", "fault nonsense", ""] {
            assert!(text.parse::<Control>().is_err(), "{text}");
        }
    }
}
