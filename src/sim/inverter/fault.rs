//! Trouble on demand: what can go wrong with an inverter, its cable or its grid.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::sim::machine::{BadFault, parse_time};

/// What goes wrong, until it is mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InverterFault {
    /// Every answer comes so much later.
    Late(Duration),
    /// Answers to reads have a register too few, those to writes a byte.
    Short,
    /// Answers to writes tell another value than was written.
    WrongEcho,
    /// Noise instead of answers.
    Garbage,
    /// No answers.
    Silence,
    /// Every request is answered with exception 6.
    Busy,
    /// Requests that touch the address are answered with the exception.
    Exception {
        /// The address.
        address: u16,
        /// The exception.
        code: u8,
    },
    /// The grid goes away.
    GridLoss,
    /// More is asked for than the inverter gives.
    Overload,
    /// Another inverter, with another serial number, answers at this unit address.
    UnitSwap,
}

const DEFAULT_LATENESS: Duration = Duration::from_secs(2);
const ILLEGAL_ADDRESS: u8 = 2;

impl InverterFault {
    /// What can be typed.
    pub const NAMES: &str =
        "late, short, wrong-echo, garbage, silence, busy, exception=ADDRESS, grid-loss, overload or unit-swap";

    /// Both are the same trouble, whatever its measure: one takes the place of the other.
    pub(super) fn replaces(self, other: Self) -> bool {
        match (self, other) {
            (Self::Exception { address: a, .. }, Self::Exception { address: b, .. }) => a == b,
            _ => std::mem::discriminant(&self) == std::mem::discriminant(&other),
        }
    }
}

impl fmt::Display for InverterFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late(by) => write!(f, "late={}ms", by.as_millis()),
            Self::Short => f.write_str("short"),
            Self::WrongEcho => f.write_str("wrong-echo"),
            Self::Garbage => f.write_str("garbage"),
            Self::Silence => f.write_str("silence"),
            Self::Busy => f.write_str("busy"),
            Self::Exception { address, code } => write!(f, "exception={address}:{code}"),
            Self::GridLoss => f.write_str("grid-loss"),
            Self::Overload => f.write_str("overload"),
            Self::UnitSwap => f.write_str("unit-swap"),
        }
    }
}

/// The text is not a fault of an inverter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadInverterFault {
    /// There is no such fault.
    #[error("no fault is called {0:?}: use {names}, with a time if wanted (grid-loss@30s)", names = InverterFault::NAMES)]
    Name(String),
    /// The address or code cannot be read.
    #[error(
        "{0:?} is no register and exception: write an address, and a code from 1 to 255 if not 2, as in exception=8475:4"
    )]
    Exception(String),
    /// A time cannot be read.
    #[error("{0:?} is not a time: write seconds or milliseconds, as in late=800ms or grid-loss@30s")]
    Time(String),
}

impl FromStr for InverterFault {
    type Err = BadInverterFault;

    fn from_str(text: &str) -> Result<Self, BadInverterFault> {
        let (name, measure) = match text.trim().split_once('=') {
            Some((name, measure)) => (name.trim(), Some(measure.trim())),
            None => (text.trim(), None),
        };
        Ok(match (name, measure) {
            ("late", None) => Self::Late(DEFAULT_LATENESS),
            ("late", Some(by)) => Self::Late(time(by)?),
            ("exception", Some(which)) => exception(which)?,
            ("short", None) => Self::Short,
            ("wrong-echo", None) => Self::WrongEcho,
            ("garbage", None) => Self::Garbage,
            ("silence", None) => Self::Silence,
            ("busy", None) => Self::Busy,
            ("grid-loss", None) => Self::GridLoss,
            ("overload", None) => Self::Overload,
            ("unit-swap", None) => Self::UnitSwap,
            _ => return Err(BadInverterFault::Name(text.trim().to_owned())),
        })
    }
}

fn exception(text: &str) -> Result<InverterFault, BadInverterFault> {
    let bad = || BadInverterFault::Exception(text.to_owned());
    let (address, code) = text.split_once(':').unwrap_or((text, ""));
    let address = address.parse().map_err(|_| bad())?;
    let code = if code.is_empty() { ILLEGAL_ADDRESS } else { code.parse().map_err(|_| bad())? };
    if code == 0 { Err(bad()) } else { Ok(InverterFault::Exception { address, code }) }
}

fn time(text: &str) -> Result<Duration, BadInverterFault> {
    parse_time(text).map_err(|error| match error {
        BadFault::Name(text) | BadFault::Time(text) => BadInverterFault::Time(text),
    })
}

/// A fault and when it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InverterFaultPlan {
    /// What.
    pub fault: InverterFault,
    /// How long after the start, in real time; zero: at once.
    pub after: Duration,
}

impl FromStr for InverterFaultPlan {
    type Err = BadInverterFault;

    /// `busy`, `grid-loss@30s`, `late=800ms@5s`.
    fn from_str(text: &str) -> Result<Self, BadInverterFault> {
        let (fault, after) = match text.split_once('@') {
            Some((fault, after)) => (fault, time(after.trim())?),
            None => (text, Duration::ZERO),
        };
        Ok(Self { fault: fault.parse()?, after })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_texts_are_read_and_written() {
        for text in [
            "late=800ms",
            "short",
            "wrong-echo",
            "garbage",
            "silence",
            "busy",
            "exception=8475:4",
            "grid-loss",
            "overload",
            "unit-swap",
        ] {
            assert_eq!(text.parse::<InverterFault>().map(|fault| fault.to_string()), Ok(text.to_owned()));
        }
        assert_eq!("exception=7".parse(), Ok(InverterFault::Exception { address: 7, code: 2 }));
        let plan: InverterFaultPlan = "late=0.3s@2s".parse().unwrap();
        assert_eq!(plan.fault, InverterFault::Late(Duration::from_millis(300)));
        assert_eq!(plan.after, Duration::from_secs(2));
    }

    #[test]
    fn bad_fault_texts_say_what_to_write() {
        for (text, wanted) in [
            ("explode", "grid-loss"),
            ("busy=3", "grid-loss"),
            ("exception", "exception=ADDRESS"),
            ("exception=x", "exception=8475:4"),
            ("exception=1:0", "exception=8475:4"),
            ("late=soon", "late=800ms"),
            ("busy@-1s", "is not a time"),
        ] {
            let error = text.parse::<InverterFaultPlan>().unwrap_err().to_string();
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }
}
