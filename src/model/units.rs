//! Millimetres or inches: what people read and type. Inside sunmill and on the wire everything is mm.

use serde::{Deserialize, Serialize};

use super::Axis;
use super::quantity::MM_PER_INCH;

/// In which unit lengths are shown and typed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Units {
    /// Millimetres, mm/min.
    #[default]
    Mm,
    /// Inches, in/min.
    Inch,
}

impl Units {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Mm => Self::Inch,
            Self::Inch => Self::Mm,
        }
    }

    /// `mm` or `in`.
    pub const fn length(self) -> &'static str {
        match self {
            Self::Mm => "mm",
            Self::Inch => "in",
        }
    }

    /// `mm/min` or `in/min`.
    pub const fn feed(self) -> &'static str {
        match self {
            Self::Mm => "mm/min",
            Self::Inch => "in/min",
        }
    }

    /// The unit of an axis: degrees stay degrees.
    pub const fn of(self, axis: Axis) -> &'static str {
        if axis.is_rotary() { axis.unit() } else { self.length() }
    }

    /// How many mm one of it is.
    pub const fn mm(self) -> f64 {
        match self {
            Self::Mm => 1.0,
            Self::Inch => MM_PER_INCH,
        }
    }

    /// mm (degrees on a rotary axis) in this unit.
    pub fn on(self, axis: Axis, value: f64) -> f64 {
        if axis.is_rotary() { value } else { value / self.mm() }
    }

    /// A position as it is read off: 0.001 mm or degrees, 0.0001 in. Never `-0`, whose sign would flicker.
    pub fn position(self, axis: Axis, value: f64) -> String {
        let places = if self == Self::Inch && !axis.is_rotary() { 4 } else { 3 };
        let text = format!("{:.places$}", self.on(axis, value));
        match text.strip_prefix('-') {
            Some(digits) if digits.bytes().all(|b| matches!(b, b'0' | b'.')) => digits.to_owned(),
            _ => text,
        }
    }

    /// A feed: whole mm/min, or tenths of in/min.
    pub fn feed_text(self, mm_min: f64) -> String {
        match self {
            Self::Mm => format!("{mm_min:.0}"),
            Self::Inch => format!("{:.1}", mm_min / MM_PER_INCH),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_change_and_degrees_do_not() {
        assert_eq!(Units::Mm.position(Axis::X, -12.3456), "-12.346");
        assert_eq!(Units::Inch.position(Axis::X, 25.4), "1.0000");
        assert_eq!(Units::Inch.position(Axis::A, 90.0), "90.000");
        assert_eq!((Units::Inch.of(Axis::Z), Units::Inch.of(Axis::A)), ("in", "deg"));
        assert_eq!((Units::Mm.feed_text(1000.0), Units::Inch.feed_text(1000.0)), ("1000".into(), "39.4".into()));
    }

    #[test]
    fn nothing_reads_minus_nothing() {
        assert_eq!(Units::Mm.position(Axis::X, -0.000_4), "0.000");
        assert_eq!(Units::Inch.position(Axis::X, -0.000_4), "0.0000");
        assert_eq!(Units::Mm.position(Axis::X, -0.001), "-0.001");
    }
}
