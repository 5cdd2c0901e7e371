//! Numbers as people type them: a point or a comma before the decimals, and a unit if they like.

use super::axes::Axis;
use super::units::Units;

/// Millimetres in an inch.
pub const MM_PER_INCH: f64 = 25.4;

/// What was typed is not a number that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadNumber {
    /// Nothing typed.
    #[error("a number is missing")]
    Missing,
    /// Not a number.
    #[error("{text:?} is not a number: write for example 12.5, 12,5, -3mm or 0.25in")]
    Junk {
        /// As typed.
        text: String,
    },
    /// Both signs, or one of them twice: thousands are not read.
    #[error("{text:?} has more than one point or comma: write one, before the decimals")]
    Ambiguous {
        /// As typed.
        text: String,
    },
    /// A unit that this value does not have.
    #[error("{text:?} has the unit {unit}, but this value is in {wanted}")]
    Unit {
        /// As typed.
        text: String,
        /// As typed.
        unit: &'static str,
        /// What can be used.
        wanted: &'static str,
    },
    /// Larger than any machine.
    #[error("{text:?} is too large a number")]
    TooLarge {
        /// As typed.
        text: String,
    },
}

/// Beyond this a controller counting in 32-bit floats has no hundredths left.
const LARGEST: f64 = 100_000.0;

/// A position or distance on `axis`: mm (`mm`) or inches (`in`, `"`) for a linear axis, `units` where none is typed;
/// degrees (`deg` or no unit) for a rotary one. Returns mm or degrees.
///
/// # Errors
/// [`BadNumber`], which names what was typed.
pub fn parse_on(axis: Axis, text: &str, units: Units) -> Result<f64, BadNumber> {
    let (number, unit) = split_unit(text);
    let factor = match (unit, axis.is_rotary()) {
        (None, false) => units.mm(),
        (None | Some("deg"), true) | (Some("mm"), false) => 1.0,
        (Some("in"), false) => MM_PER_INCH,
        (Some(unit), rotary) => {
            let wanted = if rotary { "degrees" } else { "mm or inches" };
            return Err(BadNumber::Unit { text: text.trim().to_owned(), unit, wanted });
        }
    };
    Ok(plain(number, text)? * factor)
}

/// A number without a unit, such as a spindle speed.
///
/// # Errors
/// [`BadNumber`], which names what was typed.
pub fn parse_plain(text: &str) -> Result<f64, BadNumber> {
    plain(text.trim(), text)
}

/// A number as all firmwares read it: no exponent, at most four decimals, no `-0`.
pub fn number(value: f64) -> String {
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

fn split_unit(text: &str) -> (&str, Option<&'static str>) {
    let text = text.trim();
    for (suffix, unit) in [("mm", "mm"), ("deg", "deg"), ("°", "deg"), ("inch", "in"), ("in", "in"), ("\"", "in")] {
        let cut = text.len().checked_sub(suffix.len()).filter(|&cut| text.is_char_boundary(cut));
        if let Some(cut) = cut.filter(|&cut| text[cut..].eq_ignore_ascii_case(suffix)) {
            return (text[..cut].trim_end(), Some(unit));
        }
    }
    (text, None)
}

fn plain(number: &str, typed: &str) -> Result<f64, BadNumber> {
    let text = typed.trim().to_owned();
    if text.is_empty() {
        return Err(BadNumber::Missing);
    }
    if number.chars().filter(|c| matches!(c, '.' | ',')).count() > 1 {
        return Err(BadNumber::Ambiguous { text });
    }
    let digits = number.strip_prefix(['+', '-']).unwrap_or(number);
    let is_number = digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ','))
        && digits.contains(|c: char| c.is_ascii_digit());
    match number.replace(',', ".").parse::<f64>() {
        Ok(value) if is_number && value.abs() <= LARGEST => Ok(value),
        Ok(_) if is_number => Err(BadNumber::TooLarge { text }),
        _ => Err(BadNumber::Junk { text }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_write_numbers_in_many_ways() {
        for (text, mm) in [
            ("12.5", 12.5),
            (" 12,5 ", 12.5),
            ("-3mm", -3.0),
            ("+.5", 0.5),
            ("5.", 5.0),
            ("0,25 in", 6.35),
            ("1IN", 25.4),
            ("2\"", 50.8),
            ("-0", 0.0),
        ] {
            assert_eq!(parse_on(Axis::X, text, Units::Mm).map(|v| (v * 1e6).round() / 1e6), Ok(mm), "{text}");
        }
        assert_eq!(parse_on(Axis::A, "90deg", Units::Inch), Ok(90.0));
        assert_eq!(parse_on(Axis::A, "90°", Units::Mm), Ok(90.0));
        assert_eq!(parse_plain("12000"), Ok(12000.0));
        // Where inches are shown, a bare number is inches; a unit that is typed holds.
        assert_eq!(parse_on(Axis::X, "2", Units::Inch), Ok(50.8));
        assert_eq!(parse_on(Axis::X, "2mm", Units::Inch), Ok(2.0));
        assert_eq!(parse_on(Axis::A, "90", Units::Inch), Ok(90.0));
    }

    #[test]
    fn what_is_no_number_is_refused_by_its_name() {
        for (text, says) in [
            ("", "missing"),
            ("  ", "missing"),
            ("abc", "\"abc\" is not a number"),
            ("1e3", "is not a number"),
            ("--1", "is not a number"),
            ("inf", "is not a number"),
            ("NaN", "is not a number"),
            ("mm", "is not a number"),
            (".", "is not a number"),
            ("1,234.5", "more than one point or comma"),
            ("5cm", "is not a number"),
            ("5deg", "unit deg"),
            ("1000000", "too large"),
            ("١٢", "is not a number"),
        ] {
            let error = parse_on(Axis::X, text, Units::Mm).expect_err(text).to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
        assert!(parse_on(Axis::A, "5mm", Units::Mm).unwrap_err().to_string().contains("degrees"));
        assert!(parse_plain("12mm").is_err());
    }

    #[test]
    fn numbers_are_written_plainly() {
        let got: Vec<_> = [0.0, -0.0, -0.000_01, 1.0, -12.5, 0.1 + 0.2, 1e-3, 1e6, 12.345_67].map(number).into();
        assert_eq!(got, ["0", "0", "0", "1", "-12.5", "0.3", "0.001", "1000000", "12.3457"]);
    }
}
