//! What a person can do to a simulated inverter while it is served.

use std::str::FromStr;

use crate::sim::inverter::{BadInverterFault, InverterFault, SimInverter};

/// One command of the person beside the simulated inverter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BusControl {
    /// Something goes wrong.
    Fault(InverterFault),
    /// It is right again; `None`: everything is.
    Fix(Option<InverterFault>),
    /// Show where power comes from and goes.
    Show,
    /// Show the counters.
    Counters,
    /// Show what can be typed.
    Help,
    /// End.
    Quit,
}

/// The text is not a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadBusControl {
    /// Not a fault.
    #[error(transparent)]
    Fault(#[from] BadInverterFault),
    /// Not a command at all.
    #[error("{0:?} is not a command here; type help to see what is")]
    Unknown(String),
}

impl BusControl {
    /// What can be typed.
    pub const HELP: &str = "\
fault NAME       late=800ms, short, wrong-echo, garbage, silence, busy,
                 exception=8475 or exception=8475:4, grid-loss, overload, unit-swap
fix NAME         it is right again; fix all: everything is
show             where power comes from and goes, and what is wrong
counters         requests, answers, exceptions
quit";
}

impl FromStr for BusControl {
    type Err = BadBusControl;

    fn from_str(text: &str) -> Result<Self, BadBusControl> {
        let lower = text.to_ascii_lowercase();
        let words: Vec<&str> = lower.split_whitespace().collect();
        Ok(match words[..] {
            ["fault", name] => Self::Fault(name.parse()?),
            ["fix", "all"] => Self::Fix(None),
            ["fix", name] => Self::Fix(Some(name.parse()?)),
            ["show"] => Self::Show,
            ["counters"] => Self::Counters,
            ["help" | "?"] => Self::Help,
            ["quit" | "exit" | "q"] => Self::Quit,
            _ => return Err(BadBusControl::Unknown(text.trim().to_owned())),
        })
    }
}

/// Where power comes from and goes, in words.
pub(super) fn shown(inverter: &SimInverter) -> String {
    let day = inverter.day();
    let battery = if day.battery_w < 0.0 { "charging" } else { "discharging" };
    let grid = match (day.grid_present, day.grid_w < 0.0) {
        (false, _) => "grid lost".to_owned(),
        (true, true) => format!("exporting {:.0} W", -day.grid_w),
        (true, false) => format!("importing {:.0} W", day.grid_w),
    };
    let faults: Vec<String> = inverter.faults().iter().map(ToString::to_string).collect();
    let faults = if faults.is_empty() { "no faults".to_owned() } else { format!("faults {}", faults.join(", ")) };
    format!(
        "sun {:.0} W, load {:.0} W, battery {:.0} % {battery} {:.0} W, {grid}; {faults}",
        day.pv_w,
        day.load_w,
        day.soc_percent,
        day.battery_w.abs()
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_a_person_types_is_understood_or_named() {
        for (text, control) in [
            ("fault grid-loss", BusControl::Fault(InverterFault::GridLoss)),
            ("FAULT late=1s\n", BusControl::Fault(InverterFault::Late(Duration::from_secs(1)))),
            ("fix all", BusControl::Fix(None)),
            ("fix busy", BusControl::Fix(Some(InverterFault::Busy))),
            ("show", BusControl::Show),
            ("q", BusControl::Quit),
        ] {
            assert_eq!(text.parse(), Ok(control), "{text}");
        }
        for text in ["", "fault", "fault drop", "fix", "door open"] {
            assert!(text.parse::<BusControl>().is_err(), "{text}");
        }
    }
}
