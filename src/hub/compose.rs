//! Commands as the controllers write them.

use crate::model::axes::AxisSet;
use crate::model::command::{HomeTarget, Refused};
use crate::model::machine::ModalState;
use crate::model::quantity::MM_PER_INCH;
pub use crate::model::quantity::number;

/// `$H` or `$HX`.
pub fn home(target: HomeTarget) -> String {
    match target {
        HomeTarget::All => "$H".to_owned(),
        HomeTarget::One(axis) => format!("$H{axis}"),
    }
}

/// `G10 L20 P0 X… Y…`: the present position reads `value` in the active coordinate system (P0 on all three
/// firmwares). `value` is mm, or degrees for rotary axes; the controller reads it in its modal units, and 0 is 0 in both.
///
/// # Errors
/// When the units in force are not known and matter.
pub fn set_work(axes: AxisSet, value: f64, modal: Option<&ModalState>) -> Result<String, Refused> {
    let inches = modal.map(|modal| modal.has("G20"));
    let mut line = "G10 L20 P0".to_owned();
    for axis in axes.iter() {
        let value = match inches {
            _ if axis.is_rotary() || value == 0.0 => value,
            Some(true) => value / MM_PER_INCH,
            Some(false) => value,
            None => {
                return Err(Refused::because(
                    "it is not known whether the controller counts in mm or inches: send $G first",
                ));
            }
        };
        line.push(' ');
        line.push(axis.letter());
        line.push_str(&number(value));
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::axes::Axis;

    fn modal(words: &str) -> ModalState {
        ModalState { words: words.split(' ').map(str::to_owned).collect() }
    }

    #[test]
    fn homing_names_its_axis() {
        assert_eq!(home(HomeTarget::All), "$H");
        assert_eq!(home(HomeTarget::One(Axis::A)), "$HA");
    }

    #[test]
    fn a_work_offset_is_in_the_units_in_force() {
        let axes: AxisSet = [Axis::X, Axis::A].into_iter().collect();
        assert_eq!(set_work(axes, 0.0, None).unwrap(), "G10 L20 P0 X0 A0");
        assert_eq!(set_work(axes, 25.4, Some(&modal("G0 G21"))).unwrap(), "G10 L20 P0 X25.4 A25.4");
        assert_eq!(set_work(axes, 25.4, Some(&modal("G0 G20"))).unwrap(), "G10 L20 P0 X1 A25.4");
        assert!(set_work(axes, 25.4, None).unwrap_err().0.contains("$G"));
    }
}
