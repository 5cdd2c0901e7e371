//! Machine facts in words.

use jiff::Timestamp;

use super::settings::Settings;
use crate::model::Time;
use crate::model::machine::Pins;

/// A moment as the time of day, to the second; as seconds of the hub's time where the time of day is not known.
pub fn time_of_day(settings: &Settings, at: Time) -> String {
    let unix_ms = settings.started_unix_ms.map(|start| start + (at.as_micros() / 1000).cast_signed());
    match unix_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()) {
        Some(moment) => moment.to_zoned(settings.zone.clone()).strftime("%H:%M:%S").to_string(),
        None => format!("{:>6.1} s", at.as_micros() as f64 / 1e6),
    }
}

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
