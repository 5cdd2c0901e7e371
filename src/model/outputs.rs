//! Digital and analog outputs of the controller: what they are called, what they may be given, what was asked of them.
//!
//! No firmware reports how they stand, so all that is ever known is what was asked for.
//!
//! `M64 P` and `M65 P` switch a digital output on and off at once, `M68 E Q` sets an analog one; `M62`, `M63` and `M67`
//! wait for the motion before them. FluidNC: `FluidNC/src/GCode.cpp`, step 4 "turn on/off an i/o pin" (`P` and `E` below
//! `MaxUserDigitalPin`, `Q` forced into 0 to 100 %). grblHAL: `gcode.c`, group M10, `IoMCode_*` (`P` and `E` below what
//! the driver has, `Q` in the driver's own unit). Grbl has none of them (`gcode.c`: unsupported command).

use serde::{Deserialize, Serialize};

use super::command::Refused;
use super::legal::cannot;
use super::machine::{Firmware, StateKind};
use super::quantity::number;
use super::snapshot::Snapshot;

/// Most outputs that are named: all of them fit in one question on a small screen.
pub const MAX_OUTPUTS: usize = 8;

/// An output as the controller counts them, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum OutputPin {
    /// On or off: `P` of `M62` to `M65`.
    Digital(u8),
    /// A value: `E` of `M67` and `M68`.
    Analog(u8),
}

/// An output that its owner has given a name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// What it switches.
    pub name: String,
    /// Which.
    pub pin: OutputPin,
    /// The most that it is given; 1 for a digital one.
    pub max: f64,
}

/// What an output is to be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputOrder {
    /// Which.
    pub pin: OutputPin,
    /// `Q` of an analog output; 0 is off and 1 is on for a digital one.
    pub value: f64,
}

/// What a line asked of an output.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputAsked {
    /// Which.
    pub pin: OutputPin,
    /// As in [`OutputOrder`]. `None`: the line calculates it.
    pub value: Option<f64>,
}

/// The line that does it at once.
pub fn of_output(order: OutputOrder) -> String {
    match order.pin {
        OutputPin::Digital(n) if order.value == 0.0 => format!("M65 P{n}"),
        OutputPin::Digital(n) => format!("M64 P{n}"),
        OutputPin::Analog(n) => format!("M68 E{n} Q{}", number(order.value)),
    }
}

/// Whether an output may be switched now.
///
/// # Errors
/// There are none on this firmware, it is not named, the value is above its cap, or the state does not allow a line.
pub(super) fn check_output(order: OutputOrder, state: StateKind, snapshot: &Snapshot) -> Result<(), Refused> {
    let machine = &snapshot.machine;
    if machine.identity.as_ref().is_some_and(|identity| identity.firmware == Firmware::Grbl) {
        return Err(Refused::because("Grbl has no outputs but spindle and coolant (no M62 to M68)"));
    }
    let Some(output) = snapshot.outputs.iter().find(|output| output.pin == order.pin) else {
        return Err(Refused::because("config.toml names no such output ([[outputs]])"));
    };
    if matches!(order.pin, OutputPin::Digital(_)) && order.value != 0.0 && order.value != 1.0 {
        return Err(Refused::because(format!("{} is on or off", output.name)));
    }
    below_cap(output, Some(order.value))?;
    match state {
        // In a hold the line would wait, and act at a resume that somebody else may give.
        StateKind::Idle | StateKind::Run => Ok(()),
        other => Err(cannot("switch an output", other, machine)),
    }
}

/// Holds what a typed line asks for against the caps of the outputs that have names.
///
/// # Errors
/// Above the cap, or calculated, so that nobody knows.
pub fn check_caps(asked: &[OutputAsked], outputs: &[Output]) -> Result<(), Refused> {
    asked.iter().try_for_each(|asked| match outputs.iter().find(|output| output.pin == asked.pin) {
        Some(output) if matches!(output.pin, OutputPin::Analog(_)) => below_cap(output, asked.value),
        _ => Ok(()),
    })
}

fn below_cap(output: &Output, value: Option<f64>) -> Result<(), Refused> {
    let (name, max) = (&output.name, number(output.max));
    match value {
        Some(value) if (0.0..=output.max).contains(&value) => Ok(()),
        Some(value) => Err(Refused::because(format!("{name} takes 0 to {max} (config.toml), not {}", number(value)))),
        None => Err(Refused::because(format!(
            "{name} takes at most {max} (config.toml), and this line calculates its value: write a number"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::machine::Identity;

    fn snapshot(firmware: Firmware) -> Snapshot {
        let identity = Identity {
            firmware,
            version: "1".into(),
            name: None,
            options: String::new(),
            planner_blocks: None,
            rx_bytes: None,
            axes: Some(3),
        };
        let mut snapshot = Snapshot::default();
        snapshot.machine.identity = Some(identity);
        snapshot.outputs = Arc::new(vec![
            Output { name: "lamp".into(), pin: OutputPin::Digital(0), max: 1.0 },
            Output { name: "fan".into(), pin: OutputPin::Analog(2), max: 60.0 },
        ]);
        snapshot
    }

    fn order(pin: OutputPin, value: f64) -> OutputOrder {
        OutputOrder { pin, value }
    }

    #[test]
    fn lines_act_at_once() {
        assert_eq!(of_output(order(OutputPin::Digital(3), 1.0)), "M64 P3");
        assert_eq!(of_output(order(OutputPin::Digital(0), 0.0)), "M65 P0");
        assert_eq!(of_output(order(OutputPin::Analog(2), 37.5)), "M68 E2 Q37.5");
    }

    #[test]
    fn a_cap_holds_on_every_firmware_that_has_outputs() {
        let ask = |firmware, pin, value| {
            check_output(order(pin, value), StateKind::Idle, &snapshot(firmware)).map_err(|why| why.0)
        };
        for firmware in [Firmware::FluidNc, Firmware::GrblHal] {
            assert_eq!(ask(firmware, OutputPin::Digital(0), 1.0), Ok(()));
            assert_eq!(ask(firmware, OutputPin::Analog(2), 60.0), Ok(()));
            for bad in [60.1, -1.0, f64::NAN, f64::INFINITY] {
                assert!(ask(firmware, OutputPin::Analog(2), bad).unwrap_err().contains("fan takes 0 to 60"), "{bad}");
            }
            assert!(ask(firmware, OutputPin::Digital(0), 0.5).is_err());
            assert!(ask(firmware, OutputPin::Digital(2), 1.0).unwrap_err().contains("[[outputs]]"));
        }
        assert!(ask(Firmware::Grbl, OutputPin::Digital(0), 1.0).unwrap_err().contains("Grbl has no outputs"));
    }

    #[test]
    fn only_where_the_line_acts_when_it_is_sent() {
        for (state, may) in [
            (StateKind::Idle, true),
            (StateKind::Run, true),
            (StateKind::Hold, false),
            (StateKind::Jog, false),
            (StateKind::Alarm, false),
            (StateKind::Door, false),
            (StateKind::Home, false),
            (StateKind::Sleep, false),
            (StateKind::Check, false),
        ] {
            let got = check_output(order(OutputPin::Digital(0), 1.0), state, &snapshot(Firmware::FluidNc));
            assert_eq!(got.is_ok(), may, "{state:?}");
        }
    }

    #[test]
    fn a_typed_line_does_not_pass_a_cap() {
        let outputs = Arc::clone(&snapshot(Firmware::FluidNc).outputs);
        let ask = |pin, value| check_caps(&[OutputAsked { pin, value }], &outputs).map_err(|why| why.0);
        assert_eq!(ask(OutputPin::Analog(2), Some(60.0)), Ok(()));
        assert!(ask(OutputPin::Analog(2), Some(61.0)).is_err());
        assert!(ask(OutputPin::Analog(2), None).unwrap_err().contains("calculates"));
        assert_eq!(ask(OutputPin::Analog(0), Some(100.0)), Ok(()), "it has no name and no cap");
        assert_eq!(ask(OutputPin::Digital(0), None), Ok(()));
    }
}
