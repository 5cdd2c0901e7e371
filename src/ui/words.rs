//! Machine facts in words.

use crate::model::machine::Pins;

/// Pins in words: axis letters are limits; P, D, H, R and S are what the firmwares call them.
pub fn pins_text(pins: Pins) -> String {
    if pins.is_empty() {
        return "none".to_owned();
    }
    let limits: String = pins.iter().filter(|c| "XYZABCUVW".contains(*c)).collect();
    let mut words = Vec::new();
    if !limits.is_empty() {
        words.push(format!("limit {limits}"));
    }
    for (letter, word) in
        [('P', "probe"), ('D', "door"), ('H', "hold"), ('R', "reset"), ('S', "start"), ('E', "e-stop")]
    {
        if pins.contains(letter) {
            words.push(word.to_owned());
        }
    }
    let others: String = pins.iter().filter(|c| !"XYZABCUVWPDHRSE".contains(*c)).collect();
    if !others.is_empty() {
        words.push(others);
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_named() {
        assert_eq!(pins_text(Pins::NONE), "none");
        assert_eq!(pins_text(Pins::from_letters("PXZ")), "limit XZ, probe");
        assert_eq!(pins_text(Pins::from_letters("EM")), "e-stop, M");
    }
}
