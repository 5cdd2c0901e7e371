//! Whether a typed value fits a setting.

use super::table::{Access, Kind, Setting, is_hidden};

/// Longest text of a setting; every firmware takes a line with it.
const MAX_TEXT: usize = 60;

/// Why a value does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It cannot be changed from here.
    #[error("{key} cannot be changed here: {why}")]
    ReadOnly {
        /// The setting.
        key: String,
        /// Where it can.
        why: String,
    },
    /// Nothing was entered.
    #[error("{key} needs a value: {allowed}")]
    Empty {
        /// The setting.
        key: String,
        /// What it takes.
        allowed: String,
    },
    /// A comma in a number.
    #[error("{text:?}: write decimals with a point, {meant}")]
    DecimalComma {
        /// As entered.
        text: String,
        /// With a point.
        meant: String,
    },
    /// A unit that is not this setting's.
    #[error("{key} is in {unit}, not in {found}: convert the value")]
    WrongUnit {
        /// The setting.
        key: String,
        /// Its unit.
        unit: String,
        /// The unit entered.
        found: String,
    },
    /// Not of the right form.
    #[error("{text:?} does not fit {key}: enter {allowed}")]
    Form {
        /// The setting.
        key: String,
        /// As entered.
        text: String,
        /// What it takes.
        allowed: String,
    },
    /// Outside its range.
    #[error("{text} is out of range for {key}: enter {allowed}")]
    Range {
        /// The setting.
        key: String,
        /// As entered.
        text: String,
        /// What it takes.
        allowed: String,
    },
    /// A character that cannot be sent in a line.
    #[error("{key} cannot be sent: the controller acts on {found:?} the moment it arrives; use printable ASCII")]
    Character {
        /// The setting.
        key: String,
        /// The first such character.
        found: char,
    },
    /// Longer than a line.
    #[error("{key} cannot be sent: {length} characters, at most {MAX_TEXT} fit into a line")]
    TooLong {
        /// The setting.
        key: String,
        /// Its length.
        length: usize,
    },
}

/// The value to send for what was typed.
///
/// # Errors
/// See [`Unfit`]; each names the setting and says what to enter.
pub fn check(setting: &Setting, text: &str) -> Result<String, Unfit> {
    let text = text.trim();
    let key = || setting.label();
    if let Access::ReadOnly(why) = &setting.access {
        return Err(Unfit::ReadOnly { key: key(), why: why.clone() });
    }
    if setting.kind == Kind::Text {
        return plain_text(setting, text);
    }
    if text.is_empty() {
        return Err(Unfit::Empty { key: key(), allowed: setting.allowed() });
    }
    let form = || Unfit::Form { key: key(), text: text.to_owned(), allowed: setting.allowed() };
    let range = || Unfit::Range { key: key(), text: text.to_owned(), allowed: setting.allowed() };
    match &setting.kind {
        Kind::Switch => switch(text).map(|on| like(&setting.value, on).to_owned()).ok_or_else(form),
        Kind::Mask(bits) => {
            let mask = whole(setting, text)?;
            let known = |bit: usize| bits.get(bit).is_some_and(|name| name != "N/A");
            let old = setting.value.trim().parse::<u32>().unwrap_or(0);
            // A bit that is set already may stay, whatever it means.
            let fits = (0..32).all(|bit| mask & (1 << bit) == 0 || known(bit) || old & (1 << bit) != 0);
            if fits { Ok(mask.to_string()) } else { Err(range()) }
        }
        Kind::Axes(count) => {
            let mask = whole(setting, text)?;
            if u64::from(mask) < 1 << count { Ok(mask.to_string()) } else { Err(range()) }
        }
        Kind::Choice(names) => {
            let by_name = names.iter().position(|name| name.eq_ignore_ascii_case(text));
            let n = match by_name {
                Some(n) => n,
                None => whole(setting, text)? as usize,
            };
            if names.get(n).is_some_and(|name| name != "N/A") { Ok(n.to_string()) } else { Err(range()) }
        }
        Kind::Number { min, max, whole } => {
            let digits = number_text(setting, text)?;
            let value: f64 = digits.parse().map_err(|_| form())?;
            if !value.is_finite() || (*whole && value.fract() != 0.0) {
                return Err(form());
            }
            if min.is_some_and(|min| value < min) || max.is_some_and(|max| value > max) {
                return Err(range());
            }
            Ok(plain(digits))
        }
        Kind::Text => plain_text(setting, text),
    }
}

fn plain_text(setting: &Setting, text: &str) -> Result<String, Unfit> {
    let unsendable = |c: &char| !matches!(c, ' '..='~') || matches!(c, '!' | '?' | '~');
    if let Some(found) = text.chars().find(unsendable) {
        return Err(Unfit::Character { key: setting.label(), found });
    }
    if text.len() > MAX_TEXT {
        return Err(Unfit::TooLong { key: setting.label(), length: text.len() });
    }
    Ok(text.to_owned())
}

fn whole(setting: &Setting, text: &str) -> Result<u32, Unfit> {
    let digits = number_text(setting, text)?;
    digits.parse().map_err(|_| Unfit::Form { key: setting.label(), text: text.to_owned(), allowed: setting.allowed() })
}

/// The digits of `text`, which may end in the setting's own unit.
fn number_text<'a>(setting: &Setting, text: &'a str) -> Result<&'a str, Unfit> {
    let is_digit = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '+');
    let end = text.find(|c| !is_digit(c)).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let found = rest.trim();
    let form = || Unfit::Form { key: setting.label(), text: text.to_owned(), allowed: setting.allowed() };
    if digits.contains(',') {
        return Err(Unfit::DecimalComma { text: text.to_owned(), meant: digits.replacen(',', ".", 1) });
    }
    let is_number = digits.parse::<f64>().is_ok();
    if !is_number {
        return Err(form());
    }
    if found.is_empty() || unit_key(found) == unit_key(&setting.unit) {
        return Ok(digits);
    }
    // `1e3` and the like are not units.
    let looks_like_unit = found.len() > 1 && !setting.unit.is_empty() && found.chars().all(|c| !c.is_ascii_digit());
    if looks_like_unit {
        return Err(Unfit::WrongUnit { key: setting.label(), unit: setting.unit.clone(), found: found.to_owned() });
    }
    Err(form())
}

/// Spellings of one unit.
fn unit_key(unit: &str) -> String {
    let unit = unit.to_lowercase();
    match unit.as_str() {
        "microseconds" => "us".to_owned(),
        "milliseconds" => "ms".to_owned(),
        "seconds" => "s".to_owned(),
        "percent" => "%".to_owned(),
        _ => unit.replace("sec", "s").replace('^', ""),
    }
}

/// No plus sign and no bare point: what every firmware reads.
fn plain(digits: &str) -> String {
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", digits),
    };
    let digits = digits.strip_suffix('.').unwrap_or(digits);
    let lead = if digits.starts_with('.') { "0" } else { "" };
    format!("{sign}{lead}{digits}")
}

/// On or off, as any firmware or a person writes it.
pub(super) fn switch(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "on" | "yes" | "true" => Some(true),
        "0" | "off" | "no" | "false" => Some(false),
        _ => None,
    }
}

/// A switch written as the controller wrote the old value.
fn like(old: &str, on: bool) -> &'static str {
    let pair = match old.trim().to_ascii_lowercase().as_str() {
        "true" | "false" => ["false", "true"],
        "on" | "off" => ["OFF", "ON"],
        _ => ["0", "1"],
    };
    pair[usize::from(on)]
}

/// Whether what the controller reads back is what was sent. Numbers may differ by how many decimals it prints, and by
/// the seven digits that it keeps; what it hides cannot differ.
pub fn same_value(sent: &str, read: &str) -> bool {
    let (sent, read) = (sent.trim(), read.trim());
    if sent == read || is_hidden(read) {
        return true;
    }
    match (sent.parse::<f64>(), read.parse::<f64>()) {
        (Ok(a), Ok(b)) => {
            let decimals = read.split_once('.').map_or(0, |(_, tail)| tail.len());
            let rounding = if decimals == 0 { 0.0 } else { 0.5 / 10_f64.powf(decimals as f64) };
            (a - b).abs() <= rounding * 1.01 + a.abs() * 2e-7
        }
        _ => match (switch(sent), switch(read)) {
            (Some(a), Some(b)) => a == b,
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn setting(kind: Kind, value: &str, unit: &str) -> Setting {
        Setting {
            key: "110".into(),
            value: value.into(),
            name: "X maximum rate".into(),
            unit: unit.into(),
            meaning: String::new(),
            caution: String::new(),
            group: "X-axis".into(),
            kind,
            access: Access::Stored,
            needs_restart: false,
        }
    }

    fn rate() -> Setting {
        setting(Kind::Number { min: Some(0.001), max: Some(100_000.0), whole: false }, "3000.000", "mm/min")
    }

    fn says(setting: &Setting, text: &str) -> String {
        check(setting, text).map_err(|why| why.to_string()).unwrap_or_else(|why| why)
    }

    #[test]
    fn numbers_are_taken_with_or_without_their_unit() {
        for (text, value) in [
            ("2500", "2500"),
            (" 2500.5 ", "2500.5"),
            ("2500 mm/min", "2500"),
            ("2500MM/MIN", "2500"),
            ("+12", "12"),
            (".5", "0.5"),
            ("12.", "12"),
        ] {
            assert_eq!(says(&rate(), text), value, "{text}");
        }
        let pulse = setting(Kind::Number { min: Some(3.0), max: Some(255.0), whole: true }, "10", "microseconds");
        assert_eq!((says(&pulse, "10 us"), says(&pulse, "10 microseconds")), ("10".to_owned(), "10".to_owned()));
    }

    #[test]
    fn what_does_not_fit_is_named_with_what_does() {
        for (text, piece) in [
            ("", "needs a value"),
            ("2,5", "2.5"),
            ("2500 in/min", "is in mm/min, not in in/min"),
            ("2500 mm", "not in mm"),
            ("fast", "a number from 0.001 to 100000"),
            ("1e3", "does not fit"),
            ("inf", "does not fit"),
            ("nan", "does not fit"),
            ("0", "out of range"),
            ("-1", "out of range"),
            ("1-2", "does not fit"),
            ("100001", "out of range"),
        ] {
            let said = says(&rate(), text);
            assert!(said.contains(piece), "{text}: {said}");
        }
        let pulse = setting(Kind::Number { min: None, max: None, whole: true }, "10", "");
        assert!(says(&pulse, "2.5").contains("whole number"));
        let fixed = Setting { access: Access::ReadOnly("edit config.yaml".into()), ..rate() };
        assert!(says(&fixed, "1").contains("config.yaml"));
    }

    #[test]
    fn switches_are_written_as_the_controller_writes_them() {
        for (old, on, off) in [("0", "1", "0"), ("false", "true", "false"), ("OFF", "ON", "OFF")] {
            let setting = setting(Kind::Switch, old, "");
            for (text, value) in [("on", on), ("1", on), ("TRUE", on), ("off", off), ("no", off), ("0", off)] {
                assert_eq!(says(&setting, text), value, "{old} {text}");
            }
            assert!(says(&setting, "2").contains("on or off"));
        }
    }

    #[test]
    fn masks_take_the_bits_that_there_are() {
        let bits = ["Enable", "N/A", "Strict"].map(str::to_owned).to_vec();
        let mask = setting(Kind::Mask(bits), "0", "");
        assert_eq!((says(&mask, "5"), says(&mask, "0")), ("5".to_owned(), "0".to_owned()));
        assert!(says(&mask, "2").contains("out of range") && says(&mask, "8").contains("1 Enable, 4 Strict"));
        assert!(says(&mask, "-1").contains("does not fit") && says(&mask, "1.5").contains("does not fit"));
        let axes = setting(Kind::Axes(3), "0", "");
        assert_eq!(says(&axes, "7"), "7");
        assert!(says(&axes, "8").contains("out of range"));
        let choice = setting(Kind::Choice(["Normal", "Laser mode"].map(str::to_owned).to_vec()), "0", "");
        assert_eq!((says(&choice, "1"), says(&choice, "laser mode")), ("1".to_owned(), "1".to_owned()));
        assert!(says(&choice, "2").contains("0 Normal"));
    }

    #[test]
    fn text_that_a_line_cannot_hold_is_refused_by_name() {
        let name = setting(Kind::Text, "fluidnc", "");
        assert_eq!((says(&name, "mill-2"), says(&name, "")), ("mill-2".to_owned(), String::new()));
        for text in ["stop!", "why?", "~", "m\u{fc}hle", "a\nb"] {
            assert!(says(&name, text).contains("$110 cannot be sent"), "{text:?}");
        }
        assert!(says(&name, &"x".repeat(61)).contains("61 characters"));
    }

    #[test]
    fn read_back_counts_the_decimals_that_are_printed() {
        for (sent, read) in [
            ("2500", "2500.000"),
            ("0.0105", "0.011"),
            ("0.0104", "0.010"),
            ("123456.789", "123456.789"),
            ("16777.217", "16777.217"),
            ("true", "1"),
            ("OFF", "off"),
            ("secret", "********"),
            ("mill", "mill"),
        ] {
            assert!(same_value(sent, read), "{sent} {read}");
        }
        for (sent, read) in
            [("2500", "2400.000"), ("0.02", "0.010"), ("5", "6"), ("mill", "Mill"), ("1", ""), ("on", "0")]
        {
            assert!(!same_value(sent, read), "{sent} {read}");
        }
    }

    proptest! {
        #[test]
        fn what_passes_is_a_plain_number_in_range(text in "[-+0-9., a-z/]{0,12}") {
            if let Ok(value) = check(&rate(), &text) {
                prop_assert!(value.bytes().all(|b| b.is_ascii_digit() || b == b'.'), "{value}");
                let number: f64 = value.parse().unwrap();
                prop_assert!((0.001..=100_000.0).contains(&number));
                let printed = format!("{number:.3}");
                prop_assert!(same_value(&value, &printed), "{} {}", value, printed);
            }
        }

        #[test]
        fn any_text_gets_an_answer_and_what_passes_can_be_sent(text in any::<String>(), which in 0..6_usize) {
            let kind = match which {
                0 => Kind::Switch,
                1 => Kind::Mask(vec!["a".into(), "N/A".into()]),
                2 => Kind::Axes(9),
                3 => Kind::Choice(vec!["a".into()]),
                4 => Kind::Number { min: None, max: None, whole: false },
                _ => Kind::Text,
            };
            if let Ok(value) = check(&setting(kind, "0", "mm"), &text) {
                prop_assert!(value.chars().all(|c| matches!(c, ' '..='~') && !matches!(c, '!' | '?' | '~')));
                prop_assert!(value.len() <= text.len() + 5);
            }
        }
    }
}
