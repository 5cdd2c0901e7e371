//! Powers, energies, ages and qualities in words. Rounded so that what jitters does not flicker.

use std::time::Duration;

use crate::model::Time;
use crate::model::power::{
    BusState, Danger, Direction, FaultSource, Grid, GridState, Inverter, Quality, Reading, Unit, UnitState,
};

/// A value as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The value with its unit, or the word for why there is none.
    pub text: String,
    /// How far it can be believed.
    pub quality: Quality,
    /// Its age, where it is older than it should be.
    pub age: Option<String>,
}

impl Told {
    /// It is a value, not the word for why there is none.
    pub const fn is_value(&self) -> bool {
        matches!(self.quality, Quality::Fresh | Quality::Stale)
    }

    /// Value and age in one.
    pub fn whole(&self) -> String {
        match &self.age {
            Some(age) => format!("{}, {age}", self.text),
            None => self.text.clone(),
        }
    }
}

/// A reading in words.
pub fn told(reading: &Reading<f64>, now: Time, words: impl Fn(f64) -> String) -> Told {
    let quality = reading.quality(now);
    match reading.shown(now) {
        Some(value) => {
            let age = reading.age(now).filter(|_| quality == Quality::Stale).map(age);
            Told { text: words(value), quality, age }
        }
        None => Told { text: why_none(quality).to_owned(), quality, age: None },
    }
}

/// Why there is no value.
const fn why_none(quality: Quality) -> &'static str {
    match quality {
        Quality::Unknown | Quality::Fresh | Quality::Stale => "unknown",
        Quality::Lost => "lost",
        Quality::Quarantined => "refused",
        Quality::Absent => "none",
    }
}

/// A power without its sign: `350 W`, `2.31 kW`. Watts in steps of ten.
pub fn watts(watts: f64) -> String {
    let tens = (watts.abs() / 10.0).round() * 10.0;
    match tens {
        ..1000.0 => format!("{tens:.0} W"),
        ..100_000.0 => format!("{:.2} kW", tens / 1000.0),
        _ => format!("{:.0} kW", tens / 1000.0),
    }
}

/// A power in steps of 100 W, for where it only has to be about right: `2.3 kW`.
pub fn about(watts: f64) -> String {
    let kilowatts = (watts.abs() / 100.0).round() / 10.0;
    format!("{kilowatts:.1} kW")
}

/// Registers of faults that cannot be read now, if there are any: what they would say is not known.
pub fn unread_faults(known: &Inverter, now: Time) -> Option<String> {
    let told = |source: &FaultSource| match (source.says.quality(now), source.says.age(now)) {
        (Quality::Stale | Quality::Lost, Some(old)) => format!("{} ({})", source.register, age(old)),
        (quality, _) => format!("{} ({})", source.register, why_none(quality)),
    };
    let unread: Vec<String> = known.unread(now).map(told).collect();
    (!unread.is_empty()).then(|| format!("not known, because of {}", unread.join(", ")))
}

/// An energy: `12.4 kWh`.
pub fn kwh(kwh: f64) -> String {
    match kwh.abs() {
        ..100.0 => format!("{kwh:.1} kWh"),
        ..10_000.0 => format!("{kwh:.0} kWh"),
        _ => format!("{:.1} MWh", kwh / 1000.0),
    }
}

/// A share: `64 %`.
pub fn percent(value: f64) -> String {
    format!("{value:.0} %")
}

/// Volts.
pub fn volts(value: f64) -> String {
    if value.abs() < 100.0 { format!("{value:.1} V") } else { format!("{value:.0} V") }
}

/// Amperes without sign.
pub fn amperes(value: f64) -> String {
    format!("{:.1} A", value.abs())
}

/// Hertz.
pub fn hertz(value: f64) -> String {
    format!("{value:.1} Hz")
}

/// Degrees.
pub fn degrees(value: f64) -> String {
    format!("{value:.0} °C")
}

/// How long a battery lasts, or a program; above an hour in steps of five minutes, below a minute in steps of five seconds.
pub fn minutes(minutes: f64) -> String {
    if minutes < 1.0 {
        let fives = (minutes.max(0.0) * 12.0).floor() as u64 * 5;
        return format!("{fives} s");
    }
    let whole = minutes.max(0.0).floor().min(1e9) as u64;
    match whole {
        0..60 => format!("{whole} min"),
        60..6000 => {
            let fives = whole / 5 * 5;
            format!("{} h {:02} min", fives / 60, fives % 60)
        }
        _ => format!("{} days", whole / 1440),
    }
}

/// An age: `12 s old`.
pub fn age(age: Duration) -> String {
    format!("{} old", span(age))
}

/// A time that has passed: `12 s`, `3 min`, `2 h`.
pub fn span(span: Duration) -> String {
    match span.as_secs() {
        s @ 0..60 => format!("{s} s"),
        s @ 60..7200 => format!("{} min", s / 60),
        s @ 7200..172_800 => format!("{} h", s / 3600),
        s => format!("{} days", s / 86_400),
    }
}

/// The word for where a battery's or the grid's power goes. `None`: not known.
pub fn direction(reading: &Reading<f64>, of: fn(f64) -> Direction, now: Time) -> Option<&'static str> {
    reading.shown(now).map(|watts| of(watts).word())
}

/// How an inverter stands, in a few words.
pub fn unit_state(unit: &Unit) -> String {
    match (&unit.state, &unit.known.status) {
        _ if !unit.enabled => "switched off".to_owned(),
        (UnitState::Off, _) => "switched off".to_owned(),
        (UnitState::Waiting, _) => "waiting for it".to_owned(),
        (UnitState::Silent { .. }, _) => "does not answer".to_owned(),
        (UnitState::Answers, Some(status)) => status.clone(),
        (UnitState::Answers, None) => "answers".to_owned(),
    }
}

/// How a bus stands.
pub fn bus_state(state: &BusState, now: Time) -> String {
    match state {
        BusState::Opening => "being opened".to_owned(),
        BusState::Open => "open".to_owned(),
        BusState::Quiet { why } => format!("kept quiet: {why}"),
        BusState::Down { why, attempt, retry_at } => {
            let wait = retry_at.since(now).as_millis().div_ceil(1000);
            let next = if wait == 0 { "trying now".to_owned() } else { format!("next try in {wait} s") };
            format!("down: {why} (try {attempt}, {next})")
        }
    }
}

/// What the grid does, with how well that is known.
pub fn grid(grid: &Grid, now: Time) -> String {
    let mut text = grid.state.word().to_owned();
    if grid.samples > 0 && grid.state != GridState::Unknown {
        text = format!("{text} ({} % sure)", grid.confidence);
    }
    for part in [told(&grid.voltage_v, now, volts), told(&grid.frequency_hz, now, hertz)] {
        if part.is_value() {
            text = text + ", " + &part.whole();
        }
    }
    text
}

/// What a wrong value can do. Nothing to say of the harmless ones.
pub const fn danger(danger: Danger) -> Option<&'static str> {
    match danger {
        Danger::Normal => None,
        Danger::Caution => Some("caution"),
        Danger::Dangerous => Some("DANGEROUS"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn powers_have_no_sign_and_do_not_jitter() {
        for (value, text) in [
            (0.0, "0 W"),
            (-4.0, "0 W"),
            (354.0, "350 W"),
            (-996.0, "1.00 kW"),
            (2314.0, "2.31 kW"),
            (123_456.0, "123 kW"),
        ] {
            assert_eq!(watts(value), text);
        }
        assert_eq!((about(2349.0), about(-20.0)), ("2.3 kW".to_owned(), "0.0 kW".to_owned()));
        assert_eq!(watts(2311.0), watts(2313.9));
    }

    #[test]
    fn times_are_as_exact_as_they_can_be_believed() {
        for (value, text) in [
            (-1.0, "0 s"),
            (0.4, "20 s"),
            (0.75, "45 s"),
            (0.999, "55 s"),
            (1.0, "1 min"),
            (59.9, "59 min"),
            (67.0, "1 h 05 min"),
            (134.9, "2 h 10 min"),
            (9000.0, "6 days"),
        ] {
            assert_eq!(minutes(value), text);
        }
    }

    #[test]
    fn what_is_old_says_so_and_what_is_gone_is_a_word() {
        let reading = Reading::new(500.0, Time::ZERO, SECOND);
        let at = |ms| told(&reading, Time::from_millis(ms), watts).whole();
        assert_eq!((at(3000), at(5000), at(60_000)), ("500 W".into(), "500 W, 5 s old".into(), "lost".into()));
        assert_eq!(told(&Reading::default(), Time::ZERO, watts).whole(), "unknown");
        let refused = Reading { quarantined: true, ..reading };
        assert_eq!(told(&refused, Time::ZERO, watts).text, "refused");
        let absent = Reading { value: None, ..reading };
        assert_eq!(told(&absent, Time::ZERO, watts).text, "none");
    }
}
