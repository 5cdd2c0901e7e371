//! What a line asks of the controller's outputs.

use super::gcode::collapse;
use crate::model::command::Refused;
use crate::model::outputs::{Output, OutputAsked, OutputPin, check_caps};

/// What a line asks of outputs: `M62` to `M65` with `P`, `M67` and `M68` with `E` and `Q`
/// ([sources](crate::model::outputs)). A word whose value is not a plain number counts as calculated; where that is the
/// output's own number, nobody knows which one is meant, and none is named.
pub fn outputs_asked(text: &str) -> Vec<OutputAsked> {
    let block = collapse(text);
    if block.starts_with('$') {
        return Vec::new();
    }
    let words = words(&block);
    let value = |letter: char| words.iter().find(|(l, _)| *l == letter).and_then(|(_, value)| *value);
    let pin = |letter| value(letter).filter(|n| (0.0..256.0).contains(n)).map(|n| n as u8);
    let codes = words.iter().filter(|(letter, _)| *letter == 'M').filter_map(|(_, code)| *code);
    codes
        .filter_map(|code| match code as u32 {
            62 | 64 => Some(OutputAsked { pin: OutputPin::Digital(pin('P')?), value: Some(1.0) }),
            63 | 65 => Some(OutputAsked { pin: OutputPin::Digital(pin('P')?), value: Some(0.0) }),
            67 | 68 => Some(OutputAsked { pin: OutputPin::Analog(pin('E')?), value: value('Q') }),
            _ => None,
        })
        .collect()
}

/// Holds a line, typed or of a program, against the caps of the outputs that have names.
///
/// # Errors
/// It asks for more, or calculates what it asks for, so that nobody knows.
pub fn within_caps(text: &str, outputs: &[Output]) -> Result<(), Refused> {
    if !outputs.iter().any(|output| matches!(output.pin, OutputPin::Analog(_))) {
        return Ok(());
    }
    let block = collapse(text);
    let words = words(&block);
    let sets =
        words.iter().any(|(letter, code)| *letter == 'M' && code.is_some_and(|code| matches!(code as u32, 67 | 68)));
    if sets && !block.starts_with('$') && words.iter().any(|(letter, number)| *letter == 'E' && number.is_none()) {
        return Err(Refused::because(
            "outputs have caps (config.toml), and this line calculates which one it sets: write its number after E",
        ));
    }
    check_caps(&outputs_asked(text), outputs)
}

/// Letters with their numbers, of a collapsed block.
fn words(block: &str) -> Vec<(char, Option<f64>)> {
    let mut words = Vec::new();
    let mut rest = block;
    while let Some(letter) = rest.chars().next() {
        let tail = &rest[letter.len_utf8()..];
        let end = tail.find(|c: char| !matches!(c, '0'..='9' | '.' | '+' | '-')).unwrap_or(tail.len());
        if letter.is_ascii_uppercase() {
            words.push((letter, tail[..end].parse().ok()));
        }
        rest = &tail[end..];
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cap_holds_however_a_line_is_written() {
        let fan = [Output { name: "fan".into(), pin: OutputPin::Analog(0), max: 60.0 }];
        let ask = |line| within_caps(line, &fan).map_err(|why| why.0);
        for line in ["M68 E0 Q60", "M68 E1 Q99", "G1 X1 E5", "M64 P0", "$E=M68", "(M68 E0 Q99)"] {
            assert_eq!(ask(line), Ok(()), "{line}");
        }
        for (line, why) in [
            ("M68 E0 Q61", "fan takes 0 to 60"),
            ("m67e0q99g1x5", "fan takes 0 to 60"),
            ("M67 E0 Q-1", "fan takes 0 to 60"),
            ("M68 E0 Q[30*3]", "calculates its value"),
            ("M68 E#5 Q10", "calculates which"),
        ] {
            assert!(ask(line).unwrap_err().contains(why), "{line}: {:?}", ask(line));
        }
        assert_eq!(within_caps("M68 E#5 Q10", &[]), Ok(()), "where nothing has a cap nothing is asked");
    }

    #[test]
    fn lines_are_read_as_controllers_read_them() {
        let digital = |n, value| OutputAsked { pin: OutputPin::Digital(n), value: Some(value) };
        let analog = |n, value| OutputAsked { pin: OutputPin::Analog(n), value };
        for (line, asked) in [
            ("M64 P0", vec![digital(0, 1.0)]),
            ("m065p3", vec![digital(3, 0.0)]),
            ("N10 M62 P1 (lamp)", vec![digital(1, 1.0)]),
            ("P2 M63", vec![digital(2, 0.0)]),
            ("M68 E0 Q37.5", vec![analog(0, Some(37.5))]),
            ("M67E1Q+5 G1X10", vec![analog(1, Some(5.0))]),
            ("M68 E0 Q#5", vec![analog(0, None)]),
            ("M68 E0 Q[2*50]", vec![analog(0, None)]),
            ("M64 P#1", vec![]),
            ("M64", vec![]),
            ("G4 P1", vec![]),
            ("M6 T4", vec![]),
            ("(M64 P0)", vec![]),
            ("; M64 P0", vec![]),
            ("$J=M64P0", vec![]),
            ("M64 Pé", vec![]),
        ] {
            assert_eq!(outputs_asked(line), asked, "{line}");
        }
    }
}
