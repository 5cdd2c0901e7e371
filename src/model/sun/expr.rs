//! A condition as a tree, and what is written of it.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::word::{Choice, Dimension, Flag, Quantity, Word};

/// Whether something holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Truth {
    /// It does.
    True,
    /// It does not.
    False,
    /// Not known: a value is missing, too old, or from an inverter that is not believed.
    #[default]
    Unknown,
}

impl Truth {
    /// The word for a screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::True => "true",
            Self::False => "false",
            Self::Unknown => "unknown",
        }
    }

    /// Both hold. What is false anyway is false whatever else is not known.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::True, Self::True) => Self::True,
            _ => Self::Unknown,
        }
    }

    /// One of them holds.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::True, _) | (_, Self::True) => Self::True,
            (Self::False, Self::False) => Self::False,
            _ => Self::Unknown,
        }
    }

    /// It does not hold. What is not known stays so.
    #[must_use]
    pub const fn negated(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

/// How two numbers are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Less.
    Less,
    /// Less or the same.
    AtMost,
    /// More.
    More,
    /// More or the same.
    AtLeast,
}

impl Op {
    /// As it is written.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
        }
    }

    /// Whether it holds.
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::More => left > right,
            Self::AtLeast => left >= right,
        }
    }
}

/// Quantities and a number, added up.
#[derive(Clone, Debug, PartialEq)]
pub struct Sum {
    /// The quantities, each with its sign.
    pub quantities: Vec<(bool, Quantity)>,
    /// The number, in the shown unit of its dimension.
    pub number: f64,
    /// What it counts.
    pub dimension: Dimension,
}

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// All hold.
    All(Vec<Expr>),
    /// One holds.
    Any(Vec<Expr>),
    /// It does not hold.
    Not(Box<Expr>),
    /// It has held for that long without a break.
    For(Box<Expr>, Duration),
    /// Two numbers.
    Compare(Quantity, Op, Sum),
    /// It is, or is not, this word.
    Is {
        /// What.
        choice: Choice,
        /// The word.
        word: &'static str,
        /// It is; else: it is not.
        equal: bool,
    },
    /// It is so.
    Flag(Flag),
}

impl Expr {
    /// Every word that it names, in their order.
    pub fn words(&self) -> Vec<Word> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::words).collect(),
            Self::Not(part) | Self::For(part, _) => part.words(),
            Self::Compare(left, _, right) => {
                let right = right.quantities.iter().map(|(_, quantity)| *quantity);
                [*left].into_iter().chain(right).map(Word::Quantity).collect()
            }
            Self::Is { choice, .. } => vec![Word::Choice(*choice)],
            Self::Flag(flag) => vec![Word::Flag(*flag)],
        }
    }

    /// Some part of it is read from an inverter.
    pub fn needs_inverter(&self) -> bool {
        self.words().iter().any(|word| match word {
            Word::Quantity(quantity) => quantity.of_inverter(),
            Word::Choice(choice) => *choice == Choice::Grid,
            Word::Flag(flag) => *flag != Flag::SpindleOn,
        })
    }

    /// Some part of it asks for the minutes that the battery lasts, which needs its capacity.
    pub fn needs_capacity(&self) -> bool {
        self.words().contains(&Word::Quantity(Quantity::MinutesLeft))
    }

    /// Comparisons that come out the same whatever is measured, each with why.
    pub fn senseless(&self) -> Vec<String> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::senseless).collect(),
            Self::Not(part) | Self::For(part, _) => part.senseless(),
            Self::Compare(left, op, right) => settled(*left, *op, right).into_iter().collect(),
            Self::Is { .. } | Self::Flag(_) => Vec::new(),
        }
    }
}

/// Why a comparison always comes out the same, if it does.
fn settled(left: Quantity, op: Op, right: &Sum) -> Option<String> {
    let text = format!("{} {} {right}", left.name(), op.sign());
    let mut all = right.quantities.iter().map(|(_, quantity)| *quantity).chain([left]);
    if all.all(|quantity| quantity == Quantity::ParkTime) {
        return Some(format!("{text} compares nothing that is measured: it always comes out the same"));
    }
    if !right.quantities.is_empty() {
        return None;
    }
    let (low, high) = left.range();
    let (at_low, at_high) = (op.holds(low, right.number), op.holds(high, right.number));
    // What holds at both ends, or at neither, holds or fails for all that lies in between.
    let word = match (at_low, at_high) {
        (true, true) => "always",
        (false, false) => "never",
        _ => return None,
    };
    let why = if high.is_finite() {
        format!("lies from {low} to {high} {}", left.dimension().unit())
    } else {
        "is never below 0".to_owned()
    };
    Some(format!("{text} {word} holds: {} {why}", left.name()))
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (plus, quantity)) in self.quantities.iter().enumerate() {
            let sign = match (i, plus) {
                (0, true) => "",
                (0, false) => "-",
                (_, true) => " + ",
                (_, false) => " - ",
            };
            write!(f, "{sign}{}", quantity.name())?;
        }
        let spell = |value: f64| spelt(value, self.dimension);
        match (self.quantities.is_empty(), self.number) {
            (true, value) if value < 0.0 => write!(f, "-{}", spell(-value)),
            (true, value) => f.write_str(&spell(value)),
            (false, value) if value > 0.0 => write!(f, " + {}", spell(value)),
            (false, value) if value < 0.0 => write!(f, " - {}", spell(-value)),
            (false, _) => Ok(()),
        }
    }
}

/// A number with its unit, as conditions write it.
fn spelt(value: f64, dimension: Dimension) -> String {
    let seconds = value * 60.0;
    if dimension == Dimension::Minutes && value.fract() != 0.0 && (seconds - seconds.round()).abs() < 1e-9 {
        return format!("{} s", seconds.round());
    }
    format!("{value} {}", dimension.unit())
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |f: &mut fmt::Formatter<'_>, parts: &[Self], head: &str| {
            write!(f, "{head}(")?;
            for (i, part) in parts.iter().enumerate() {
                write!(f, "{}{part}", if i == 0 { "" } else { ", " })?;
            }
            f.write_str(")")
        };
        match self {
            Self::All(parts) => joined(f, parts, "all"),
            Self::Any(parts) => joined(f, parts, "any"),
            Self::Not(part) => write!(f, "not ({part})"),
            Self::For(part, time) if matches!(**part, Self::For(..) | Self::Not(_)) => {
                write!(f, "({part}) for {}", Spell(*time))
            }
            Self::For(part, time) => write!(f, "{part} for {}", Spell(*time)),
            Self::Compare(left, op, right) => write!(f, "{} {} {right}", left.name(), op.sign()),
            Self::Is { choice, word, equal } => {
                write!(f, "{} {} {word}", choice.name(), if *equal { "=" } else { "!=" })
            }
            Self::Flag(flag) => f.write_str(flag.name()),
        }
    }
}

/// A duration as conditions write it.
struct Spell(Duration);

impl fmt::Display for Spell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.as_millis(), self.0.as_secs()) {
            (ms, _) if ms % 1000 != 0 => write!(f, "{ms}ms"),
            (_, s) if s > 0 && s.is_multiple_of(3600) => write!(f, "{}h", s / 3600),
            (_, s) if s > 0 && s.is_multiple_of(60) => write!(f, "{}min", s / 60),
            (_, s) => write!(f, "{s}s"),
        }
    }
}
