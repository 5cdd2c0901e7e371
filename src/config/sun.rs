//! `[spindle]`, `[sun]` and `[[tariff]]`: what a spindle start needs, when the sun may start a program, and what a plan of the
//! battery is made of.

use std::fmt;

use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::parse::nearest;
use super::range;
use super::schema::Config;
use crate::model::sun::in_window;

/// Windows of tariffs in all.
const MAX_TARIFFS: usize = 12;
const DAY_MIN: u16 = 24 * 60;

/// `[spindle]`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table, [spindle]")]
pub struct Spindle {
    /// Watts that a start draws. `None`: a start waits for nothing.
    #[serde(deserialize_with = "range::watts")]
    pub surge_w: Option<f64>,
    /// Watts that the inverter can give. `None`: as it tells itself.
    #[serde(deserialize_with = "range::watts")]
    pub rated_w: Option<f64>,
    /// The inverter, by name. `None`: the only one.
    pub inverter: Option<String>,
}

/// `[sun]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table, [sun]")]
pub struct SunConfig {
    /// A program that a person has marked may be started when there is enough sun.
    pub allow_start: bool,
    /// The inverter, by name. `None`: the only one.
    pub inverter: Option<String>,
    /// Watts above what the program needs.
    #[serde(deserialize_with = "range::margin_w")]
    pub margin_w: f64,
    /// Minutes for which there has to be enough.
    #[serde(deserialize_with = "range::whole::<_, _, 1, 240>")]
    pub for_min: u32,
    /// Seconds in which everybody is told and anybody can cancel.
    #[serde(deserialize_with = "range::whole::<_, _, 15, 600>")]
    pub countdown_s: u32,
    /// A battery of that charge counts as enough sun: its charger holds the sun back, so that no surplus shows.
    #[serde(deserialize_with = "range::charge_percent")]
    pub full_percent: Option<f64>,
    /// It may start although no screen is attached on which the countdown could be seen.
    pub unattended: bool,
    /// Degrees north of the equator, of the panels.
    #[serde(deserialize_with = "range::latitude")]
    pub latitude: Option<f64>,
    /// Degrees east of Greenwich.
    #[serde(deserialize_with = "range::longitude")]
    pub longitude: Option<f64>,
    /// Watts of the panels in full sun.
    #[serde(deserialize_with = "range::watts")]
    pub peak_w: Option<f64>,
    /// Degrees by which they are tilted.
    #[serde(deserialize_with = "range::tilt")]
    pub tilt: f64,
    /// Where they look, in degrees: 0 north, 90 east, 180 south.
    #[serde(deserialize_with = "range::azimuth")]
    pub azimuth: f64,
}

impl Default for SunConfig {
    fn default() -> Self {
        Self {
            allow_start: false,
            inverter: None,
            margin_w: 200.0,
            for_min: 10,
            countdown_s: 60,
            full_percent: None,
            unattended: false,
            latitude: None,
            longitude: None,
            peak_w: None,
            tilt: 30.0,
            azimuth: 180.0,
        }
    }
}

/// One of `[[tariff]]`: what a kWh from the grid costs at a time of day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table, [[tariff]]")]
pub struct Tariff {
    /// From this time of day.
    pub from: DayTime,
    /// Until this one; past midnight where it is the earlier one.
    pub to: DayTime,
    /// A kWh, in whatever coin.
    #[serde(deserialize_with = "range::price")]
    pub price: f64,
}

impl Tariff {
    /// Whether a minute of the day lies in it.
    pub const fn holds(&self, minute: u16) -> bool {
        in_window(self.from.0, self.to.0, minute)
    }
}

/// A time of day, in minutes since midnight; 24:00 is the end of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayTime(pub u16);

impl fmt::Display for DayTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl Serialize for DayTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DayTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DayTimeVisitor)
    }
}

struct DayTimeVisitor;

impl Visitor<'_> for DayTimeVisitor {
    type Value = DayTime;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time of day in quotes, such as \"06:30\", up to \"24:00\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<DayTime, E> {
        let number = |part: &str, most: u16| {
            let good = (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse::<u16>().ok().filter(|value| good && *value <= most)
        };
        let parts = text.split_once(':').and_then(|(hour, minute)| Some((number(hour, 24)?, number(minute, 59)?)));
        parts
            .map(|(hour, minute)| hour * 60 + minute)
            .filter(|minutes| *minutes <= DAY_MIN)
            .map(DayTime)
            .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

/// What does not fit in the sections: the key to blame, and why.
pub(super) fn misfit(config: &Config) -> Option<(&'static [&'static str], String)> {
    let names: Vec<&str> = config.inverter.iter().map(|inverter| inverter.name.as_str()).collect();
    let spindle = (&["spindle", "inverter"][..], &config.spindle.inverter, config.spindle.surge_w.is_some());
    let sun = (&["sun", "inverter"][..], &config.sun.inverter, config.sun.allow_start);
    for (key, named, used) in [spindle, sun] {
        if let Some(why) = unknown_inverter(named.as_deref(), used, &names) {
            return Some((key, why));
        }
    }
    if config.sun.latitude.is_some() != config.sun.longitude.is_some() {
        let key = if config.sun.latitude.is_some() { "latitude" } else { "longitude" };
        let path: &[&str] = if key == "latitude" { &["sun", "latitude"] } else { &["sun", "longitude"] };
        return Some((path, "is of no use alone: latitude and longitude go together".to_owned()));
    }
    None
}

/// What is wrong with the name of an inverter, if anything: nobody has it, or several could be meant where it is used.
pub(super) fn unknown_inverter(named: Option<&str>, used: bool, names: &[&str]) -> Option<String> {
    match named {
        Some(name) if !names.contains(&name) => {
            let help = match nearest(name, names) {
                Some(near) => format!("; did you mean {near:?}?"),
                None if names.is_empty() => "; there is no [[inverter]] at all".to_owned(),
                None => format!("; there are {}", names.join(", ")),
            };
            Some(format!("there is no inverter {name:?}{help}"))
        }
        None if used && names.len() > 1 => {
            Some(format!("has to say which inverter is meant: one of {}", names.join(", ")))
        }
        _ => None,
    }
}

/// What does not fit in the list of tariffs: the place in it, the key to blame, and why.
pub(super) fn tariff_misfit(config: &Config) -> Option<(usize, &'static str, String)> {
    for (at, tariff) in config.tariff.iter().enumerate() {
        if at >= MAX_TARIFFS {
            return Some((at, "from", format!("is window {}; there is room for {MAX_TARIFFS}", at + 1)));
        }
        if tariff.from == tariff.to {
            return Some((at, "to", format!("{} is where it begins too: a window of no time", tariff.to)));
        }
        let overlaps = |other: &&Tariff| (0..DAY_MIN).any(|minute| other.holds(minute) && tariff.holds(minute));
        if let Some(other) = config.tariff[..at].iter().find(overlaps) {
            return Some((at, "from", format!("overlaps the window from {} to {}", other.from, other.to)));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    #[test]
    fn nothing_waits_and_nothing_starts_unless_it_is_said() {
        let config = parse("f.toml", "").unwrap();
        assert_eq!((config.spindle.surge_w, config.sun.allow_start, config.tariff.len()), (None, false, 0));
        let text =
            "[spindle]\nsurge_w = 1500\nrated_w = 3000\n[[tariff]]\nfrom = \"22:00\"\nto = \"6:30\"\nprice = 0.1";
        let config = parse("f.toml", text).unwrap();
        assert_eq!(config.spindle, Spindle { surge_w: Some(1500.0), rated_w: Some(3000.0), inverter: None });
        let night = config.tariff[0];
        assert_eq!((night.to.to_string().as_str(), night.holds(23 * 60), night.holds(390)), ("06:30", true, false));
    }

    #[test]
    fn what_makes_no_sense_is_named_with_its_line() {
        let two = "[[bus]]\nname = \"b\"\nport = \"/dev/x\"\n[[inverter]]\nname = \"one\"\nbus = \"b\"\nprofile = \"srne\"\nunit = 1\n\
                   [[inverter]]\nname = \"two\"\nbus = \"b\"\nprofile = \"srne\"\nunit = 2\n";
        let night = "[[tariff]]\nfrom = \"22:00\"\nto = \"06:00\"\nprice = 1\n";
        for (text, expected) in [
            (
                "[spindle]\nsurge_w = 0".to_owned(),
                "f.toml:2:11: spindle.surge_w is floating point 0.0, but must be a number from",
            ),
            ("[spindle]\nsurge_w = inf".to_owned(), "f.toml:2:11: spindle.surge_w is floating point inf, but must"),
            (
                "[spindle]\nsurge = 9".to_owned(),
                "f.toml:2:1: unknown key \"surge\" in [spindle]; did you mean \"surge_w\"",
            ),
            (
                "[spindle]\ninverter = \"x\"".to_owned(),
                "f.toml:2:12: spindle.inverter: there is no inverter \"x\"; there is no",
            ),
            (
                format!("{two}[spindle]\nsurge_w = 900"),
                "f.toml:14:1: spindle.inverter: has to say which inverter is meant: one of one, two",
            ),
            (
                format!("{two}[sun]\ninverter = \"twoo\""),
                "f.toml:15:12: sun.inverter: there is no inverter \"twoo\"; did",
            ),
            ("[sun]\nallow_start = 1".to_owned(), "f.toml:2:15: sun.allow_start is integer 1, but must be a boolean"),
            (
                "[sun]\ncountdown_s = 0".to_owned(),
                "f.toml:2:15: sun.countdown_s is integer 0, but must be a whole number",
            ),
            (
                "[sun]\nfor_min = 0".to_owned(),
                "f.toml:2:11: sun.for_min is integer 0, but must be a whole number from 1",
            ),
            (
                "[sun]\nlatitude = 91".to_owned(),
                "f.toml:2:12: sun.latitude is floating point 91.0, but must be a number from -90",
            ),
            ("[sun]\nlongitude = 9".to_owned(), "f.toml:2:13: sun.longitude: is of no use alone"),
            (
                "[sun]\nfull_percent = 120".to_owned(),
                "f.toml:2:16: sun.full_percent is floating point 120.0, but must be",
            ),
            ("[[tariff]]\nfrom = 6".to_owned(), "f.toml:2:8: tariff.from is integer 6, but must be a time of day"),
            (
                "[[tariff]]\nfrom = \"25:00\"".to_owned(),
                "f.toml:2:8: tariff.from is string \"25:00\", but must be a time of day in quotes",
            ),
            ("[[tariff]]\nfrom = \"24:30\"".to_owned(), "f.toml:2:8: tariff.from is string \"24:30\", but must be"),
            (
                "[[tariff]]\nfrom = \"06:00\"\nto = \"06:00\"\nprice = 1".to_owned(),
                "f.toml:3:6: tariff.to: 06:00 is where it begins too",
            ),
            (
                format!("{night}[[tariff]]\nfrom = \"05:00\"\nto = \"07:00\"\nprice = 2"),
                "f.toml:6:8: tariff.from: overlaps the window from 22:00 to 06:00",
            ),
            (format!("{night}price = 1"), "f.toml:5:1: "),
        ] {
            let error = parse("f.toml", &text).expect_err(&text).to_string();
            assert!(error.starts_with(expected), "{error}\n  expected {expected}");
        }
    }
}
