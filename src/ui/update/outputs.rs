//! The question which output to switch.

use super::popups::{choice, popup};
use crate::model::Command;
use crate::model::outputs::{Output, OutputOrder, OutputPin, of_output};
use crate::model::quantity::number;
use crate::model::snapshot::Snapshot;
use crate::model::work::Switch;
use crate::ui::outputs::asked;
use crate::ui::state::{Choice, Popup, Then};

/// `F4`: on, off, or a value to type. What the screen asked for is no proof, so off is always offered.
pub(super) fn question(snapshot: &Snapshot, batch: u64) -> Popup {
    let choices = snapshot.outputs.iter().flat_map(|output| of(output, snapshot)).collect();
    let body =
        "No controller tells how its outputs stand: \"asked\" is what was last sent. A stop leaves them as they are.";
    popup("Outputs", vec![body.to_owned()], choices, batch)
}

fn of(output: &Output, snapshot: &Snapshot) -> Vec<Choice> {
    let name = &output.name;
    let known = asked(output, snapshot);
    let asked = known.as_ref().map_or("nothing asked".to_owned(), |asked| format!("asked {asked}"));
    let switch = |what: &str, value| {
        let order = OutputOrder { pin: output.pin, value };
        let label = format!("{name}: {what} ({}), {asked}", of_output(order));
        choice(None, label, Then::Submit(Command::Switch(Switch::Output(order))))
    };
    let off = switch("off", 0.0);
    match output.pin {
        OutputPin::Digital(_) if known.as_deref() == Some("on") => vec![off],
        OutputPin::Digital(_) => vec![switch("on", 1.0), off],
        OutputPin::Analog(n) => {
            let label = format!("{name}: type a value up to {}, {asked}", number(output.max));
            vec![choice(None, label, Then::Type(format!("M68 E{n} Q"))), off]
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::outputs::OutputAsked;
    use crate::ui::testing;

    fn snapshot(asked: &[(OutputPin, f64)]) -> Snapshot {
        let mut snapshot = testing::idle();
        snapshot.outputs = Arc::new(vec![
            Output { name: "lamp".into(), pin: OutputPin::Digital(1), max: 1.0 },
            Output { name: "fan".into(), pin: OutputPin::Analog(0), max: 60.0 },
        ]);
        snapshot.machine.outputs_asked =
            asked.iter().map(|&(pin, value)| OutputAsked { pin, value: Some(value) }).collect();
        snapshot
    }

    fn labels(snapshot: &Snapshot) -> Vec<String> {
        question(snapshot, 1).choices.into_iter().map(|choice| choice.label).collect()
    }

    #[test]
    fn off_is_always_offered_and_what_was_asked_is_said() {
        assert_eq!(
            labels(&snapshot(&[])),
            [
                "lamp: on (M64 P1), nothing asked",
                "lamp: off (M65 P1), nothing asked",
                "fan: type a value up to 60, nothing asked",
                "fan: off (M68 E0 Q0), nothing asked",
                "Leave it as it is",
            ]
        );
        let on = labels(&snapshot(&[(OutputPin::Digital(1), 1.0), (OutputPin::Analog(0), 40.0)]));
        assert_eq!(on[0], "lamp: off (M65 P1), asked on");
        assert_eq!(on[1], "fan: type a value up to 60, asked 40");
    }

    #[test]
    fn a_choice_sends_the_order_and_a_value_is_typed() {
        let question = question(&snapshot(&[]), 1);
        let order = OutputOrder { pin: OutputPin::Digital(1), value: 1.0 };
        assert_eq!(question.choices[0].then, Then::Submit(Command::Switch(Switch::Output(order))));
        assert_eq!(question.choices[2].then, Then::Type("M68 E0 Q".into()));
    }
}
